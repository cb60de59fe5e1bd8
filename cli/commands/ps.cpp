#include "cli/commands/commands.hpp"
#include "cli/identifiers.hpp"
#include "cli/lists.hpp"
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
    {.names = "--limit", .value = "N", .help = "At most so many (20)"},
    {.names = "--page", .value = "N", .help = "Further pages of that size"},
};
constexpr Example examples[] = {{"cicdctl ps", "what is under way"},
                                {"cicdctl ps -a --limit 50", "the last 50 runs"},
                                {"cicdctl ps -a --status failed -o name", "ids of failed runs, for a script"}};

Result<contract::RunFilter> filter_of(const Arguments& arguments) {
    using model::RunState;
    contract::RunFilter filter;
    filter.pipeline = arguments.text("--pipeline");
    filter.branch = arguments.text("--branch");
    for (const auto& text : arguments.texts("--status")) filter.states.push_back(*from_text<RunState>(text));
    if (!arguments.has("--all") && filter.states.empty())
        filter.states = {RunState::created, RunState::queued, RunState::running, RunState::blocked};
    CICD_TRY(const auto limit, arguments.number("--limit", 1));
    CICD_TRY(const auto page, arguments.number("--page", 1));
    filter.page_size = limit.value_or(20);
    filter.page = page.value_or(1);
    return filter;
}

Result<ExitCode> list_runs(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto filter, filter_of(arguments));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto page, daemon->list_runs(filter));
    if (session.structured()) {
        session.print(codec::encode(page));
        return ExitCode::success;
    }
    if (page.data.empty()) {
        session.note(arguments.has("--all") ? "No runs." : "Nothing is running; 'cicdctl ps -a' shows what has ended.");
        return ExitCode::success;
    }
    print_runs(session, page.data);
    if (page.pagination.has_next)
        session.note("… of " + std::to_string(page.pagination.total_count) + "; go on with --page " +
                     std::to_string(filter.page + 1));
    return ExitCode::success;
}

}  // namespace

constinit const Command ps_command{.name = "ps",
                                   .summary = "List runs: those under way, or all",
                                   .options = options,
                                   .examples = examples,
                                   .handler = list_runs};

}  // namespace cicd::cli
