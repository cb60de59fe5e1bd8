#include "common/contract/errors.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/definitions.hpp"
#include "daemon/api/resources/handlers.hpp"

#include <functional>

// Stages and triggers of a stored definition. A change gives a new version, checked as a whole.
namespace cicd::api {
namespace {

Result<Value> part_of(Services& services, const std::string& id, std::string_view key) {
    CICD_TRY(const auto record, services.store.pipeline(id));
    CICD_TRY(const auto pipeline, definition_model(services, record));
    const auto definition = pipeline::export_value(pipeline);
    const auto& part = definition[key];
    return Value(Object{{"data", part.is_array() ? part : Value(Array{})}});
}

using Change = std::function<Result<Array>(Array stages)>;

Result<Value> change_stages(Services& services, const std::string& id, const Change& change) {
    CICD_TRY(const auto record, services.store.pipeline(id));
    CICD_TRY(const auto pipeline, definition_model(services, record));
    Object definition = pipeline::export_value(pipeline).as_object();
    const auto* stages = definition.find("stages");
    CICD_TRY(auto changed, change(stages && stages->is_array() ? stages->as_array() : Array{}));
    definition.set("stages", std::move(changed));
    contract::SavePipeline save;
    save.definition_value = Value(std::move(definition));
    CICD_CHECK(save_changed(services, id, save));
    return part_of(services, id, "stages");
}

async::Task<Answer> changed(Services& services, std::string id, Change change, int status) {
    const auto work = [&services, id, change] { return change_stages(services, id, change); };
    const auto stages = co_await async::offload(services.pool, work);
    if (!stages) co_return stages.error();
    co_return json_response(*stages, status);
}

async::Task<Answer> part(Services& services, std::string id, std::string key) {
    const auto work = [&services, id, key] { return part_of(services, id, key); };
    const auto found = co_await async::offload(services.pool, work);
    if (!found) co_return found.error();
    co_return json_response(*found);
}

bool is_named(const Value& stage, const std::string& name) {
    return stage["name"].is_string() && stage["name"].as_string() == name;
}

}  // namespace

async::Task<Answer> list_pipeline_stages(Services& services, Request request) {
    return part(services, id_of(request), "stages");
}

async::Task<Answer> list_pipeline_triggers(Services& services, Request request) {
    return part(services, id_of(request), "triggers");
}

async::Task<Answer> update_pipeline_stages(Services& services, Request request) {
    const auto body = json_body(request);
    if (!body) co_return body.error();
    const auto& list = body->is_array() ? *body : (*body)["stages"];
    if (!list.is_array())
        co_return invalid(std::string(contract::code::bad_request), "the body holds no list of stages",
                          "give the list itself, or {\"stages\": [...]}");
    const Change change = [stages = list.as_array()](Array) -> Result<Array> { return stages; };
    auto result = co_await changed(services, id_of(request), change, 200);
    co_return result;
}

async::Task<Answer> add_pipeline_stage(Services& services, Request request) {
    const auto body = json_body(request);
    if (!body) co_return body.error();
    const Change change = [stage = *body](Array stages) -> Result<Array> {
        stages.push_back(stage);
        return stages;
    };
    auto result = co_await changed(services, id_of(request), change, 201);
    co_return result;
}

async::Task<Answer> delete_pipeline_stage(Services& services, Request request) {
    const Change change = [name = request.parameter("stageId")](Array stages) -> Result<Array> {
        if (std::erase_if(stages, [&](const Value& stage) { return is_named(stage, name); }) == 0)
            return not_found("PIPELINE_007", "the pipeline has no stage '" + name + "'");
        return stages;
    };
    auto result = co_await changed(services, id_of(request), change, 200);
    co_return result;
}

}  // namespace cicd::api
