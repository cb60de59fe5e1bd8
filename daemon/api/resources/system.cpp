#include "common/contract/errors.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/api/metrics.hpp"
#include "daemon/api/openapi.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"

namespace cicd::api {
namespace {

/// A stored pipeline stands for its repository, file and definition, where the request does not name others.
Result<void> stand_for(Services& services, contract::StartRun& start) {
    CICD_TRY(const auto record, services.store.pipeline(start.pipeline));
    if (start.repository.empty()) start.repository = record.repository;
    if (start.file.empty()) start.file = record.file;
    if (start.definition.empty()) start.definition = record.definition;
    return {};
}

}  // namespace

async::Task<Answer> get_health(Services&, Request) { co_return json_response(Object{{"status", "ok"}}); }

async::Task<Answer> get_readiness(Services& services, Request) {
    if (services.is_ready()) co_return json_response(Object{{"status", "ready"}});
    co_return unavailable(std::string(contract::code::stopping), "the daemon is starting or stopping",
                          "try again in a moment");
}

async::Task<Answer> get_version(Services&, Request) {
    co_return json_response(Object{{"version", CICD_VERSION}, {"api", "v1"}});
}

async::Task<Answer> get_status(Services& services, Request) {
    co_return json_response(codec::encode(services.runs.status()));
}

async::Task<Answer> get_openapi(Services& services, Request) {
    static std::string cached;
    if (cached.empty()) {
        const auto read = [] { return pipeline::parse_yaml(openapi_yaml(), "openapi.yaml"); };
        const auto parsed = co_await async::offload(services.pool, read);
        if (!parsed.ok()) co_return pipeline::as_error(parsed.problems);
        cached = codec::to_json(parsed.value);
    }
    co_return text_response(cached, "application/json");
}

async::Task<Answer> get_metrics(Services& services, Request) {
    auto text = services.metrics->text(services);
    const auto ask = [folder = services.runs.status().state_directory] { return system_metrics(folder); };
    const auto system = co_await async::offload(services.pool, ask);
    co_return text_response(text + system, "text/plain; version=0.0.4; charset=utf-8");
}

async::Task<Answer> plan_run(Services& services, Request request) {
    const auto asked = read_body<contract::StartRun>(request);
    if (!asked) co_return asked.error();
    const auto prepare = [&services, start = *asked]() mutable -> Result<planner::Prepared> {
        if (!start.pipeline.empty()) CICD_CHECK(stand_for(services, start));
        return planner::prepare(services.sources, start, services.prepare);
    };
    const auto prepared = co_await async::offload(services.pool, prepare);
    if (!prepared) co_return prepared.error();
    co_return json_response(codec::encode(prepared->plan));
}

}  // namespace cicd::api
