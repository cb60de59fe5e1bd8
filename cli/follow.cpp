#include "cli/follow.hpp"

#include "cli/history.hpp"
#include "cli/render/summary.hpp"
#include "cli/signals.hpp"
#include "cli/terminal_mode.hpp"
#include "common/codec/codecs.hpp"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <optional>

namespace cicd::cli {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto restart_patience = std::chrono::seconds(20);  ///< for a daemon that is away

// One thread: what the daemon sends, signals, keys, the deadline and the ticks of the view are all looked at between
// two events. A signal ends the wait for the next event; without one it takes 100 ms at most.
class Following {
public:
    Following(Session& session, render::RunProgress& progress, render::RunView& view, const FollowOptions& options)
        : session_(session),
          progress_(progress),
          view_(view),
          options_(options),
          id_(progress.run().id.str()),
          history_(session) {}

    Result<ExitCode> run() {
        if (options_.keys) terminal_.emplace();
        view_.begin(progress_);
        auto result = follow_to_the_end();
        view_.end(progress_);
        terminal_.reset();
        if (!result) return result.error();
        if (left_) return session_.note(left_->text), left_->code;
        if (timed_out_) return ExitCode::timeout;
        return exit_code_of(progress_.run());
    }

private:
    struct Leaving {
        std::string text;
        ExitCode code;
    };

    Result<void> follow_to_the_end() {
        auto last_progress = Steady::now();
        for (;;) {
            const auto before = last_seq_;
            const auto followed = stream();
            if (left_) return {};
            if (last_seq_ != before) last_progress = Steady::now();
            if (followed && told_enough()) return {};
            auto state = followed ? fetch() : Result<void>(followed.error());
            if (state && model::is_final(progress_.run().state)) return {};
            if (!state && state.error().kind != ErrorKind::unavailable) return state.error();
            // The daemon restarts, or its stream ended early: go on from the last event.
            if (!state && Steady::now() - last_progress > restart_patience) return state.error();
            ::poll(nullptr, 0, 100);
            if (!look_around()) return {};
        }
    }

    Result<void> stream() {
        CICD_TRY(auto* client, session_.daemon());
        client::StreamHandler handler;
        handler.on_event = [this](const model::RunEvent& event) {
            if (event.seq <= last_seq_) return true;
            last_seq_ = event.seq;
            progress_.apply(event);
            view_.event(progress_, event);
            return look_at_signals();
        };
        if (options_.logs)
            handler.on_log = [this](const contract::LogEntry& entry) {
                if (!is_new(entry)) return true;
                progress_.apply(entry);
                view_.log(progress_, entry);
                return look_at_signals();
            };
        handler.on_pause = [this] { view_.flush(); };
        handler.on_idle = [this] { return look_around(); };
        return client->follow_run(id_, last_seq_, handler);
    }

    // The events of a run that succeeded say all that a person is shown, but for annotations; other ends are few, and their
    // details matter.
    [[nodiscard]] bool told_enough() const {
        return !options_.whole_result && !progress_.annotated() && progress_.run().state == model::RunState::success;
    }

    Result<void> fetch() {
        CICD_TRY(auto* client, session_.daemon());
        CICD_TRY(auto run, client->show_run(id_));
        progress_.replace(std::move(run));
        return {};
    }

    // A stream that is opened again may tell lines again.
    bool is_new(const contract::LogEntry& entry) {
        auto& next = next_line_[{entry.job.str(), entry.attempt}];
        if (entry.line < next) return false;
        next = entry.line + 1;
        return true;
    }

    // False: stop following. Cheap, for every event and line; the rest of it where nothing comes, or ten times a
    // second.
    bool look_at_signals() {
        if (Steady::now() - last_look_ >= Milliseconds(90)) return look_around();
        return !left_;
    }

    bool look_around() {
        last_look_ = Steady::now();
        if (signals_.take(SIGHUP) > 0) return leave(ExitCode::hung_up);
        if (signals_.take(SIGTERM) > 0) interrupted(ExitCode::terminated, 1);
        if (const auto times = signals_.take(SIGINT); times > 0) interrupted(ExitCode::interrupted, times);
        if (signals_.take(SIGQUIT) > 0) detach();
        if (left_) return false;
        if (options_.timeout && Steady::now() - start_ >= *options_.timeout && !timed_out_) deadline();
        if (left_) return false;
        look_at_terminal();
        if (!left_) view_.tick(progress_);
        return !left_;
    }

    void look_at_terminal() {
        if (!terminal_) return;
        view_.pause(!TerminalMode::look_around());
        const auto lost = TerminalMode::resumed();
        if (signals_.take(SIGWINCH) > 0 || lost) view_.screen_changed(progress_, lost);
        for (const char key : TerminalMode::keys())
            if (key == 'q' || key == 'Q') detach();
        if (!left_) history_.look_up(progress_);
    }

