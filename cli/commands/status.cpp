#include "cli/commands/commands.hpp"
#include "cli/lists.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {
namespace {

constexpr Example examples[] = {{"cicdctl status", "the daemon, its capacity and what runs"}};

Result<ExitCode> status(Session& session, const Arguments&) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto status, daemon->status());
    contract::RunFilter active;
    active.states = {model::RunState::created, model::RunState::queued, model::RunState::running,
                     model::RunState::blocked};
    CICD_TRY(const auto runs, daemon->list_runs(active));
    if (session.structured()) {
        session.print(Object{{"daemon", codec::encode(status)}, {"runs", codec::encode(runs)["data"]}});
        return ExitCode::success;
    }
    const auto paint = session.console().paint();
    const auto up = SystemClock().now() - status.start_time;
    auto text = paint(render::Tone::green, "●") + " cicdd " + status.version + ", pid " + std::to_string(status.pid) +
                ", up " + render::age(up) + "\n";
    text += "  state    " + status.state_directory + "\n  socket   " + status.socket + "\n";
    text += "  capacity " + number_text(status.cpu_capacity) + " cpu, " + humanize_size(status.memory_capacity) + ", " +
            std::to_string(status.slots) + " jobs at once\n";
    text += "  now      " + std::to_string(status.active_runs) + " runs active, " +
            std::to_string(status.running_jobs) + " jobs running, " + std::to_string(status.queued_jobs) + " waiting\n";
    session.console().out(text);
    if (runs.data.empty()) return ExitCode::success;
    session.console().out("\n");
    print_runs(session, runs.data);
    return ExitCode::success;
}

}  // namespace

constinit const Command status_command{.name = "status",
                                       .summary = "Show the daemon, its capacity and what runs",
                                       .examples = examples,
                                       .handler = status};

}  // namespace cicd::cli
