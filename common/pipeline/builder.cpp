#include "common/pipeline/builder.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace cicd::pipeline {
namespace {

void add_escaped(std::string_view key, std::string& text) {
    for (const char c : key) {
        if (c == '~')
            text += "~0";
        else if (c == '/')
            text += "~1";
        else
            text += c;
    }
}

void add_pointer(const Cursor& at, std::string& text) {
    if (!at.parent) return;
    add_pointer(*at.parent, text);
    text += '/';
    if (at.parent->kind() == NodeKind::list)
        text += std::to_string(at.index);
    else
        add_escaped(at.key, text);
}

/// Other systems' words for ours.
constexpr std::array<std::pair<std::string_view, std::string_view>, 23> synonyms{{
    {"continueonerror", "allowFailure"},
    {"if", "condition"},
    {"when", "condition"},
    {"script", "commands"},
    {"script", "run"},
    {"command", "run"},
    {"command", "commands"},
    {"depends_on", "needs"},
    {"dependson", "needs"},
    {"variables", "env"},
    {"environmentvariables", "env"},
    {"on", "triggers"},
    {"trigger", "triggers"},
    {"params", "parameters"},
    {"inputs", "parameters"},
    {"container", "image"},
    {"cron", "triggers"},
    {"timeoutminutes", "timeout"},
    {"timeoutinminutes", "timeout"},
    {"tasks", "steps"},
    {"args", "with"},
    {"runson", "zone"},
    {"strategy", "matrix"},
}};

/// What a message is about: a key, or an item of one.
std::string subject(const Cursor& at) {
    if (!at.parent) return "the document";
    if (at.parent->kind() == NodeKind::list)
        return "item " + std::to_string(at.index + 1) + (at.parent->parent ? " of " + subject(*at.parent) : "");
    return "'" + std::string(at.key) + "'";
}

std::string plain_form(std::string_view key) {
    std::string form;
    for (const char c : to_lower(key))
        if (c != '-' && c != '_' && c != ' ') form += c;
    return form;
}

std::string suggest_key(const std::string& key, const std::vector<std::string>& allowed) {
    const std::string form = plain_form(key);
    for (const auto& candidate : allowed)
        if (plain_form(candidate) == form) return "did you mean '" + candidate + "'?";
    for (const auto& [theirs, ours] : synonyms)
        if ((form == theirs || key == theirs) && std::find(allowed.begin(), allowed.end(), ours) != allowed.end())
            return "did you mean '" + std::string(ours) + "'?";
    if (key.size() <= 64)
        if (auto guess = did_you_mean(key, allowed); !guess.empty()) return guess;
    return "known here: " + join(allowed, ", ");
}

}  // namespace

std::string Cursor::pointer() const {
    std::string text;
    add_pointer(*this, text);
    return text;
}

model::Mark Builder::mark(const Cursor& at) const {
    return {file_, at.node->line, at.node->column, at.pointer()};
}

void Builder::add(Severity severity, const model::Mark& mark, std::string message, std::string suggestion) {
    if (full()) return;
    problems_.push_back(
        {severity, file_, mark.line, mark.column, mark.pointer, std::move(message), std::move(suggestion)});
    if (full()) problems_.push_back({Severity::note, file_, 0, 0, "", "there are more problems; these come first", ""});
}

void Builder::error(const Cursor& at, std::string message, std::string suggestion) {
    if (full()) return;
    if (message.starts_with("is ") || message.starts_with("must ")) message = subject(at) + " " + message;
    add(Severity::error, mark(at), std::move(message), std::move(suggestion));
}

void Builder::warning(const Cursor& at, std::string message, std::string suggestion) {
    if (!full()) add(Severity::warning, mark(at), std::move(message), std::move(suggestion));
}

void Builder::error_at(const model::Mark& mark, std::string message, std::string suggestion) {
    add(Severity::error, mark, std::move(message), std::move(suggestion));
}

void Builder::wrong_type(const Cursor& at, std::string_view wanted) {
    if (full()) return;
    error(at, "must be " + std::string(wanted) + "; found " + at.node->describe());
}

bool Builder::is_map(const Cursor& at, std::string_view what) {
    if (at.kind() == NodeKind::map) return true;
    wrong_type(at, "a map (" + std::string(what) + ")");
    return false;
}

void Builder::unknown_key(const Cursor& at, const Node& key, const std::vector<std::string>& allowed,
                          std::string_view what) {
    if (full()) return;
    const Cursor place{&key, &at, key.text, 0};
    const std::string shown = key.text.size() > 60 ? key.text.substr(0, 57) + "..." : key.text;
    add(Severity::error, mark(place), "unknown key '" + shown + "' in " + std::string(what),
        suggest_key(key.text, allowed));
}

void Builder::require(const Cursor& at, std::initializer_list<std::string_view> keys, std::string_view what) {
    if (at.kind() != NodeKind::map) return;
    for (const auto key : keys)
        if (!at.node->find(key)) error(at, std::string(what) + " needs '" + std::string(key) + "', which is missing");
}

std::vector<Diagnostic> Builder::take_problems() {
    std::stable_sort(problems_.begin(), problems_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        const auto rank = [](const Diagnostic& d) { return d.severity == Severity::note ? 1 : 0; };
        return std::tuple(rank(a), a.line, a.column) < std::tuple(rank(b), b.line, b.column);
    });
    return std::move(problems_);
}

}  // namespace cicd::pipeline