    void interrupted(ExitCode code, int times) {
        if (!options_.cancel_when_interrupted) return static_cast<void>(leave(code));
        if (!cancelling_) {
            cancelling_ = true;
            --times;
            progress_.set_cancelling();
            view_.notice(progress_, "Cancelling " + id_ + ": its jobs are told to end. Ctrl-C again kills them.");
            cancel({"interrupted by the user"});
        }
        if (times > 0 && !killing_) {
            killing_ = true;
            --times;
            view_.notice(progress_, "Killing what is left of " + id_ + ". Ctrl-C again leaves at once.");
            cancel({"interrupted by the user", true});
        }
        if (times > 0)
            left_ = Leaving{id_ + " is being cancelled by the daemon: 'cicdctl show " + id_ + "' tells how it ended.",
                            code};
    }

    void detach() {
        left_ = Leaving{id_ + (cancelling_ ? " is being cancelled." : " goes on.") + "\n  cicdctl watch " + id_ +
                            "   comes back to it\n  cicdctl cancel " + id_ + "  ends it",
                        ExitCode::running};
    }

    bool leave(ExitCode code) {
        left_ = Leaving{
            id_ + " goes on: 'cicdctl watch " + id_ + "' comes back to it, 'cicdctl cancel " + id_ + "' ends it.",
            code};
        return false;
    }

    void deadline() {
        timed_out_ = true;
        if (!options_.cancel_when_interrupted) {
            left_ = Leaving{id_ + " has not ended in time; it goes on.", ExitCode::timeout};
            return;
        }
        if (cancelling_) return;
        cancelling_ = true;
        progress_.set_cancelling();
        view_.notice(progress_, "Time is up: cancelling " + id_ + ".");
        cancel({"it took longer than --timeout allows"});
    }

    void cancel(const contract::Cancel& how) {
        auto client = session_.another_connection();
        const auto cancelled = client.cancel_run(id_, how);
        if (!cancelled && cancelled.error().kind != ErrorKind::conflict)
            view_.notice(progress_, "Cannot cancel: " + cancelled.error().message);
    }

    Session& session_;
    render::RunProgress& progress_;
    render::RunView& view_;
    FollowOptions options_;
    std::string id_;
    Signals signals_;
    std::optional<TerminalMode> terminal_;
    History history_;
    Steady::time_point start_ = Steady::now(), last_look_ = start_;
    std::int64_t last_seq_ = 0;
    std::map<std::pair<std::string, int>, std::uint64_t> next_line_;
    bool cancelling_ = false, killing_ = false, timed_out_ = false;
    std::optional<Leaving> left_;  ///< the run is left to itself
};

constexpr std::string_view hint_to_cancel = " Ctrl-C cancels · q leaves it running";
constexpr std::string_view hint_to_watch = " q or Ctrl-C stops watching · the run goes on";

// What a person would be shown of the failures where no log was followed.
void fetch_last_lines(Session& session, render::RunProgress& progress) {
    constexpr int most = 5;
    int fetched = 0;
    for (const auto& job : progress.run().jobs) {
        if (job.state != model::JobState::failed || !job.start_time || fetched == most) continue;
        ++fetched;
        const auto daemon = session.daemon();
        if (!daemon) return;
        contract::LogQuery query;
        query.tail = static_cast<int>(render::RunProgress::tail_lines);
        if (const auto* step = render::failed_step(job)) query.step = std::to_string(step->index);
        if (const auto entries = (*daemon)->job_log(job.id.str(), query))
            for (const auto& entry : *entries) progress.apply(entry);
    }
}

void summarise(const Session& session, const render::RunProgress& progress, bool as_events) {
    const auto& console = session.console();
    if (as_events) return;
    if (session.structured()) return session.print(codec::encode(progress.run()));
    if (session.output() == Output::name) return console.out(progress.run().id.str() + "\n");
    if (session.quiet() && progress.run().state == model::RunState::success) return;
    const auto now = SystemClock().now();
    if (console.can_animate())
        return console.out(render::summary(progress, now, {.paint = console.paint(), .width = console.width()}));
    console.err(render::summary(progress, now, {.paint = console.err_paint()}));
}

}  // namespace

Result<ExitCode> follow_and_summarise(Session& session, model::Run run, bool as_events, FollowOptions options) {
    render::RunProgress progress(std::move(run));
    const auto& console = session.console();
    std::unique_ptr<render::RunView> view;
    if (as_events) {
        view = render::events_view(console);
        options.whole_result = true;
    } else if (session.quiet() || session.structured() || session.output() == Output::name) {
        view = render::silent_view();
        options.logs = false;
        options.whole_result = session.structured();
    } else if (console.can_animate()) {
        view =
            render::live_view(console, std::string(options.cancel_when_interrupted ? hint_to_cancel : hint_to_watch));
        options.keys = true;
    } else {
        view = render::plain_view(console, true);
    }
    const auto code = Following(session, progress, *view, options).run();
    if (!code || !is_final(progress.run().state)) return code;
    if (!options.logs && !session.structured() && session.output() != Output::name) fetch_last_lines(session, progress);
    summarise(session, progress, as_events);
    return code;
}

}  // namespace cicd::cli
