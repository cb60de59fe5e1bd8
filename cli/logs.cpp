#include "cli/logs.hpp"

#include "cli/render/log_lines.hpp"
#include "common/codec/codecs.hpp"

#include <deque>

namespace cicd::cli {
namespace {

constexpr int page_lines = 1000;

/// Which lines are wanted, and how they are put.
class LogFilter {
public:
    static Result<LogFilter> from(const Arguments& arguments) {
        LogFilter filter;
        filter.step_ = arguments.text("--step");
        filter.timestamps_ = arguments.has("--timestamps");
        CICD_TRY(filter.tail, arguments.number("--tail", 0));
        return filter;
    }

    [[nodiscard]] bool wants(const model::JobRun& job, const contract::LogEntry& entry) const {
        if (step_.empty() || step_ == std::to_string(entry.step + 1)) return true;
        for (const auto& step : job.steps)
            if (step.index == entry.step) return step.name == step_ || step.id == step_;
        return false;
    }
    [[nodiscard]] std::string stamp(const contract::LogEntry& entry) const {
        return timestamps_ ? format_time(entry.time) + " " : std::string();
    }

    std::optional<int> tail;

private:
    std::string step_;
    bool timestamps_ = false;
};

// A terminal that wants no colour gets none; a pipe gets the bytes as they were.
std::string bytes(const Session& session, const std::string& text) {
    const auto& console = session.console();
    return console.out_is_terminal() && !console.paint().on ? render::without_escapes(text) : text;
}

// Collects what is printed, so that a long log is few writes; keeps only the tail where one is asked for.
class Printer {
public:
    Printer(const Session& session, std::optional<int> tail) : session_(session), tail_(tail) {}
    ~Printer() { flush(); }
    Printer(const Printer&) = delete;
    Printer& operator=(const Printer&) = delete;

    void add(std::string line) {
        if (tail_) {
            last_.push_back(std::move(line));
            if (last_.size() > static_cast<std::size_t>(*tail_)) last_.pop_front();
            return;
        }
        pending_ += line;
        if (pending_.size() > 64 * 1024) flush();
    }
    void flush() {
        for (const auto& line : last_) pending_ += line;
        last_.clear();
        if (!pending_.empty()) session_.console().out(pending_);
        pending_.clear();
    }
    /// What comes from now on is not held back any more.
    void go_live() {
        flush();
        tail_.reset();
    }

private:
    const Session& session_;
    std::optional<int> tail_;
    std::deque<std::string> last_;
    std::string pending_;
};

// Every line that there is now; answers with the number of the next one.
Result<std::uint64_t> read_all(client::Client& daemon, const std::string& job,
                               const std::function<void(const contract::LogEntry&)>& take) {
    std::uint64_t next = 0;
    for (;;) {
        CICD_TRY(const auto entries, daemon.job_log(job, next, page_lines));
        if (entries.empty()) return next;
        for (const auto& entry : entries) take(entry);
        next = entries.back().line + 1;
    }
}

void print_entry(const Session& session, const contract::LogEntry& entry) {
    session.print(codec::encode(entry));
}

}  // namespace

Result<ExitCode> show_job_log(Session& session, const std::string& id, const Arguments& arguments) {
    CICD_TRY(const auto filter, LogFilter::from(arguments));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto job, daemon->show_job(id));
    Printer printer(session, filter.tail);
    bool line_open = false;
    const auto take = [&](const contract::LogEntry& entry) {
        if (!filter.wants(job, entry)) return;
        if (session.structured()) return print_entry(session, entry);
        printer.add((line_open ? "" : filter.stamp(entry)) + bytes(session, entry.text) + (entry.partial ? "" : "\n"));
        line_open = entry.partial;
    };
    CICD_TRY(const auto next, read_all(*daemon, id, take));
    if (!arguments.has("--follow") || is_final(job.state)) return ExitCode::success;
    printer.go_live();
    CICD_CHECK(daemon->follow_log(id, next, [&](const contract::LogEntry& entry) {
        take(entry);
        printer.flush();
        return true;
    }));
    return ExitCode::success;
}

Result<ExitCode> show_run_log(Session& session, const std::string& id, const Arguments& arguments) {
    CICD_TRY(const auto filter, LogFilter::from(arguments));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto run, daemon->show_run(id));
    render::RunProgress progress(std::move(run));
    render::LogLines lines(session.console().paint(), session.console().out_is_terminal());
    Printer printer(session, filter.tail);
    const auto take = [&](const contract::LogEntry& entry) {
        for (const auto& job : progress.run().jobs)
            if (job.id == entry.job && !filter.wants(job, entry)) return;
        if (session.structured()) return print_entry(session, entry);
        const auto line = lines.add(progress, entry);
        if (!line.empty()) printer.add(filter.stamp(entry) + line);
    };
    if (arguments.has("--follow") && !is_final(progress.run().state)) {
        printer.go_live();
        client::StreamHandler handler;
        handler.on_event = [&](const model::RunEvent& event) { return progress.apply(event), true; };
        handler.on_log = [&](const contract::LogEntry& entry) { return take(entry), printer.flush(), true; };
        CICD_CHECK(daemon->follow_run(id, 0, handler));
    } else {
        for (const auto& job : progress.run().jobs)
            if (job.start_time) CICD_CHECK(read_all(*daemon, job.id.str(), take));
    }
    printer.add(lines.rest(progress));
    return ExitCode::success;
}

}  // namespace cicd::cli
