#include "common/base/text.hpp"
#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/api/resources/logs.hpp"
#include "daemon/api/sse.hpp"

#include <charconv>

namespace cicd::api {
namespace {

Result<Response> accepted(const Result<model::Run>& run) {
    if (!run) return run.error();
    auto response = json_response(codec::encode(*run), 202);
    response.headers.emplace_back("Location", contract::path_of(contract::route::show_run, {run->id.str()}));
    return response;
}

Answer page_of_runs(const Result<contract::Page<model::Run>>& page) { return answer(page); }

/// Where to go on: `?after=`, else what the client says it has seen last.
Result<StreamPosition> read_after(const Request& request) {
    const auto after = request.query_value("after");
    if (after.empty() && request.last_event_id.empty()) return StreamPosition{};
    return read_position(after.empty() ? request.last_event_id : after);
}

Response stream_of(Services& services, RunStream what) {
    return event_stream([&services, what](BodyStream& out) { return stream_run(services, what, out); });
}

}  // namespace

async::Task<Answer> list_runs(Services& services, Request request) {
    const auto filter = read_run_filter(request);
    if (!filter) co_return filter.error();
    const auto read = [&services, wanted = *filter] { return services.store.runs(wanted); };
    const auto page = co_await async::offload(services.pool, read);
    co_return page_of_runs(page);
}

async::Task<Answer> list_pipeline_runs(Services& services, Request request) {
    auto filter = read_run_filter(request);
    if (!filter) co_return filter.error();
    const auto find = [&services, id = id_of(request)] { return services.store.pipeline(id); };
    const auto pipeline = co_await async::offload(services.pool, find);
    if (!pipeline) co_return pipeline.error();
    filter->pipeline = pipeline->id.str();
    const auto read = [&services, wanted = *filter] { return services.store.runs(wanted); };
    const auto page = co_await async::offload(services.pool, read);
    co_return page_of_runs(page);
}

async::Task<Answer> start_run(Services& services, Request request) {
    auto asked = read_body<contract::StartRun>(request);
    if (!asked) co_return asked.error();
    const auto run = co_await services.runs.start(std::move(*asked), request.user, request.idempotency_key);
    co_return accepted(run);
}

async::Task<Answer> run_pipeline(Services& services, Request request) {
    auto body = json_body(request);
    if (!body) co_return body.error();
    // `parameters` is what some clients call `params`.
    if (body->is_object() && body->as_object().contains("parameters")) {
        Object renamed = body->as_object();
        const auto parameters = *renamed.find("parameters");
        renamed.erase("parameters");
        renamed.set("params", parameters);
        body = Value(std::move(renamed));
    }
    auto asked = codec::decode<contract::StartRun>(*body);
    if (!asked) co_return asked.error();
    asked->pipeline = id_of(request);
    const auto run = co_await services.runs.start(std::move(*asked), request.user, request.idempotency_key);
    co_return accepted(run);
}

async::Task<Answer> get_run(Services& services, Request request) {
    const auto read = [&services, id = RunId(id_of(request))] { return services.store.run(id); };
    const auto run = co_await async::offload(services.pool, read);
    co_return answer(run);
}

async::Task<Answer> get_run_plan(Services& services, Request request) {
    const auto read = [&services, id = RunId(id_of(request))] { return services.store.plan(id); };
    const auto plan = co_await async::offload(services.pool, read);
    co_return answer(plan);
}

async::Task<Answer> get_run_definition(Services& services, Request request) {
    const auto read = [&services, id = RunId(id_of(request))] { return services.store.definition(id); };
    const auto definition = co_await async::offload(services.pool, read);
    if (!definition) co_return definition.error();
    co_return text_response(*definition, "application/yaml");
}

async::Task<Answer> cancel_run(Services& services, Request request) {
    const auto asked = read_body<contract::Cancel>(request);
    if (!asked) co_return asked.error();
    const auto run = co_await services.runs.cancel(RunId(id_of(request)), *asked);
    co_return answer(run, 202);
}

async::Task<Answer> retry_run(Services& services, Request request) {
    const auto asked = read_body<contract::RetryRun>(request);
    if (!asked) co_return asked.error();
    const auto run = co_await services.runs.retry(RunId(id_of(request)), *asked, request.user, request.idempotency_key);
    co_return accepted(run);
}

async::Task<Answer> get_run_logs(Services& services, Request request) {
    const auto follow = query_flag(request, "follow", false);
    if (!follow) co_return follow.error();
    const auto read = [&services, id = RunId(id_of(request))] { return services.store.run(id); };
    auto run = co_await async::offload(services.pool, read);
    if (!run) co_return run.error();
    const auto join = query_flag(request, "join", false);
    if (!join) co_return join.error();
    const auto after = read_after(request);
    if (!after) co_return after.error();
    const auto stage = request.query_value("stage");
    if (*follow || request.accepts("text/event-stream")) co_return stream_of(services, RunStream{run->id, *after, true, *join, stage});
    if (!stage.empty()) std::erase_if(run->jobs, [&](const auto& job) { return job.stage != stage; });
    auto plain = request;
    std::erase_if(plain.query, [](const auto& entry) { return entry.first == "cursor"; });
    const auto query = read_log_query(plain);
    if (!query) co_return query.error();
    if (wants_text(request)) {
        if (!query->grep.empty()) {
            const auto pattern = LinePattern::compile(query->grep);
            if (!pattern) co_return pattern.error();
        }
        co_return text_logs(services, std::move(run->jobs), *query);
    }
    const auto collect = [&services, jobs = std::move(run->jobs), wanted = *query, cursor = request.query_value("cursor")] {
        return page_of_logs(services, jobs, wanted, cursor);
    };
    auto page = co_await async::offload(services.pool, collect);
    co_return page;
}

async::Task<Answer> get_run_events(Services& services, Request request) {
    const auto after = read_after(request);
    if (!after) co_return after.error();
    const auto logs = query_flag(request, "logs", false);
    if (!logs) co_return logs.error();
    const auto join = query_flag(request, "join", false);
    if (!join) co_return join.error();
    const auto limit = query_number(request, "limit", 1000, 1, 10'000);
    if (!limit) co_return limit.error();
    const RunId id(id_of(request));
    const auto find = [&services, id] { return services.store.run(id); };
    const auto run = co_await async::offload(services.pool, find);
    if (!run) co_return run.error();
    if (request.accepts("text/event-stream"))
        co_return stream_of(services, RunStream{id, *after, *logs, *join, request.query_value("stage")});
    const auto read = [&services, id, from = after->seq, most = static_cast<int>(*limit)] {
        return services.store.events(id, from, most);
    };
    const auto events = co_await async::offload(services.pool, read);
    if (!events) co_return events.error();
    Array data;
    for (const auto& event : *events) data.push_back(codec::encode(event));
    const auto next = events->empty() ? after->seq : events->back().seq;
    co_return json_response(Object{{"data", std::move(data)}, {"next", static_cast<double>(next)}});
}

}  // namespace cicd::api
