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

}  // namespace cicd::job
