#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
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

/// `<attempt>-<line>` as our streams number log lines.
Result<void> resume_after(const std::string& id, LogStreamRequest& what) {
    if (id.empty()) return {};
    const auto dash = id.find('-');
    Request parts;
    parts.query = {{"attempt", id.substr(0, dash)}, {"line", dash == std::string::npos ? "" : id.substr(dash + 1)}};
    CICD_TRY(const auto attempt, query_number(parts, "attempt", 1, 1, 1'000'000));
    CICD_TRY(const auto line, query_number(parts, "line", -1, 0, std::numeric_limits<std::int64_t>::max() - 1));
    what.from_attempt = static_cast<int>(attempt);
    what.selection.query.first_line = static_cast<std::uint64_t>(line + 1);
    what.resumed = true;
    return {};
}

/// A stream of the log: events, or text where that is asked for.
Answer follow_log(Services& services, const Request& request, model::JobRun job, LogSelection selection) {
    LogStreamRequest what;
    CICD_TRY(const auto from_attempt, query_number(request, "fromAttempt", 0, 0, 1'000'000));
    what.from_attempt = from_attempt > 0 ? static_cast<int>(from_attempt) : std::max(1, job.attempt);
    CICD_TRY(what.join, query_flag(request, "join", false));
    what.selection = std::move(selection);
    what.job = std::move(job);
    if (wants_text(request)) return text_stream(services, request, std::move(what));
    const auto after = request.query_value("after");
    CICD_CHECK(resume_after(after.empty() ? request.last_event_id : after, what));
    return event_stream([&services, what](BodyStream& out) { return stream_job_log(services, what, out); });
}

async::Task<Answer> page_of_log(Services& services, model::JobRun job, LogSelection selection) {
    const int attempt = selection.query.attempt > 0 ? selection.query.attempt : std::max(1, job.attempt);
    const auto most = selection.query.max_lines > 0 ? static_cast<std::uint64_t>(selection.query.max_lines) : 1000;
    const auto directory = services.runs.job_directory(job.id, attempt);
    const auto read = [directory, job, attempt, selection, most]() -> Result<LogPage> {
        job::LogReader reader(job::Paths{directory});
        CICD_TRY(const auto first, first_line_of(reader, selection));
        return read_log_page(reader, selection, job, attempt, first, most);
    };
    const auto page = co_await async::offload(services.pool, read);
    if (!page) co_return page.error();
    Response response;
    response.body = "{\"data\":[" + page->json + "],\"attempt\":" + std::to_string(attempt) +
                    ",\"next\":" + std::to_string(page->next) + ",\"lineCount\":" + std::to_string(page->line_count) +
                    ",\"hasNext\":" + (page->has_next ? "true}" : "false}");
    co_return response;
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
    const auto query = read_log_query(request);
    if (!query) co_return query.error();
    const auto follow = query_flag(request, "follow", false);
    if (!follow) co_return follow.error();
    const auto job = co_await find_job(services, id_of(request));
    if (!job) co_return job.error();
    const auto selection = select(*query, *job);
    if (!selection) co_return selection.error();
    if (*follow || request.accepts("text/event-stream")) co_return follow_log(services, request, *job, *selection);
    if (!wants_text(request)) {
        auto page = co_await page_of_log(services, *job, *selection);
        co_return page;
    }
    const auto whole = [&services, request, one = *job, wanted = *selection] {
        return text_of_log(services, request, one, wanted);
    };
    auto response = co_await async::offload(services.pool, whole);
    co_return response;
}

async::Task<Answer> stream_job_logs(Services& services, Request request) {
    const auto query = read_log_query(request);
    if (!query) co_return query.error();
    const auto job = co_await find_job(services, id_of(request));
    if (!job) co_return job.error();
    const auto selection = select(*query, *job);
    if (!selection) co_return selection.error();
    co_return follow_log(services, request, *job, *selection);
}

async::Task<Answer> cancel_job(Services& services, Request request) {
    const auto asked = read_body<contract::Cancel>(request);
    if (!asked) co_return asked.error();
    const auto job = co_await services.runs.cancel_job(JobId(id_of(request)), *asked);
    co_return answer(job, 202);
}

async::Task<Answer> restart_job(Services& services, Request request) {
    const auto run = co_await services.runs.restart_job(JobId(id_of(request)), request.user, request.idempotency_key);
    if (!run) co_return run.error();
    auto response = json_response(codec::encode(*run), 202);
    response.headers.emplace_back("Location", contract::path_of(contract::route::show_run, {run->id.str()}));
    co_return response;
}

}  // namespace cicd::api
