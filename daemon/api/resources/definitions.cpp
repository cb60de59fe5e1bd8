#include "daemon/api/resources/definitions.hpp"

#include "common/contract/errors.hpp"
#include "common/pipeline/parse.hpp"

namespace cicd::api {
namespace {

constexpr std::string_view default_file = ".cicd.yaml";

Result<std::string> read_from_repository(Services& services, const model::PipelineRecord& record) {
    CICD_TRY(const auto source, services.sources.resolve(record.repository, {}));
    return services.sources.read_file(source, record.file.empty() ? std::string(default_file) : record.file);
}

Result<model::Pipeline> checked(const std::string& text, const std::string& file) {
    auto parsed = pipeline::parse_pipeline(text, file);
    if (!parsed.ok()) return pipeline::as_error(parsed.problems);
    return std::move(parsed.value);
}

}  // namespace

Result<std::string> definition_text(Services& services, const model::PipelineRecord& record) {
    if (!record.definition.empty()) return record.definition;
    return read_from_repository(services, record);
}

Result<model::Pipeline> definition_model(Services& services, const model::PipelineRecord& record) {
    CICD_TRY(const auto text, definition_text(services, record));
    return checked(text, record.file.empty() ? record.name : record.file);
}

Result<model::PipelineRecord> changed_record(Services& services, model::PipelineRecord record,
                                             const contract::SavePipeline& request) {
    const SystemClock clock;
    if (!request.repository.empty()) record.repository = request.repository;
    if (!request.file.empty()) record.file = request.file;
    if (!request.definition_value.is_null())
        record.definition = pipeline::to_yaml(request.definition_value);
    else if (!request.definition.empty())
        record.definition = request.definition;
    if (record.definition.empty() && record.repository.empty())
        return invalid(std::string(contract::code::bad_request), "a pipeline needs a 'definition' or a 'repository'",
                       "give the YAML text as 'definition', or the path or URL of a repository that holds it");
    CICD_TRY(const auto pipeline, definition_model(services, record));
    if (!request.name.empty()) record.name = request.name;
    if (record.name.empty()) record.name = pipeline.name;
    if (record.name.empty())
        return invalid(std::string(contract::code::invalid_pipeline), "the pipeline has no name",
                       "give 'name' in the request or in the definition");
    record.description = !request.description.empty() ? request.description
                         : record.description.empty() ? pipeline.description
                                                      : record.description;
    if (request.state && *request.state != record.state) {
        CICD_TRY(record.state, model::transition(record.state, *request.state));
    }
    record.updated_time = clock.now();
    return record;
}

Result<model::PipelineRecord> save_new(Services& services, const contract::SavePipeline& request, std::string user) {
    model::PipelineRecord record;
    auto wanted = request;
    if (wanted.state == model::PipelineState::draft) record.state = model::PipelineState::draft;
    CICD_TRY(record, changed_record(services, std::move(record), wanted));
    record.id = services.store.next_pipeline_id();
    record.created_by = std::move(user);
    record.created_time = record.updated_time;
    CICD_CHECK(services.store.create_pipeline(record));
    return services.store.pipeline(record.id.str());
}

Result<model::PipelineRecord> save_changed(Services& services, const std::string& id_or_name,
                                           const contract::SavePipeline& request) {
    CICD_TRY(auto record, services.store.pipeline(id_or_name));
    CICD_TRY(record, changed_record(services, std::move(record), request));
    CICD_CHECK(services.store.update_pipeline(record));
    return services.store.pipeline(record.id.str());
}

}  // namespace cicd::api
