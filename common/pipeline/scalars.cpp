#include "common/base/text.hpp"
#include "common/pipeline/builder.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

/// Typed access to single values and to lists and maps of them.
namespace cicd::pipeline {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool follows(std::string_view text, NameRule rule) {
    if (text.empty() || text.size() > 100) return false;
    const bool first_digit = rule == NameRule::element;
    if (!is_letter(text[0]) && text[0] != '_' && !(first_digit && is_digit(text[0]))) return false;
    if (text.back() == ' ') return false;
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_letter(c) || is_digit(c) || c == '_' || (c == '-' && rule != NameRule::variable) ||
               (c == ' ' && rule == NameRule::element);
    });
}

std::string rule_text(NameRule rule) {
    switch (rule) {
        case NameRule::element:
            return "use letters, digits, '_', '-' and spaces inside, at most 100 of them; no dot, which separates "
                   "stage and job in 'needs'";
        case NameRule::identifier:
            return "begin with a letter or '_', then letters, digits, '_' or '-', at most 100";
        case NameRule::variable:
            return "begin with a letter or '_', then letters, digits or '_', at most 100";
    }
    return "";
}

std::vector<std::string> as_strings(std::span<const std::string_view> texts) {
    return {texts.begin(), texts.end()};
}

}  // namespace

// Text is taken as it was written, so `run: true` and `VERSION: 3.10` are what they look like.
std::optional<std::string> Builder::scalar(const Cursor& at) {
    if (at.node->is_scalar()) return at.node->text;
    if (at.kind() == NodeKind::null)
        error(at, "is empty; give a text", "remove the key, or write \"\" for the empty text");
    else
        wrong_type(at, "a text");
    return std::nullopt;
}

std::string Builder::text(const Cursor& at) {
    auto found = scalar(at);
    if (!found) return {};
    check_template(at);
    return std::move(*found);
}

std::string Builder::literal(const Cursor& at) {
    auto found = scalar(at);
    if (!found) return {};
    if (found->find("${{") != std::string::npos) {
        error(at, "an expression cannot be used here", "this is read before a run exists; write the value itself");
        return {};
    }
    return std::move(*found);
}

void Builder::check_name(const Cursor& at, std::string_view text, NameRule rule) {
    if (follows(text, rule) || full()) return;
    const std::string shown(text.substr(0, 60));
    error(at, text.empty() ? "is empty; give a name" : "'" + shown + "' cannot be a name here", rule_text(rule));
}

std::string Builder::name(const Cursor& at, NameRule rule) {
    auto found = scalar(at);
    if (!found) return {};
    check_name(at, *found, rule);
    return std::move(*found);
}

model::Strings Builder::texts(const Cursor& at) {
    model::Strings list;
    each(at, [&](const Cursor& item) { list.push_back(text(item)); });
    return list;
}

model::Strings Builder::literals(const Cursor& at) {
    model::Strings list;
    each(at, [&](const Cursor& item) { list.push_back(literal(item)); });
    return list;
}

model::Strings Builder::choices(const Cursor& at, std::span<const std::string_view> allowed) {
    model::Strings list;
    each(at, [&](const Cursor& item) { list.push_back(choice(item, allowed)); });
    return list;
}

std::string Builder::choice(const Cursor& at, std::span<const std::string_view> allowed) {
    const auto found = scalar(at);
    if (!found) return {};
    if (std::find(allowed.begin(), allowed.end(), *found) != allowed.end()) return *found;
    if (full()) return {};
    const auto names = as_strings(allowed);
    const auto lower = to_lower(*found);
    std::string guess = std::find(names.begin(), names.end(), lower) != names.end() ? "did you mean '" + lower + "'?"
                        : found->size() <= 64                                       ? did_you_mean(*found, names)
                                                                                    : "";
    error(at, "must be one of " + join(names, ", ") + "; found " + at.node->describe(), std::move(guess));
    return {};
}

model::Texts Builder::text_map(const Cursor& at, NameRule rule) {
    model::Texts map;
    if (!is_map(at, "names and texts")) return map;
    map.reserve(at.node->members.size());
    for (const auto& member : at.node->members) {
        const Cursor entry = at.child(member);
        check_name(Cursor{member.key, &at, member.key->text, 0}, member.key->text, rule);
        map.emplace_back(member.key->text, entry.kind() == NodeKind::null ? std::string() : text(entry));
    }
    return map;
}

