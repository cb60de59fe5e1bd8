#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/builder.hpp"

#include <algorithm>
#include <array>
#include <climits>

/// Expressions are checked where they are written: syntax, contexts, functions, and the parameters they name.
namespace cicd::pipeline {
namespace {

const std::vector<std::string>& context_names() {
    static const std::vector<std::string> names{"params", "inputs", "env", "vars", "secrets", "matrix", "strategy",
                                                "needs",  "steps",  "job", "run",  "git",     "runner", "environment"};
    return names;
}

const std::vector<expr::Function>& functions() {
    static const std::vector<expr::Function> known{{"success", 0, INT_MAX, {}},
                                                   {"failure", 0, INT_MAX, {}},
                                                   {"always", 0, 0, {}},
                                                   {"cancelled", 0, 0, {}},
                                                   {"hashFiles", 1, INT_MAX, {}}};
    return known;
}

constexpr std::array<std::string_view, 3> condition_words{"always", "on_success", "on_failure"};

/// "github" and the like: contexts of other systems under our names.
std::string advise(std::string_view expression, std::string_view message, const std::vector<std::string>* others) {
    const auto open = message.find('\'');
    const auto close = open == message.npos ? message.npos : message.find('\'', open + 1);
    if (close == message.npos) return "";
    const std::string word(message.substr(open + 1, close - open - 1));
    if (message.find("named-value") == message.npos) {
        static const std::vector<std::string> names{"contains", "startsWith", "endsWith",  "format",  "join",
                                                    "toJSON",   "fromJSON",   "hashFiles", "success", "failure",
                                                    "always",   "cancelled",  "case"};
        return message.find("function") == message.npos ? "" : did_you_mean(word, names);
    }
    if (others) {
        const auto guess = did_you_mean(word, *others);
        return guess.empty() ? "known contexts: " + join(*others, ", ") : guess;
    }
    if (to_lower(word) == "github") return "here it is 'git' (git.branch, git.commit) and 'run' (run.id)";
    std::vector<std::string> words = context_names();
    if (trim(expression) == word) words.insert(words.end(), condition_words.begin(), condition_words.end());
    const auto guess = did_you_mean(word, words);
    return guess.empty() ? "known contexts: " + join(context_names(), ", ") : guess;
}

}  // namespace

std::optional<std::string> Builder::whole_expression(const Cursor& at) {
    if (at.kind() != NodeKind::text || !expr::has_expression(at.node->text)) return std::nullopt;
    const std::string_view whole = trim(at.node->text);
    if (expr::strip_braces(whole) == whole) {
        error(at, "must be one whole expression '${{ ... }}', without text around it");
        return std::string();
    }
    check_template(at);
    return std::string(whole);
}

std::string Builder::condition(const Cursor& at) {
    const auto found = scalar(at);
    if (!found) return {};
    const std::string_view text = trim(*found);
    if (std::find(condition_words.begin(), condition_words.end(), text) != condition_words.end())
        return std::string(text);
    if (text.empty()) {
        error(at, "is empty; give always, on_success, on_failure or an expression");
        return {};
    }
    const std::string_view bare = expr::strip_braces(text);
    if (bare == text && expr::has_expression(text)) {
        error(at, "a condition is one expression; this has text around '${{ }}', which would always be true",
              "write the whole condition as one expression");
        return {};
    }
    model::Mark place = mark(at);
    if (bare != text) next_expression(source_offset(place), place);
    check_expression(trim(bare), place);
    return *found;
}

void Builder::check_template(const Cursor& at) {
    const std::string& text = at.node->text;
    if (at.kind() != NodeKind::text || text.find("${{") == std::string::npos) return;
    const auto embedded = expr::embedded_expressions(text);
    if (!embedded) {
        error(at, embedded.error().message,
              embedded.error().hint.empty() ? "close it with '}}'" : embedded.error().hint);
        return;
    }
    model::Mark place = mark(at);
    std::size_t offset = source_offset(place);
    for (const auto& [unused, expression] : *embedded) {
        if (full()) return;
        offset = next_expression(offset, place);
        check_expression(trim(expression), place);
    }
}

void Builder::check_expression(std::string_view expression, const model::Mark& mark) {
    if (full()) return;
    const auto parsed = expr::Expression::parse(expression, contexts_ ? *contexts_ : context_names(), functions());
    if (!parsed) {
        auto hint = advise(expression, parsed.error().message, contexts_);
        add(Severity::error, mark, parsed.error().message, hint.empty() ? parsed.error().hint : std::move(hint));
        return;
    }
    for (const auto& path : parsed->references()) {
        const auto dot = path.find('.');
        if (dot == std::string::npos) continue;
        std::string context = to_lower(std::string_view(path).substr(0, dot));
        if (context != "params" && context != "inputs") continue;
        references_.push_back({std::move(context), path.substr(dot + 1, path.find('.', dot + 1) - dot - 1), mark});
    }
}

std::size_t Builder::source_offset(const model::Mark& mark) {
    if (source_.empty() || mark.line == 0) return std::string_view::npos;
    if (line_starts_.empty()) {
        line_starts_.push_back(0);
        for (std::size_t i = 0; (i = source_.find('\n', i)) != source_.npos;) line_starts_.push_back(++i);
    }
    const auto line = static_cast<std::size_t>(mark.line) - 1;
    return line < line_starts_.size() ? line_starts_[line] + static_cast<std::size_t>(mark.column) - 1 : source_.npos;
}

// The n-th `${{` after a text's place in the source is the n-th in the text, however it was quoted.
std::size_t Builder::next_expression(std::size_t offset, model::Mark& mark) const {
    const auto found = offset < source_.size() ? source_.find("${{", offset) : source_.npos;
    if (found == source_.npos) return found;
    const auto line = std::upper_bound(line_starts_.begin(), line_starts_.end(), found) - line_starts_.begin();
    mark.line = static_cast<int>(line);
    mark.column = static_cast<int>(found - line_starts_[static_cast<std::size_t>(line) - 1]) + 1;
    return found + 3;
}

void Builder::check_references(std::span<const model::Parameter> parameters) {
    if (parameters_open_ || references_.empty()) return;
    std::vector<std::string> names, lower;
    for (const auto& parameter : parameters) {
        names.push_back(parameter.name);
        lower.push_back(to_lower(parameter.name));
    }
    std::sort(lower.begin(), lower.end());
    for (const auto& reference : references_) {
        if (full()) return;
        if (reference.name == "*" || std::binary_search(lower.begin(), lower.end(), to_lower(reference.name))) continue;
        auto hint = did_you_mean(reference.name, names);
        if (hint.empty()) hint = names.empty() ? "declare it under 'parameters'" : "known: " + join(names, ", ");
        error_at(reference.mark,
                 "no parameter is called '" + reference.name + "' (" + reference.context + "." + reference.name + ")",
                 hint);
    }
}

}  // namespace cicd::pipeline
