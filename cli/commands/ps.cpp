#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"
#include "cli/repeat.hpp"
#include "cli/times.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {
namespace {

constexpr Option options[] = {
    {.names = "-a,--all", .help = "Runs that have ended, too"},
    {.names = "--status",
     .value = "STATUS",
     .help = "Only those: queued, running, success, failed, cancelled; repeat for more",
     .choices = "created|queued|running|blocked|success|failed|cancelled",
     .many = true},
    {.names = "--pipeline", .value = "NAME", .help = "Only of this pipeline", .completes = Completes::pipeline},
    {.names = "--branch", .value = "NAME", .help = "Only of this branch"},
    {.names = "--commit", .value = "ID", .help = "Only of this commit (its beginning is enough)"},
    {.names = "--user", .value = "NAME", .help = "Only what this user started"},
    {.names = "--event",
     .value = "TYPE",
     .help = "Only what this started; repeat for more",
     .choices = "push|pull_request|manual|schedule|webhook|pipeline",
     .many = true},
    {.names = "--since", .value = "TIME", .help = "Only those created since: 2h ago, 2026-11-21"},
    {.names = "--until", .value = "TIME", .help = "Only those created before"},
    {.names = "--limit", .value = "N", .help = "At most so many (20)"},
    {.names = "--page", .value = "N", .help = "Further pages of that size"},
    {.names = "-w,--watch", .help = "Show it anew every second, until Ctrl-C"},
};
constexpr Example examples[] = {{"cicdctl ps", "what is under way"},
                                {"cicdctl ps --watch", "the same, kept up to date"},
                                {"cicdctl ps -a --since 2h --branch main", "what main did in two hours"},
                                {"cicdctl ps -a --status failed -o name", "ids of failed runs, for a script"}};

Result<contract::RunFilter> filter_of(const Arguments& arguments) {
    using model::RunState;
    contract::RunFilter filter;
    filter.pipeline = arguments.text("--pipeline");
    filter.branch = arguments.text("--branch");
    filter.commit = arguments.text("--commit");
    filter.user = arguments.text("--user");
    for (const auto& text : arguments.texts("--status")) filter.states.push_back(*from_text<RunState>(text));
    for (const auto& text : arguments.texts("--event")) filter.events.push_back(*from_text<model::TriggerType>(text));
    if (!arguments.has("--all") && filter.states.empty())
        filter.states = {RunState::created, RunState::queued, RunState::running, RunState::blocked};
    if (arguments.has("--since")) {
        CICD_TRY(filter.since, past_time("--since", arguments.text("--since")));
    }
    if (arguments.has("--until")) {
        CICD_TRY(filter.until, past_time("--until", arguments.text("--until")));
    }
    CICD_TRY(const auto limit, arguments.number("--limit", 1));
    CICD_TRY(const auto page, arguments.number("--page", 1));
    filter.page_size = limit.value_or(20);
    filter.page = page.value_or(1);
    return filter;
}

Result<std::string> listing(Session& session, const Arguments& arguments, const contract::RunFilter& filter) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto page, daemon->list_runs(filter));
    if (session.structured()) return session.text(codec::encode(page));
    if (page.data.empty()) {
        session.note(arguments.has("--all") ? "No runs." : "Nothing is running; 'cicdctl ps -a' shows what has ended.");
        return std::string();
    }
    auto text = runs_text(session, page.data);
    if (page.pagination.has_next && !arguments.has("--watch"))
        session.note("… of " + std::to_string(page.pagination.total_count) + "; go on with --page " +
                     std::to_string(filter.page + 1));
    return text;
}

Result<ExitCode> list_runs(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto filter, filter_of(arguments));
    if (arguments.has("--watch")) return repeat(session, [&] { return listing(session, arguments, filter); });
    CICD_TRY(const auto text, listing(session, arguments, filter));
    session.console().out(text);
    return ExitCode::success;
}

}  // namespace

constinit const Command ps_command{.name = "ps",
                                   .summary = "List runs: those under way, or all",
                                   .options = options,
                                   .examples = examples,
                                   .handler = list_runs};

}  // namespace cicd::cli
