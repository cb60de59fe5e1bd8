#include "cli/follow.hpp"

#include "cli/interruption.hpp"
#include "cli/render/summary.hpp"
#include "common/codec/codecs.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

namespace cicd::cli {
namespace {

class Following {
public:
    Following(Session& session, render::RunProgress& progress, render::RunView& view, const FollowOptions& options)
        : session_(session), progress_(progress), view_(view), options_(options), id_(progress.run().id.str()) {}

    Result<ExitCode> run() {
        {
            const std::scoped_lock lock(mutex_);
            view_.begin(progress_);
        }
        auto result = follow_to_the_end();
        const std::scoped_lock lock(mutex_);
        view_.end(progress_);
        if (!result) return result.error();
        if (timed_out_) return ExitCode::timeout;
        return exit_code_of(progress_.run());
    }

private:
    Result<void> follow_to_the_end() {
        const Interruption interruption(
            {[this](int signal) { interrupted(signal); }, [this] { deadline(); }, [this] { tick(); }},
            options_.timeout);
        auto last_progress = std::chrono::steady_clock::now();
        for (;;) {
            const auto before = last_seq_;
            const auto followed = stream();
            if (last_seq_ != before) last_progress = std::chrono::steady_clock::now();
            auto state = followed ? fetch() : Result<void>(followed.error());
            if (state && model::is_final(progress_.run().state)) return {};
            if (!state && state.error().kind != ErrorKind::unavailable) return state.error();
            // The daemon restarts, or its stream ended early: go on from the last event.
            if (!state && std::chrono::steady_clock::now() - last_progress > std::chrono::seconds(20))
                return state.error();
            ::usleep(100'000);
        }
    }

    Result<void> stream() {
        CICD_TRY(auto* client, session_.daemon());
        client::StreamHandler handler;
        handler.on_event = [this](const model::RunEvent& event) {
            const std::scoped_lock lock(mutex_);
            if (event.seq <= last_seq_) return true;
            last_seq_ = event.seq;
            progress_.apply(event);
            view_.event(progress_, event);
            return true;
        };
        handler.on_log = [this](const contract::LogEntry& entry) {
            const std::scoped_lock lock(mutex_);
            if (!is_new(entry)) return true;
            progress_.apply(entry);
            view_.log(progress_, entry);
            return true;
        };
        return client->follow_run(id_, last_seq_, handler);
    }

    Result<void> fetch() {
        CICD_TRY(auto* client, session_.daemon());
        CICD_TRY(auto run, client->show_run(id_));
        const std::scoped_lock lock(mutex_);
        progress_.replace(std::move(run));
        return {};
    }

    // A stream that is opened again may tell lines again.
    bool is_new(const contract::LogEntry& entry) {
        auto& next = next_line_[{entry.job, entry.attempt}];
        if (entry.line < next) return false;
        next = entry.line + 1;
        return true;
    }

    void interrupted(int signal) {
        const auto code = static_cast<int>(signal == SIGTERM ? ExitCode::terminated : ExitCode::interrupted);
        if (options_.cancel_when_interrupted && !cancelling_.exchange(true)) {
            say("cancelling " + id_ + "; Ctrl-C again leaves at once");
            return cancel("interrupted by the user");
        }
        leave(id_ + " goes on: 'cicdctl watch " + id_ + "', 'cicdctl cancel " + id_ + "'", code);
    }

    void deadline() {
        timed_out_ = true;
        if (!options_.cancel_when_interrupted)
            leave(id_ + " has not ended in time; it goes on", static_cast<int>(ExitCode::timeout));
        if (cancelling_.exchange(true)) return;
        say("time is up: cancelling " + id_);
        cancel("it took longer than --timeout allows");
    }

    void cancel(const std::string& reason) {
        auto client = session_.another_connection();
        const auto cancelled = client.cancel_run(id_, reason);
        if (!cancelled && cancelled.error().kind != ErrorKind::conflict)
            say("cannot cancel: " + cancelled.error().message);
    }

    void say(const std::string& text) {
        const std::scoped_lock lock(mutex_);
        view_.notice(progress_, text);
    }

    [[noreturn]] void leave(const std::string& text, int code) {
        mutex_.lock();  // for ever: nothing may be drawn any more
        view_.end(progress_);
        if (!session_.quiet()) session_.console().err(text + "\n");
        ::_exit(code);
    }

    void tick() {
        const std::scoped_lock lock(mutex_);
        view_.tick(progress_);
    }

    Session& session_;
    render::RunProgress& progress_;
    render::RunView& view_;
    FollowOptions options_;
    std::string id_;
    std::mutex mutex_;  ///< of progress and view
    std::int64_t last_seq_ = 0;
    std::map<std::pair<JobId, int>, std::uint64_t> next_line_;
    std::atomic<bool> cancelling_ = false, timed_out_ = false;
};

std::unique_ptr<render::RunView> choose_view(const Session& session, bool as_events) {
    if (as_events) return render::events_view(session.console());
    if (session.quiet() || session.structured() || session.output() == Output::name) return render::silent_view();
    if (session.console().can_animate()) return render::live_view(session.console());
    return render::plain_view(session.console(), true);
}

void summarise(const Session& session, const render::RunProgress& progress, bool as_events) {
    const auto& console = session.console();
    if (as_events) return;
    if (session.structured()) return session.print(codec::encode(progress.run()));
    if (session.output() == Output::name) return console.out(progress.run().id.str() + "\n");
    if (session.quiet() && progress.run().state == model::RunState::success) return;
    if (console.can_animate())
        return console.out(render::summary(progress, {.paint = console.paint(), .width = console.width()}));
    console.err(render::summary(progress, {.paint = console.err_paint()}));
}

}  // namespace

Result<ExitCode> follow(Session& session, render::RunProgress& progress, render::RunView& view,
                        const FollowOptions& options) {
    return Following(session, progress, view, options).run();
}

Result<ExitCode> follow_and_summarise(Session& session, model::Run run, bool as_events, const FollowOptions& options) {
    render::RunProgress progress(std::move(run));
    const auto view = choose_view(session, as_events);
    const auto code = follow(session, progress, *view, options);
    if (code) summarise(session, progress, as_events);
    return code;
}

}  // namespace cicd::cli
