#include "common/base/text.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cicd::planner {

void add_problem(Problems& problems, const model::Mark& mark, std::string message, std::string suggestion) {
    problems.push_back(
        {Severity::error, mark.file, mark.line, mark.column, mark.pointer, std::move(message), std::move(suggestion)});
}

namespace {

std::optional<double> number_of(const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::string listed(const std::vector<Value>& values) {
    std::vector<std::string> texts;
    for (const auto& value : values) texts.push_back(expr::to_display_text(value));
    return join(texts, ", ");
}

/// JSON or YAML's flow form: [a, b], {a: 1}; a list may also be written "a,b".
std::optional<Value> structured(const std::string& text, model::ParameterType type) {
    const std::string_view trimmed = trim(text);
    if (!trimmed.starts_with('[') && !trimmed.starts_with('{')) {
        if (type != model::ParameterType::array) return std::nullopt;
        Array items;
        if (!trimmed.empty())
            for (const auto& item : split(trimmed, ',')) items.emplace_back(std::string(trim(item)));
        return Value(std::move(items));
    }
    auto parsed = pipeline::parse_yaml(text, "parameter");
    if (!parsed.ok()) return std::nullopt;
    return parsed.value;
}

std::optional<Value> typed(const model::Parameter& parameter, const Value& given, std::string& why) {
    const std::string text = given.is_string() ? given.as_string() : std::string();
    switch (parameter.type) {
        case model::ParameterType::string:
        case model::ParameterType::choice:
            if (given.is_array() || given.is_object()) break;
            return Value(expr::to_display_text(given));
        case model::ParameterType::boolean:
            if (given.is_bool()) return given;
            if (text == "true") return Value(true);
            if (text == "false") return Value(false);
            why = "must be true or false";
            return std::nullopt;
        case model::ParameterType::number:
            if (given.is_number()) return given;
            if (const auto number = number_of(text)) return Value(*number);
            why = "must be a number";
            return std::nullopt;
        case model::ParameterType::array:
        case model::ParameterType::object: {
            auto value = given.is_string() ? structured(text, parameter.type) : std::optional(given);
            const bool array = parameter.type == model::ParameterType::array;
            if (value && (array ? value->is_array() : value->is_object())) return value;
            why = array ? "must be a list, for example [\"a\", \"b\"]" : "must be an object, for example {\"a\": 1}";
            return std::nullopt;
        }
    }
    why = "must be a " + std::string(to_text(parameter.type));
    return std::nullopt;
}

}  // namespace

std::optional<Value> convert_parameter(const model::Parameter& parameter, const Value& given, std::string& why) {
    auto value = typed(parameter, given, why);
    if (!value || parameter.values.empty()) return value;
    const auto same = [&](const Value& allowed) {
        return allowed == *value || expr::to_display_text(allowed) == expr::to_display_text(*value);
    };
    const auto found = std::find_if(parameter.values.begin(), parameter.values.end(), same);
    if (found != parameter.values.end()) return value;
    std::vector<std::string> texts;
    for (const auto& allowed : parameter.values) texts.push_back(expr::to_display_text(allowed));
    const std::string guess = did_you_mean(expr::to_display_text(*value), texts);
    why = "must be one of: " + listed(parameter.values) + (guess.empty() ? "" : " (" + guess + ")");
    return std::nullopt;
}

Object resolve_parameters(const std::vector<model::Parameter>& parameters,
                          const std::vector<std::pair<std::string, std::string>>& given, Problems& problems) {
    Object values;
    std::vector<std::string> names;
    for (const auto& parameter : parameters) {
        names.push_back(parameter.name);
        // Of several values for one name the last counts, as on any command line.
        const auto text = std::find_if(given.rbegin(), given.rend(),
                                       [&](const auto& pair) { return pair.first == parameter.name; });
        if (text != given.rend()) {
            std::string why;
            if (auto value = convert_parameter(parameter, Value(text->second), why))
                values.set(parameter.name, std::move(*value));
            else
                add_problem(problems, parameter.mark,
                            "parameter '" + parameter.name + "': '" + text->second + "' " + why);
        } else if (parameter.default_value) {
            values.set(parameter.name, *parameter.default_value);
        } else if (parameter.required) {
            add_problem(problems, parameter.mark, "parameter '" + parameter.name + "' is required and has no value",
                        "give it: -p " + parameter.name + "=VALUE");
        } else {
            values.set(parameter.name, Value());
        }
    }
    for (const auto& [name, text] : given) {
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        std::string hint = did_you_mean(name, names);
        if (hint.empty())
            hint = names.empty() ? "this pipeline has no parameters" : "its parameters: " + join(names, ", ");
        add_problem(problems, {}, "there is no parameter '" + name + "'", hint);
    }
    return values;
}

}  // namespace cicd::planner
