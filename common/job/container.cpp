#include "common/job/container.hpp"

#include "common/codec/json.hpp"

namespace cicd::job {
namespace {

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

Value parsed(const std::string& text) {
    auto value = codec::parse_json(text);
    return value ? std::move(*value) : Value();
}

}  // namespace

std::string to_text(const BuildRequest& request) {
    Array tags;
    for (const auto& tag : request.tags) tags.emplace_back(tag);
    Object arguments;
    for (const auto& [name, value] : request.arguments) arguments.set(name, value);
    return codec::to_json(Object{{"engine", request.engine}, {"state", request.state}, {"context", request.context}, {"file", request.file},
                                 {"target", request.target}, {"login", request.login}, {"network", request.network}, {"tags", std::move(tags)},
                                 {"arguments", std::move(arguments)}, {"push", request.push}});
}

std::string to_text(const BuildAnswer& answer) {
    return codec::to_json(Object{{"image", answer.image}, {"digest", answer.digest}, {"error", answer.error}});
}

BuildRequest read_build_request(const std::string& text) {
    const auto value = parsed(text);
    BuildRequest request{text_of(value["engine"]), text_of(value["state"]), text_of(value["context"]), text_of(value["file"]),
                         text_of(value["target"]), text_of(value["login"]), text_of(value["network"]), {}, {}, value["push"].is_bool() && value["push"].as_bool()};
    if (value["tags"].is_array())
        for (const auto& tag : value["tags"].as_array()) request.tags.push_back(text_of(tag));
    if (value["arguments"].is_object())
        for (const auto& [name, argument] : value["arguments"].as_object()) request.arguments.emplace_back(name, text_of(argument));
    return request;
}

BuildAnswer read_build_answer(const std::string& text) {
    const auto value = parsed(text);
    if (!value.is_object()) return {"", "", "cicd-container gave no answer"};
    return {text_of(value["image"]), text_of(value["digest"]), text_of(value["error"])};
}

std::string to_text(const RunRequest& request) {
    Array arguments, mounts;
    for (const auto& argument : request.arguments) arguments.emplace_back(argument);
    for (const auto& mount : request.mounts)
        mounts.emplace_back(Object{{"source", mount.source}, {"target", mount.target}, {"readOnly", mount.read_only}});
    Object env;
    for (const auto& [name, value] : request.env) env.set(name, value);
    return codec::to_json(Object{{"image", request.image}, {"context", request.context}, {"file", request.file}, {"entrypoint", request.entrypoint},
                                 {"directory", request.directory}, {"arguments", std::move(arguments)}, {"env", std::move(env)},
                                 {"mounts", std::move(mounts)}, {"joins", request.joins}});
}

namespace {

constexpr const char* run_kinds[] = {"ended", "no_engine", "failed"};

}  // namespace

std::string to_text(const RunAnswer& answer) {
    return codec::to_json(Object{{"kind", run_kinds[static_cast<int>(answer.kind)]}, {"exitCode", answer.exit_code}, {"error", answer.error}});
}

RunRequest read_run_request(const std::string& text) {
    const auto value = parsed(text);
    RunRequest request{text_of(value["image"]), text_of(value["context"]), text_of(value["file"]), text_of(value["entrypoint"]), {}, {},
                       text_of(value["directory"]), {}, value["joins"] == Value(true)};
    if (value["arguments"].is_array())
        for (const auto& argument : value["arguments"].as_array()) request.arguments.push_back(text_of(argument));
    if (value["env"].is_object())
        for (const auto& [name, given] : value["env"].as_object()) request.env.emplace_back(name, text_of(given));
    if (value["mounts"].is_array())
        for (const auto& mount : value["mounts"].as_array())
            request.mounts.push_back({text_of(mount["source"]), text_of(mount["target"]), mount["readOnly"] == Value(true)});
    return request;
}

RunAnswer read_run_answer(const std::string& text) {
    const auto value = parsed(text);
    RunAnswer answer;
    answer.error = text_of(value["error"]);
    for (int kind = 0; kind < 3; ++kind)
        if (value["kind"] == Value(run_kinds[kind])) answer.kind = static_cast<RunAnswer::Kind>(kind);
    if (value["exitCode"].is_number()) answer.exit_code = static_cast<int>(value["exitCode"].as_number());
    if (answer.kind != RunAnswer::Kind::ended && answer.error.empty()) answer.error = "cicd-container gave no answer";
    return answer;
}

}  // namespace cicd::job