void Builder::merge_text_map(const Cursor& at, NameRule rule, model::Texts& into) {
    auto added = text_map(at, rule);
    if (into.empty()) {
        into = std::move(added);
        return;
    }
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < into.size(); ++i) places.emplace(into[i].first, i);
    for (auto& [key, text] : added) {
        if (const auto known = places.find(key); known != places.end())
            into[known->second].second = std::move(text);
        else
            into.emplace_back(std::move(key), std::move(text));
    }
}

Value Builder::value(const Cursor& at) {
    switch (at.kind()) {
        case NodeKind::text:
            return text(at);
        case NodeKind::list: {
            Array items;
            for (std::size_t i = 0; i < at.node->items.size(); ++i) items.push_back(value(at.item(i)));
            return items;
        }
        case NodeKind::map: {
            Object object;
            for (const auto& member : at.node->members) object.set(member.key->text, value(at.child(member)));
            return object;
        }
        case NodeKind::number:
            if (!std::isfinite(at.node->number)) error(at, "must be a finite number; found " + at.node->describe());
            return at.node->number;
        case NodeKind::null:
        case NodeKind::boolean:
            return to_value(*at.node);
    }
    return {};
}

std::vector<std::pair<std::string, Value>> Builder::value_map(const Cursor& at) {
    std::vector<std::pair<std::string, Value>> map;
    if (!is_map(at, "names and values")) return map;
    for (const auto& member : at.node->members) map.emplace_back(member.key->text, value(at.child(member)));
    return map;
}

std::optional<Milliseconds> Builder::duration(const Cursor& at) {
    if (at.kind() == NodeKind::number) {
        error(at, "must be a duration; " + at.node->text + " has no unit",
              "write " + at.node->text + "s, " + at.node->text + "m or " + at.node->text + "h");
        return std::nullopt;
    }
    const auto found = literal(at);
    if (found.empty()) {
        if (at.kind() == NodeKind::text && at.node->text.empty()) error(at, "must be a duration such as 30s or 1h30m");
        return std::nullopt;
    }
    auto duration = parse_duration(found);
    if (duration) return *duration;
    error(at, "must be a duration: " + duration.error().message, "write it like 90s, 30m, 1h30m or 2d");
    return std::nullopt;
}

std::optional<std::uint64_t> Builder::size(const Cursor& at) {
    const auto found = literal(at);
    if (found.empty()) {
        if (at.kind() == NodeKind::text && at.node->text.empty()) error(at, "must be a size such as 512Mi");
        return std::nullopt;
    }
    auto size = parse_size(found);
    if (size) return *size;
    error(at, "must be a size: " + size.error().message, "write it like 512Mi, 4Gi or 100M");
    return std::nullopt;
}

std::optional<double> Builder::number(const Cursor& at, double min, double max, std::string_view what, bool or_text) {
    Node read = *at.node;
    if (or_text && read.kind == NodeKind::text) resolve_plain(read);  // "4" as the API's examples write it
    if (read.kind == NodeKind::number && read.number >= min && read.number <= max) return read.number;
    const auto bound = [](double d) { return number_text(d); };
    if (read.kind != NodeKind::number)
        wrong_type(at, what);
    else
        error(at, "must be between " + bound(min) + " and " + bound(max) + ", not " + read.text);
    return std::nullopt;
}

std::optional<int> Builder::integer(const Cursor& at, int min, int max, std::string_view what, bool or_text) {
    const auto found = number(at, min, max, what, or_text);
    if (!found) return std::nullopt;
    if (*found == std::floor(*found)) return static_cast<int>(*found);
    error(at, "must be a whole number, not " + at.node->text);
    return std::nullopt;
}

bool Builder::boolean(const Cursor& at) {
    if (at.kind() == NodeKind::boolean) return at.node->boolean;
    if (full()) return false;
    const auto lower = to_lower(at.node->text);
    std::string hint;
    if (lower == "yes" || lower == "on" || lower == "y" || lower == "true") hint = "write true, without quotes";
    if (lower == "no" || lower == "off" || lower == "n" || lower == "false") hint = "write false, without quotes";
    error(at, "must be true or false; found " + at.node->describe(), hint);
    return false;
}

model::OrExpression<bool> Builder::boolean_or_expression(const Cursor& at) {
    if (auto expression = whole_expression(at)) return {false, std::move(*expression)};
    if (at.kind() == NodeKind::boolean) return {at.node->boolean, {}};
    boolean(at);
    return {};
}

}  // namespace cicd::pipeline
