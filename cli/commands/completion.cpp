#include "cli/render/completion.hpp"

#include "cli/autostart.hpp"
#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

constexpr Operand shell[] = {{.name = "SHELL", .choices = "bash|zsh|fish"}};
constexpr Operand kind[] = {{.name = "KIND", .choices = "run|job|id|pipeline|command"}};
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

// What the shells ask while somebody types: never starts a daemon, never complains.
Result<ExitCode> complete(Session& session, const Arguments& arguments) {
    const auto wanted = arguments.operand(0);
    std::string text;
    if (wanted == "command") {
        for (const auto* command : members("")) text += std::string(command->name) + "\n";
    } else if (daemon_answers(session.socket())) {
        auto daemon = session.another_connection();
        if (wanted == "run" || wanted == "id")
            if (const auto page = daemon.list_runs({}))
                for (const auto& run : page->data) text += run.id.str() + "\n";
        if (wanted == "job" || wanted == "id")
            if (const auto page = daemon.list_jobs({}))
                for (const auto& job : page->data) text += job.id.str() + "\n";
        if (wanted == "pipeline")
            if (const auto page = daemon.list_pipelines(1, 100))
                for (const auto& pipeline : page->data) text += pipeline.name + "\n";
    }
    session.console().out(text);
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
