#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/definitions.hpp"
#include "daemon/api/resources/handlers.hpp"

namespace cicd::api {
namespace {

Answer saved(const Result<model::PipelineRecord>& record, int status) {
    if (!record) return record.error();
    auto response = json_response(codec::encode(*record), status);
    if (status == 201)
        response.headers.emplace_back("Location",
                                      contract::path_of(contract::route::show_pipeline, {record->id.str()}));
    return response;
}

Value as_value(const store::PipelineVersion& version) {
    return Object{{"version", version.version},
                  {"definition", version.definition},
                  {"createdBy", version.created_by},
                  {"createdTime", format_time(version.created_time)}};
}

/// A raw YAML body (by its Content-Type) or one wrapped in JSON.
bool is_yaml(const Request& request) { return request.content_type.find("yaml") != std::string::npos; }

Result<contract::SavePipeline> read_definition(const Request& request) {
    contract::SavePipeline save;
    if (is_yaml(request)) {
        save.definition = request.body;
        return save;
    }
    CICD_TRY(const auto body, json_body(request));
    if (body["definition"].is_null() && body["yaml_config"].is_null()) {
        save.definition_value = body;
        return save;
    }
    return codec::decode<contract::SavePipeline>(body);
}

Answer validation(const Request& request) {
    CICD_TRY(const auto save, read_definition(request));
    const auto file = save.file.empty() ? std::string("pipeline.yaml") : save.file;
    const auto parsed = save.definition_value.is_null() ? pipeline::parse_pipeline(save.definition, file)
                                                        : pipeline::parse_pipeline(save.definition_value, file);
    Array problems;
    for (const auto& problem : parsed.problems) problems.push_back(codec::encode(problem));
    return json_response(Object{{"valid", parsed.ok()}, {"problems", std::move(problems)}});
}

}  // namespace

async::Task<Answer> list_pipelines(Services& services, Request request) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    const auto read = [&services, wanted = *page] { return services.store.pipelines(wanted.page, wanted.page_size); };
    const auto pipelines = co_await async::offload(services.pool, read);
    co_return answer(pipelines);
}

async::Task<Answer> create_pipeline(Services& services, Request request) {
    const auto asked = is_yaml(request) ? read_definition(request) : read_body<contract::SavePipeline>(request);
    if (!asked) co_return asked.error();
    const auto save = [&services, wanted = *asked, user = request.user] { return save_new(services, wanted, user); };
    const auto record = co_await async::offload(services.pool, save);
    co_return saved(record, 201);
}

async::Task<Answer> validate_pipeline(Services& services, Request request) {
    const auto check = [request] { return validation(request); };
    auto result = co_await async::offload(services.pool, check);
    co_return result;
}

async::Task<Answer> get_pipeline(Services& services, Request request) {
    const auto read = [&services, id = id_of(request)] { return services.store.pipeline(id); };
    const auto record = co_await async::offload(services.pool, read);
    co_return answer(record);
}

async::Task<Answer> update_pipeline(Services& services, Request request) {
    const auto asked = is_yaml(request) ? read_definition(request) : read_body<contract::SavePipeline>(request);
    if (!asked) co_return asked.error();
    const auto save = [&services, wanted = *asked, id = id_of(request)] { return save_changed(services, id, wanted); };
    const auto record = co_await async::offload(services.pool, save);
    co_return saved(record, 200);
}

async::Task<Answer> delete_pipeline(Services& services, Request request) {
    const auto remove = [&services, id = id_of(request)]() -> Result<void> {
        CICD_TRY(const auto record, services.store.pipeline(id));
        return services.store.remove_pipeline(record.id);
    };
    const auto removed = co_await async::offload(services.pool, remove);
    if (!removed) co_return removed.error();
    Response response;
    response.status = 204;
    response.content_type.clear();
    co_return response;
}

async::Task<Answer> set_pipeline_status(Services& services, Request request) {
    const auto body = json_body(request);
    if (!body) co_return body.error();
    const auto& text = (*body)["status"];
    const auto state = text.is_string() ? from_text<model::PipelineState>(text.as_string()) : std::nullopt;
    if (!state)
        co_return invalid(std::string(contract::code::bad_request), "'status' is missing or unknown",
                          "there are: " + all_texts<model::PipelineState>());
    const auto save = [&services, wanted = *state, id = id_of(request)]() -> Result<model::PipelineRecord> {
        CICD_TRY(auto record, services.store.pipeline(id));
        CICD_TRY(record.state, model::transition(record.state, wanted));
        record.updated_time = SystemClock().now();
        CICD_CHECK(services.store.update_pipeline(record));
        return services.store.pipeline(record.id.str());
    };
    const auto record = co_await async::offload(services.pool, save);
    co_return saved(record, 200);
}

async::Task<Answer> list_pipeline_versions(Services& services, Request request) {
    const auto read = [&services, id = id_of(request)]() -> Result<std::vector<store::PipelineVersion>> {
        CICD_TRY(const auto record, services.store.pipeline(id));
        return services.store.pipeline_versions(record.id);
    };
    const auto versions = co_await async::offload(services.pool, read);
    if (!versions) co_return versions.error();
    Array data;
    for (const auto& version : *versions) data.push_back(as_value(version));
    co_return json_response(Object{{"data", std::move(data)}});
}

async::Task<Answer> get_pipeline_config(Services& services, Request request) {
    const auto read = [&services, id = id_of(request)]() -> Result<std::string> {
        CICD_TRY(const auto record, services.store.pipeline(id));
        return definition_text(services, record);
    };
    const auto text = co_await async::offload(services.pool, read);
    if (!text) co_return text.error();
    if (request.accepts("yaml") || request.accepts("text/plain")) co_return text_response(*text, "application/yaml");
    co_return json_response(Object{{"definition", *text}, {"format", "yaml"}});
}

async::Task<Answer> update_pipeline_config(Services& services, Request request) {
    const auto asked = read_definition(request);
    if (!asked) co_return asked.error();
    const auto save = [&services, wanted = *asked, id = id_of(request)] { return save_changed(services, id, wanted); };
    const auto record = co_await async::offload(services.pool, save);
    co_return saved(record, 200);
}

}  // namespace cicd::api
