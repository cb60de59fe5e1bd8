#include "common/client/client.hpp"

#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"

namespace cicd::client {

namespace route = contract::route;
using contract::path_of;
using contract::query_text;

namespace {

Result<model::PipelineRecord> as_pipeline(const Result<Value>& value) {
    if (!value) return value.error();
    return codec::decode<model::PipelineRecord>(*value);
}

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string{}; }

Result<PipelineVersion> as_version(const Value& value) {
    if (!value["version"].is_number()) return internal_error("the daemon's answer holds no version");
    PipelineVersion version{static_cast<int>(value["version"].as_number()), text_of(value["definition"]),
                            text_of(value["createdBy"]), {}};
    CICD_TRY(version.created_time, parse_time(text_of(value["createdTime"])));
    return version;
}

}  // namespace

Result<contract::Page<model::PipelineRecord>> Client::list_pipelines(int page, int page_size) {
    const auto query = query_text({{"page", std::to_string(page)}, {"pageSize", std::to_string(page_size)}});
    CICD_TRY(const auto value, call("GET", path_of(route::list_pipelines) + query));
    return codec::decode<contract::Page<model::PipelineRecord>>(value);
}

Result<model::PipelineRecord> Client::show_pipeline(const std::string& id_or_name) {
    return as_pipeline(call("GET", path_of(route::show_pipeline, {id_or_name})));
}

Result<model::PipelineRecord> Client::create_pipeline(const contract::SavePipeline& request) {
    return as_pipeline(call("POST", path_of(route::create_pipeline), codec::encode(request)));
}

Result<model::PipelineRecord> Client::update_pipeline(const std::string& id_or_name,
                                                      const contract::SavePipeline& request) {
    return as_pipeline(call("PUT", path_of(route::update_pipeline, {id_or_name}), codec::encode(request)));
}

Result<void> Client::remove_pipeline(const std::string& id_or_name) {
    CICD_CHECK(call("DELETE", path_of(route::remove_pipeline, {id_or_name})));
    return {};
}

Result<model::PipelineRecord> Client::set_pipeline_state(const std::string& id_or_name, model::PipelineState state) {
    return as_pipeline(call("PATCH", path_of(route::set_pipeline_state, {id_or_name}),
                            Object{{"status", std::string(to_text(state))}}));
}

Result<Validation> Client::validate_pipeline(const std::string& definition, const std::string& file) {
    CICD_TRY(const auto answer, call("POST", path_of(route::validate_pipeline),
                                     Object{{"definition", definition}, {"file", file}}));
    Validation validation;
    validation.valid = answer["valid"].is_bool() && answer["valid"].as_bool();
    if (!answer["problems"].is_array()) return validation;
    for (const auto& problem : answer["problems"].as_array()) {
        CICD_TRY(auto diagnostic, codec::decode<Diagnostic>(problem));
        validation.problems.push_back(std::move(diagnostic));
    }
    return validation;
}

Result<std::vector<PipelineVersion>> Client::pipeline_versions(const std::string& id_or_name) {
    CICD_TRY(const auto answer, call("GET", path_of(route::pipeline_versions, {id_or_name})));
    std::vector<PipelineVersion> versions;
    if (!answer["data"].is_array()) return internal_error("the daemon's answer holds no versions");
    for (const auto& value : answer["data"].as_array()) {
        CICD_TRY(auto version, as_version(value));
        versions.push_back(std::move(version));
    }
    return versions;
}

Result<Value> Client::pipeline_stages(const std::string& id_or_name) {
    return call("GET", path_of(route::pipeline_stages, {id_or_name}));
}

Result<Value> Client::pipeline_triggers(const std::string& id_or_name) {
    return call("GET", path_of(route::pipeline_triggers, {id_or_name}));
}

Result<std::string> Client::pipeline_definition(const std::string& id_or_name) {
    CICD_TRY(auto response, get_text(path_of(route::pipeline_config, {id_or_name})));
    return std::move(response.body);
}

}  // namespace cicd::client
