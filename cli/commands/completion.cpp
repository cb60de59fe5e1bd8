#include "cli/render/completion.hpp"

#include "cli/autostart.hpp"
#include "cli/commands/commands.hpp"
#include "cli/render/run_progress.hpp"
#include "cli/session.hpp"
#include "cli/settings.hpp"

namespace cicd::cli {
namespace {

constexpr Operand shell[] = {{.name = "SHELL", .choices = "bash|zsh|fish"}};
constexpr Operand kind[] = {{.name = "KIND", .choices = "run|job|id|pipeline|command|setting"}};
constexpr Example examples[] = {{"source <(cicdctl completion bash)", "in ~/.bashrc"},
                                {"cicdctl completion zsh > ~/.zfunc/_cicdctl", "a folder of fpath"},
                                {"cicdctl completion fish | source", "in config.fish"}};

Result<ExitCode> completion(Session& session, const Arguments& arguments) {
    const auto name = arguments.operand(0);
    session.console().out(name == "bash"  ? render::bash_completion()
                          : name == "zsh" ? render::zsh_completion()
                                          : render::fish_completion());
    return ExitCode::success;
}

constexpr int most_offered = 50;

/// What is offered, and what the shells that can show it say beside it.
class Offers {
public:
    void add(std::string word, std::string_view description) {
        text_ += word;
        text_ += '\t';
        // One line each, whatever a commit's message holds.
        for (const char c : description.substr(0, 100)) text_ += c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
        text_ += '\n';
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

void offer_runs(client::Client& daemon, Offers& offers) {
    contract::RunFilter filter;
    filter.page_size = most_offered;
    if (const auto page = daemon.list_runs(filter))
        for (const auto& run : page->data)
            offers.add(run.id.str(), run.pipeline + " " + std::string(to_text(run.state)) +
                                         (run.source.branch.empty() ? "" : " on " + run.source.branch));
}

void offer_jobs(client::Client& daemon, Offers& offers) {
    contract::JobFilter filter;
    filter.page_size = most_offered;
    if (const auto page = daemon.list_jobs(filter))
        for (const auto& job : page->data)
            offers.add(job.id.str(),
                       render::label_of(job) + " " + std::string(to_text(job.state)) + " of " + job.run.str());
}

void offer_pipelines(client::Client& daemon, Offers& offers) {
    if (const auto page = daemon.list_pipelines(1, most_offered))
        for (const auto& pipeline : page->data)
            offers.add(pipeline.name, pipeline.description.empty() ? pipeline.repository : pipeline.description);
}

// What the shells ask while somebody types: "word TAB description" lines. Never starts a daemon, never complains.
Result<ExitCode> complete(Session& session, const Arguments& arguments) {
    const auto wanted = arguments.operand(0);
    Offers offers;
    if (wanted == "command") {
        for (const auto* command : members("")) offers.add(std::string(command->name), command->summary);
    } else if (wanted == "setting") {
        for (const auto& setting : known_settings()) offers.add(std::string(setting.name), setting.help);
    } else if (daemon_answers(session.socket())) {
        auto daemon = session.another_connection();
        if (wanted == "run" || wanted == "id") offer_runs(daemon, offers);
        if (wanted == "job" || wanted == "id") offer_jobs(daemon, offers);
        if (wanted == "pipeline") offer_pipelines(daemon, offers);
    }
    session.console().out(offers.text());
    return ExitCode::success;
}

}  // namespace

constinit const Command completion_command{.name = "completion",
                                           .summary = "Write the completion script of a shell",
                                           .operands = shell,
                                           .examples = examples,
                                           .handler = completion};
constinit const Command complete_command{.name = "complete",
                                         .summary = "List what a shell may offer",
                                         .operands = kind,
                                         .handler = complete,
                                         .hidden = true};

}  // namespace cicd::cli
