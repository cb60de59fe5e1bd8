#include "common/base/text.hpp"
#include "common/pipeline/readers.hpp"

#include <algorithm>

namespace cicd::pipeline {
namespace {

using model::Parameter;
using model::ParameterType;

struct Draft {
    Parameter parameter;
    std::optional<Cursor> default_value, values;
    bool typed = false;
};

constexpr Field<Draft> fields[] = {
    {"type",
     [](Builder& b, const Cursor& c, Draft& d) {
         if (const auto type = b.enumerator<ParameterType>(c)) d.parameter.type = *type;
         d.typed = true;
     }},
    {"description", [](Builder& b, const Cursor& c, Draft& d) { d.parameter.description = b.literal(c); }},
    {"default", [](Builder&, const Cursor& c, Draft& d) { d.default_value = c; }},
    {"values", [](Builder&, const Cursor& c, Draft& d) { d.values = c; }},
    {"required", [](Builder& b, const Cursor& c, Draft& d) { d.parameter.required = b.boolean(c); }},
};

ParameterType infer(const Draft& draft) {
    if (!draft.default_value) return draft.values ? ParameterType::choice : ParameterType::string;
    switch (draft.default_value->kind()) {
        case NodeKind::boolean:
            return ParameterType::boolean;
        case NodeKind::number:
            return ParameterType::number;
        case NodeKind::list:
            return ParameterType::array;
        case NodeKind::map:
            return ParameterType::object;
        case NodeKind::null:
        case NodeKind::text:
            return ParameterType::string;
    }
    return ParameterType::string;
}

std::optional<Value> typed_value(Builder& b, const Cursor& at, const Parameter& parameter) {
    const auto kind = at.kind();
    bool fits = false;
    switch (parameter.type) {
        case ParameterType::string:
        case ParameterType::choice:
            if (at.node->is_scalar()) return Value(b.literal(at));
            break;
        case ParameterType::boolean:
            fits = kind == NodeKind::boolean;
            break;
        case ParameterType::number:
            fits = kind == NodeKind::number;
            break;
        case ParameterType::array:
            fits = kind == NodeKind::list;
            break;
        case ParameterType::object:
            fits = kind == NodeKind::map;
            break;
    }
    if (fits) return b.value(at);
    b.error(at, "the parameter '" + parameter.name + "' has the type " + std::string(to_text(parameter.type)) +
                    "; this is " + at.node->describe());
    return std::nullopt;
}

std::string listed(const std::vector<Value>& values) {
    std::string list;
    for (const auto& value : values) {
        if (!list.empty()) list += ", ";
        list += value.is_string()   ? value.as_string()
                : value.is_number() ? number_text(value.as_number())
                : value.is_bool()   ? (value.as_bool() ? "true" : "false")
                                    : "...";
    }
    return list;
}

void read_values(Builder& b, Draft& draft) {
    Parameter& p = draft.parameter;
    if (draft.values && draft.values->node->items.size() > 1000) {
        b.error(*draft.values, "must list at most 1000 values");
    } else if (draft.values) {
        b.each(*draft.values, [&](const Cursor& item) {
            auto value = typed_value(b, item, p);
            if (!value) return;
            if (std::find(p.values.begin(), p.values.end(), *value) != p.values.end())
                b.error(item, "the value " + listed({*value}) + " is listed twice");
            p.values.push_back(std::move(*value));
        });
        if (draft.values->kind() == NodeKind::list && draft.values->node->items.empty())
            b.error(*draft.values, "must list at least one value");
    }
    if (draft.default_value) p.default_value = typed_value(b, *draft.default_value, p);
    if (p.default_value && !p.values.empty() &&
        std::find(p.values.begin(), p.values.end(), *p.default_value) == p.values.end())
        b.error(*draft.default_value, "the default of '" + p.name + "' is " + draft.default_value->node->describe() +
                                          ", which is not one of its values: " + listed(p.values));
}

}  // namespace

std::vector<Parameter> read_parameters(Builder& b, const Cursor& at) {
    std::vector<Parameter> parameters;
    if (!b.is_map(at, "parameters by name")) return parameters;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        Draft draft;
        draft.parameter.name = member.key->text;
        draft.parameter.mark = b.mark(place);
        b.check_name(Cursor{member.key, &at, member.key->text, 0}, member.key->text, NameRule::identifier);
        b.fields<Draft>(place, draft, fields, "a parameter");
        if (!draft.typed) draft.parameter.type = infer(draft);
        read_values(b, draft);
        if (draft.parameter.type == ParameterType::choice && !draft.values)
            b.error(place, "a parameter of type choice needs 'values', which is missing");
        parameters.push_back(std::move(draft.parameter));
    }
    return parameters;
}

}  // namespace cicd::pipeline
