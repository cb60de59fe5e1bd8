#include "cli/logs.hpp"

#include "cli/log_filter.hpp"
#include "cli/render/log_lines.hpp"
#include "common/codec/codecs.hpp"

#include <deque>

namespace cicd::cli {
namespace {

constexpr int page_lines = 2000;

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

// Every line that there is now and that is wanted; answers with the number of the next one.
Result<std::uint64_t> read_all(client::Client& daemon, const std::string& job, const LogFilter& filter,
                               const std::function<void(const contract::LogEntry&)>& take) {
    std::uint64_t next = 0;
    for (;;) {
        auto query = filter.query(next);
        if (!filter.tail()) query.max_lines = page_lines;
        CICD_TRY(const auto entries, daemon.job_log(job, query));
        for (const auto& entry : entries) take(entry);
        if (entries.empty()) return next;
        next = entries.back().line + 1;
        if (filter.tail()) return next;
    }
}

// One way for both: how a line is put, and what may not reach a terminal.
class LinePrinter {
public:
    LinePrinter(const Session& session, const LogFilter& filter, render::RunProgress* progress)
        : session_(session),
          filter_(filter),
          progress_(progress),
          lines_(session.console().paint(), session.console().out_is_terminal()) {}

    std::string text(const contract::LogEntry& entry) {
        if (session_.structured()) return codec::to_json(codec::encode(entry)) + "\n";
        if (progress_ && !filter_.raw()) {
            auto line = lines_.add(*progress_, entry);
            return line.empty() ? line : stamp(entry) + line;
        }
        const auto before = line_open_ ? std::string() : stamp(entry);
        line_open_ = entry.partial;
        return before + bytes(entry.text) + (entry.partial ? "" : "\n");
    }
    std::string rest() { return progress_ ? lines_.rest(*progress_) : std::string(); }

private:
    [[nodiscard]] std::string stamp(const contract::LogEntry& entry) const {
        return filter_.timestamps() ? format_time(entry.time) + " " : std::string();
    }
    // A terminal that wants no colour gets none; a pipe gets the bytes as they were.
    [[nodiscard]] std::string bytes(const std::string& text) const {
        const auto& console = session_.console();
        const auto plain = console.out_is_terminal() && !console.paint().on && !filter_.raw();
        return plain ? render::without_escapes(text) : text;
    }

    const Session& session_;
    const LogFilter& filter_;
    render::RunProgress* progress_;
    render::LogLines lines_;
    bool line_open_ = false;
};

}  // namespace

Result<ExitCode> show_job_log(Session& session, const std::string& id, const Arguments& arguments) {
    CICD_TRY(const auto filter, LogFilter::from(arguments));
    CICD_TRY(auto* daemon, session.daemon());
    Printer printer(session, filter.tail());
    LinePrinter lines(session, filter, nullptr);
    if (!arguments.has("--follow")) {
        bool any = false;
        CICD_CHECK(read_all(*daemon, id, filter, [&](const auto& entry) { any = true, printer.add(lines.text(entry)); }));
        // A job that did not run has no log, but there may be one elsewhere.
        if (any) return ExitCode::success;
        if (const auto job = daemon->show_job(id); job && job->inputs && !job->inputs->from.empty())
            session.note(job->inputs->decision + "; its log: cicdctl logs " + job->inputs->from.str());
        return ExitCode::success;
    }
    // What there is and what comes are one stream, filtered by the daemon.
    printer.go_live();
    client::StreamHandler handler;
    handler.on_log = [&](const contract::LogEntry& entry) { return printer.add(lines.text(entry)), true; };
    handler.on_pause = [&] { printer.flush(); };
    CICD_CHECK(daemon->follow_log(id, filter.query(0), handler));
    return ExitCode::success;
}

Result<ExitCode> show_run_log(Session& session, const std::string& id, const Arguments& arguments) {
    CICD_TRY(const auto filter, LogFilter::from(arguments));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto run, daemon->show_run(id));
    render::RunProgress progress(std::move(run));
    Printer printer(session, filter.tail());
    LinePrinter lines(session, filter, &progress);
    const auto take = [&](const contract::LogEntry& entry) {
        if (auto line = lines.text(entry); !line.empty()) printer.add(std::move(line));
    };
    if (arguments.has("--follow") && !is_final(progress.run().state)) {
        printer.go_live();
        client::StreamHandler handler;
        handler.on_event = [&](const model::RunEvent& event) { return progress.apply(event), true; };
        handler.on_log = [&](const contract::LogEntry& entry) {
            if (filter.wants(progress.find_job(entry.job), entry)) take(entry);
            return true;
        };
        handler.on_pause = [&] { printer.flush(); };
        CICD_CHECK(daemon->follow_run(id, 0, handler));
    } else {
        for (const auto& job : progress.run().jobs) {
            if (!job.start_time) continue;
            const auto read = read_all(*daemon, job.id.str(), filter, take);
            // A step that only other jobs have.
            const bool absent = !read && !filter.query(0).step.empty() && read.error().kind == ErrorKind::not_found;
            if (!read && !absent) return read.error();
        }
    }
    printer.add(lines.rest());
    return ExitCode::success;
}

}  // namespace cicd::cli
