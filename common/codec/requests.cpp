#include "common/codec/codecs.hpp"
#include "common/codec/fields.hpp"

namespace cicd::codec {

template <>
struct Fields<contract::StartRun> {
    using T = contract::StartRun;
    static constexpr auto list = std::tuple{
        omitted("pipeline", &T::pipeline), omitted("repository", &T::repository), omitted("file", &T::file),
        omitted("definition", &T::definition), omitted("workingTree", &T::working_tree),
        omitted("commit", &T::commit), omitted("branch", &T::branch), omitted("tag", &T::tag),
        omitted("pullRequest", &T::pull_request), omitted("event", &T::event), omitted("base", &T::base),
        omitted("eventName", &T::event_name), omitted("payload", &T::payload), omitted("env", &T::env),
        omitted("matrix", &T::matrix), omitted("actions", &T::actions), omitted("strict", &T::strict),
        omitted("params", &T::params), omitted("stages", &T::stages), omitted("jobs", &T::jobs),
        omitted("vars", &T::vars), omitted("fromStage", &T::from_stage), omitted("priority", &T::priority),
        omitted("noReuse", &T::no_reuse)};
};

template <>
struct Fields<contract::RetryRun> {
    using T = contract::RetryRun;
    static constexpr auto list = std::tuple{
        shown("failedOnly", &T::failed_only), omitted("fromStage", &T::from_stage), omitted("jobs", &T::jobs)};
};

template <>
struct Fields<contract::Cancel> {
    using T = contract::Cancel;
    static constexpr auto list = std::tuple{shown("reason", &T::reason), omitted("force", &T::force)};
};

template <>
struct Fields<contract::Reschedule> {
    using T = contract::Reschedule;
    static constexpr auto list = std::tuple{omitted("priority", &T::priority), omitted("notBefore", &T::not_before)};
};

template <>
struct Fields<contract::CleanUp> {
    using T = contract::CleanUp;
    static constexpr auto list = std::tuple{shown("dryRun", &T::dry_run)};
};

template <>
struct Fields<contract::Backup> {
    using T = contract::Backup;
    static constexpr auto list =
        std::tuple{required("path", &T::path), shown("overwrite", &T::overwrite), shown("logs", &T::logs)};
};

template <>
struct Fields<contract::ImportImage> {
    using T = contract::ImportImage;
    static constexpr auto list =
        std::tuple{required("name", &T::name), required("path", &T::path), omitted("tag", &T::tag)};
};

template <>
struct Fields<contract::BuildImage> {
    using T = contract::BuildImage;
    static constexpr auto list =
        std::tuple{required("name", &T::name), omitted("packages", &T::packages), omitted("suite", &T::suite),
                   omitted("mirror", &T::mirror), omitted("variant", &T::variant), omitted("trusted", &T::trusted)};
};

namespace {

template <class T>
std::vector<std::string> field_names() {
    return std::apply([](const auto&... field) { return std::vector<std::string>{std::string(field.name)...}; },
                      Fields<T>::list);
}

/// A request without a body means one with every field at its default.
template <class T>
Result<T> read_request(const Value& value) {
    if (value.is_null()) return T{};
    const Path root;
    CICD_TRY(const Object* object, as_object(value, root));
    CICD_CHECK(refuse_unknown(*object, field_names<T>(), root));
    return read_whole<T>(value);
}

/// `{"n": 3, "debug": true}` as texts: numbers and flags as they are written, structures as JSON.
Value with_texts(const Value& members) {
    if (!members.is_object()) return members;
    Object texts;
    for (const auto& [key, member] : members.as_object())
        texts.set(key, member.is_string() ? member : Value(to_json(member)));
    return texts;
}

Object pipeline_request(const contract::SavePipeline& request) {
    Object object;
    const auto put = [&](std::string key, const std::string& text) {
        if (!text.empty()) object.set(std::move(key), text);
    };
    put("name", request.name);
    put("description", request.description);
    if (!request.definition_value.is_null())
        object.set("definition", request.definition_value);
    else
        put("definition", request.definition);
    put("repository", request.repository);
    put("file", request.file);
    if (request.state) object.set("status", write(*request.state));
    return object;
}

}  // namespace

template <>
Value encode(const contract::StartRun& request) {
    return write(request);
}
template <>
Result<contract::StartRun> decode(const Value& value) {
    if (!value.is_object()) return read_request<contract::StartRun>(value);
    Object object = value.as_object();
    for (const char* key : {"params", "vars", "env"})
        if (const Value* members = object.find(key)) object.set(key, with_texts(*members));
    return read_request<contract::StartRun>(object);
}

#define CICD_REQUEST_BY_FIELDS(T)             \
    template <>                               \
    Value encode(const T& request) {          \
        return write(request);                \
    }                                         \
    template <>                               \
    Result<T> decode(const Value& value) {    \
        return read_request<T>(value);        \
    }
CICD_REQUEST_BY_FIELDS(contract::RetryRun)
CICD_REQUEST_BY_FIELDS(contract::Cancel)
CICD_REQUEST_BY_FIELDS(contract::Reschedule)
CICD_REQUEST_BY_FIELDS(contract::CleanUp)
CICD_REQUEST_BY_FIELDS(contract::Backup)
CICD_REQUEST_BY_FIELDS(contract::ImportImage)
CICD_REQUEST_BY_FIELDS(contract::BuildImage)
#undef CICD_REQUEST_BY_FIELDS

template <>
Value encode(const contract::SavePipeline& request) {
    return pipeline_request(request);
}

template <>
Result<contract::SavePipeline> decode(const Value& value) {
    static const std::vector<std::string> known{"name",       "description", "definition", "yaml_config",
                                                "repository", "file",        "status"};
    const Path root;
    CICD_TRY(const Object* object, as_object(value, root));
    CICD_CHECK(refuse_unknown(*object, known, root));
    if (object->contains("definition") && object->contains("yaml_config"))
        return wrong(Path{&root, "yaml_config"}, "is another name of 'definition': give one of them");
    contract::SavePipeline request;
    const auto text = [&](std::string_view key, std::string& out) -> Result<void> {
        const Value* member = object->find(key);
        if (!member || member->is_null()) return {};
        return read(*member, out, Path{&root, key});
    };
    CICD_CHECK(text("name", request.name));
    CICD_CHECK(text("description", request.description));
    CICD_CHECK(text("repository", request.repository));
    CICD_CHECK(text("file", request.file));
    const char* key = object->contains("yaml_config") ? "yaml_config" : "definition";
    if (value[key].is_object())
        request.definition_value = value[key];
    else if (!value[key].is_null() && !value[key].is_string())
        return wrong(Path{&root, key}, "must be YAML text or an object");
    else
        CICD_CHECK(text(key, request.definition));
    CICD_CHECK(read(value["status"], request.state, Path{&root, "status"}));
    return request;
}

}  // namespace cicd::codec
