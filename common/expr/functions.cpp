#include "common/expr/case_fold.hpp"
#include "common/expr/coerce.hpp"
#include "common/expr/json.hpp"
#include "common/expr/node.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace cicd::expr {
namespace {

using Arguments = std::span<const Value>;

Error failed(std::string message, std::string hint = {}) {
    return invalid("EXPR_003", std::move(message), std::move(hint));
}

Result<Value> contains(Arguments arguments) {
    const auto& search = arguments[0];
    const auto& item = arguments[1];
    if (search.is_array()) {
        const auto& items = search.as_array();
        return Value(std::any_of(items.begin(), items.end(), [&](const Value& v) { return loosely_equal(item, v); }));
    }
    if (!is_primitive(search) || !is_primitive(item)) return Value(false);
    return Value(to_upper(to_display_text(search)).find(to_upper(to_display_text(item))) != std::string::npos);
}

Result<Value> starts_with(Arguments arguments) {
    if (!is_primitive(arguments[0]) || !is_primitive(arguments[1])) return Value(false);
    return Value(to_upper(to_display_text(arguments[0])).starts_with(to_upper(to_display_text(arguments[1]))));
}

Result<Value> ends_with(Arguments arguments) {
    if (!is_primitive(arguments[0]) || !is_primitive(arguments[1])) return Value(false);
    return Value(to_upper(to_display_text(arguments[0])).ends_with(to_upper(to_display_text(arguments[1]))));
}

/// The number after a `{`; too large a one refers to no argument either way.
std::optional<std::size_t> placeholder(std::string_view text) {
    std::size_t number = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
        number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(text[digits] - '0'), 1'000'000);
    if (digits == 0) return std::nullopt;
    return number;
}

Result<Value> format(Arguments arguments) {
    const std::string pattern = to_display_text(arguments[0]);
    const auto bad = [&] { return failed("The following format string is invalid: " + pattern); };
    std::string text;
    for (std::size_t at = 0; at < pattern.size();) {
        const auto brace = pattern.find_first_of("{}", at);
        text.append(pattern, at, brace == std::string::npos ? brace : brace - at);
        if (brace == std::string::npos) break;
        if (brace + 1 < pattern.size() && pattern[brace + 1] == pattern[brace]) {  // doubled: itself
            text += pattern[brace];
            at = brace + 2;
            continue;
        }
        const auto close = pattern.find('}', brace);
        if (pattern[brace] == '}' || close == std::string::npos) return bad();
        const auto number = placeholder(std::string_view(pattern).substr(brace + 1, close - brace - 1));
        if (!number) return bad();
        if (*number + 1 >= arguments.size())
            return failed("The following format string references more arguments than were supplied: " + pattern);
        text += to_display_text(arguments[*number + 1]);
        at = close + 1;
    }
    return Value(std::move(text));
}

Result<Value> join_items(Arguments arguments) {
    if (is_primitive(arguments[0])) return Value(to_display_text(arguments[0]));
    if (!arguments[0].is_array()) return Value("");
    const bool separated = arguments.size() > 1 && is_primitive(arguments[1]);
    const std::string separator = separated ? to_display_text(arguments[1]) : ",";
    std::string text;
    bool first = true;
    for (const auto& item : arguments[0].as_array()) {
        if (!first) text += separator;
        first = false;
        text += to_display_text(item);
    }
    return Value(std::move(text));
}

Result<Value> to_json(Arguments arguments) { return Value(write_json(arguments[0])); }

Result<Value> from_json(Arguments arguments) {
    const std::string text = to_display_text(arguments[0]);
    if (trim(text).empty()) return failed("empty input", "fromJSON was given an empty text");
    auto read = read_json(text);
    if (const auto* fault = std::get_if<JsonFault>(&read))
        return failed("Error parsing JSON when evaluating fromJson",
                      "at byte " + std::to_string(fault->offset + 1) + " of the JSON text: " + fault->why);
    return std::move(std::get<Value>(read));
}

Result<Value> choose(Arguments arguments) {
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
        if (!arguments[i].is_bool()) return failed("case predicate must evaluate to a boolean value");
        if (arguments[i].as_bool()) return arguments[i + 1];
    }
    return arguments.back();
}

}  // namespace

const Function* built_in(std::string_view name) {
    static const std::vector<Function> functions{
        {"contains", 2, 2, contains},    {"startsWith", 2, 2, starts_with},
        {"endsWith", 2, 2, ends_with},   {"format", 1, 255, format},
        {"join", 1, 2, join_items},      {"toJSON", 1, 1, to_json},
        {"fromJSON", 1, 1, from_json},   {"case", 3, std::numeric_limits<int>::max(), choose},
    };
    return find_function(functions, name);
}

const Function* find_function(std::span<const Function> functions, std::string_view name) {
    for (const auto& function : functions)
        if (same_text(function.name, name)) return &function;
    return nullptr;
}

}  // namespace cicd::expr
