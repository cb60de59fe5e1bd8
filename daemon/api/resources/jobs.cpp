#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
#include "daemon/api/log_follower.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/api/resources/logs.hpp"
#include "daemon/api/sse.hpp"

#include <limits>

namespace cicd::api {
namespace {

async::Task<Result<model::JobRun>> find_job(Services& services, std::string id) {
    const auto read = [&services, job = JobId(std::move(id))] { return services.store.job(job); };
    auto job = co_await async::offload(services.pool, read);
    co_return job;
}

struct LogWindow {
    std::uint64_t from = 0, limit = 1000;
    int attempt = 0;
};

Result<LogWindow> read_window(const Request& request) {
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    CICD_TRY(const auto from, query_number(request, "from", 0, 0, largest));
    CICD_TRY(const auto limit, query_number(request, "limit", 1000, 1, 100'000));
    CICD_TRY(const auto attempt, query_number(request, "attempt", 0, 0, 1'000'000));
    return LogWindow{static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(limit), static_cast<int>(attempt)};
}

Result<Value> lines_of(const std::filesystem::path& directory, const model::JobRun& job, int attempt,
                       LogWindow window) {
    job::LogReader reader(job::Paths{directory});
    CICD_TRY(const auto count, reader.line_count());
    CICD_TRY(const auto lines, reader.read(window.from, window.limit, 8 << 20));
    Array data;
    for (const auto& line : lines) data.push_back(codec::encode(as_entry(job.id, job.key, attempt, line)));
    const auto next = window.from + data.size();
    return Value(Object{{"data", std::move(data)},
                        {"attempt", attempt},
                        {"next", static_cast<double>(next)},
                        {"lineCount", static_cast<double>(count)}});
}

/// `<attempt>-<line>` as our streams number log lines.
Result<void> resume_after(const std::string& id, LogStreamRequest& what) {
    if (id.empty()) return {};
    const auto dash = id.find('-');
    Request parts;
    parts.query = {{"attempt", id.substr(0, dash)}, {"line", dash == std::string::npos ? "" : id.substr(dash + 1)}};
    CICD_TRY(const auto attempt, query_number(parts, "attempt", 1, 1, 1'000'000));
    CICD_TRY(const auto line, query_number(parts, "line", -1, 0, std::numeric_limits<std::int64_t>::max() - 1));
    what.from_attempt = static_cast<int>(attempt);
    what.first_line = static_cast<std::uint64_t>(line + 1);
    return {};
}

}  // namespace

async::Task<Answer> list_jobs(Services& services, Request request) {
    const auto filter = read_job_filter(request);
    if (!filter) co_return filter.error();
    const auto read = [&services, wanted = *filter] { return services.store.jobs(wanted); };
    const auto page = co_await async::offload(services.pool, read);
    co_return answer(page);
}

async::Task<Answer> get_job(Services& services, Request request) {
    const auto job = co_await find_job(services, id_of(request));
    co_return answer(job);
}

async::Task<Answer> get_job_status(Services& services, Request request) {
    const auto job = co_await find_job(services, id_of(request));
    if (!job) co_return job.error();
    const auto whole = codec::encode(*job);
    Object status;
    for (const auto* key : {"id", "run", "key", "status", "attempt", "startTime", "endTime", "exitCode", "endReason",
                            "message", "duration", "durationMs"})
        if (const auto* member = whole.as_object().find(key)) status.set(key, *member);
    co_return json_response(std::move(status));
}

async::Task<Answer> get_job_logs(Services& services, Request request) {
    const auto window = read_window(request);
    if (!window) co_return window.error();
    auto job = co_await find_job(services, id_of(request));
    if (!job) co_return job.error();
    if (wants_text(request)) {
        std::vector<model::JobRun> one{std::move(*job)};
        co_return text_logs(services, std::move(one), false, window->attempt, window->from);
    }
    const int attempt = window->attempt > 0 ? window->attempt : std::max(1, job->attempt);
    const auto directory = services.runs.job_directory(job->id, attempt);
    const auto read = [directory, one = *job, attempt, wanted = *window] {
        return lines_of(directory, one, attempt, wanted);
    };
    const auto page = co_await async::offload(services.pool, read);
    if (!page) co_return page.error();
    co_return json_response(*page);
}

async::Task<Answer> stream_job_logs(Services& services, Request request) {
    const auto window = read_window(request);
    if (!window) co_return window.error();
    const auto from_attempt = query_number(request, "fromAttempt", 0, 0, 1'000'000);
    if (!from_attempt) co_return from_attempt.error();
    auto job = co_await find_job(services, id_of(request));
    if (!job) co_return job.error();
    LogStreamRequest what;
    what.attempt = window->attempt;
    what.first_line = window->from;
    what.from_attempt = *from_attempt > 0 ? static_cast<int>(*from_attempt) : std::max(1, job->attempt);
    const auto resumed = resume_after(request.last_event_id, what);
    if (!resumed) co_return resumed.error();
    what.job = std::move(*job);
    co_return event_stream([&services, what](BodyStream& out) { return stream_job_log(services, what, out); });
}

async::Task<Answer> cancel_job(Services& services, Request request) {
    const auto asked = read_body<contract::Cancel>(request);
    if (!asked) co_return asked.error();
    const auto job = co_await services.runs.cancel_job(JobId(id_of(request)), asked->reason);
    co_return answer(job, 202);
}

async::Task<Answer> restart_job(Services& services, Request request) {
    const auto run = co_await services.runs.restart_job(JobId(id_of(request)), request.user);
    if (!run) co_return run.error();
    auto response = json_response(codec::encode(*run), 202);
    response.headers.emplace_back("Location", contract::path_of(contract::route::show_run, {run->id.str()}));
    co_return response;
}

}  // namespace cicd::api
