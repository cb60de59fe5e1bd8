#include "common/job/action.hpp"

#include "common/codec/codecs.hpp"

namespace cicd::job {
namespace {

using model::Action;

struct TextField {
    const char* name;
    std::string Action::*member;
};
constexpr TextField text_fields[] = {{"name", &Action::name}, {"node", &Action::node},    {"main", &Action::main},     {"pre", &Action::pre},
                                     {"post", &Action::post}, {"preIf", &Action::pre_if}, {"postIf", &Action::post_if},
                                     {"image", &Action::image}, {"entrypoint", &Action::entrypoint}, {"preEntrypoint", &Action::pre_entrypoint},
                                     {"postEntrypoint", &Action::post_entrypoint}};
constexpr const char* kinds[] = {"composite", "node", "docker"};

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

Value encoded(const Action& action) {
    Object object;
    for (const auto& [name, member] : text_fields)
        if (!(action.*member).empty()) object.set(name, action.*member);
    object.set("using", kinds[static_cast<int>(action.how)]);
    Array inputs, steps;
    for (const auto& input : action.inputs)
        inputs.push_back(Object{{"name", input.name}, {"default", input.has_default ? Value(input.default_text) : Value()},
                                {"required", input.required}, {"deprecation", input.deprecation}});
    for (const auto& step : action.steps) steps.push_back(codec::encode(step));
    Object outputs;
    for (const auto& [name, expression] : action.outputs) outputs.set(name, expression);
    object.set("inputs", std::move(inputs));
    object.set("steps", std::move(steps));
    object.set("outputs", std::move(outputs));
    Array args;
    for (const auto& arg : action.args) args.emplace_back(arg);
    Object env;
    for (const auto& [name, text] : action.env) env.set(name, text);
    object.set("args", std::move(args));
    object.set("env", std::move(env));
    return object;
}

Result<Action> decoded(const Value& value) {
    Action action;
    for (const auto& [name, member] : text_fields) action.*member = text_of(value[name]);
    for (int kind = 0; kind < 3; ++kind)
        if (value["using"] == Value(kinds[kind])) action.how = static_cast<model::ActionUsing>(kind);
    const auto &inputs = value["inputs"], &steps = value["steps"], &outputs = value["outputs"], &args = value["args"], &env = value["env"];
    if (!inputs.is_array() || !steps.is_array() || !outputs.is_object() || !args.is_array() || !env.is_object()) return internal_error("what an action says came without its parts");
    for (const auto& input : inputs.as_array())
        action.inputs.push_back({text_of(input["name"]), text_of(input["default"]), input["default"].is_string(),
                                 input["required"] == Value(true), text_of(input["deprecation"])});
    for (const auto& step : steps.as_array()) {
        CICD_TRY(auto read, codec::decode<model::Step>(step));
        action.steps.push_back(std::move(read));
    }
    for (const auto& [name, expression] : outputs.as_object()) action.outputs.emplace_back(name, text_of(expression));
    for (const auto& arg : args.as_array()) action.args.push_back(text_of(arg));
    for (const auto& [name, text] : env.as_object()) action.env.emplace_back(name, text_of(text));
    return action;
}

}  // namespace

std::string to_text(const Result<Action>& action) {
    if (action) return codec::to_json(Value(Object{{"action", encoded(*action)}}));
    return codec::to_json(Value(Object{{"error", action.error().message}, {"hint", action.error().hint}}));
}

Result<Action> read_action(std::string_view text) {
    CICD_TRY(const auto value, codec::parse_json(text));
    if (value["error"].is_string()) return invalid("JOB_002", text_of(value["error"]), text_of(value["hint"]));
    return decoded(value["action"]);
}

}  // namespace cicd::job
