#include "common/pipeline/rewrite.hpp"

#include "common/base/text.hpp"
#include "common/expr/expression.hpp"

#include <cctype>

/// Expressions as texts: the paths in them are replaced without touching anything else. It only has to know quoted
/// texts and names; the expression itself was checked when the file was read.
namespace cicd::pipeline {

namespace {

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool continues_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

std::size_t skip_quoted(std::string_view text, std::size_t at) {
    for (++at; at < text.size(); ++at) {
        if (text[at] != '\'') continue;
        if (at + 1 < text.size() && text[at + 1] == '\'')
            ++at;
        else
            return at + 1;
    }
    return at;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
    return at;
}

/// One more part of a path, `.name` or `['name']`; moves `at` behind it.
std::optional<std::string> next_part(std::string_view text, std::size_t& at) {
    std::size_t i = skip_space(text, at);
    if (i >= text.size()) return std::nullopt;
    if (text[i] == '.') {
        i = skip_space(text, i + 1);
        if (i >= text.size() || !starts_name(text[i])) return std::nullopt;
        const std::size_t start = i;
        while (i < text.size() && continues_name(text[i])) ++i;
        at = i;
        return std::string(text.substr(start, i - start));
    }
    if (text[i] != '[') return std::nullopt;
    i = skip_space(text, i + 1);
    if (i >= text.size() || text[i] != '\'') return std::nullopt;
    const std::size_t start = i + 1;
    const std::size_t end = skip_quoted(text, i);
    i = skip_space(text, end);
    if (i >= text.size() || text[i] != ']') return std::nullopt;
    at = i + 1;
    return std::string(text.substr(start, end - 1 - start));
}

}  // namespace

std::string rewrite_expression(std::string_view text, const PathReplacement& replace) {
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '\'') {
            const std::size_t end = skip_quoted(text, i);
            result += text.substr(i, end - i);
            i = end;
        } else if (starts_name(text[i])) {
            std::size_t end = i;
            while (end < text.size() && continues_name(text[end])) ++end;
            std::vector<std::string> path{std::string(text.substr(i, end - i))};
            const bool member = !result.empty() && (result.back() == '.' || std::isdigit(static_cast<unsigned char>(result.back())) != 0);
            // The longest path that has a replacement.
            std::vector<std::size_t> ends{end};
            for (std::size_t at = end; auto part = next_part(text, at);) {
                path.push_back(std::move(*part));
                ends.push_back(at);
            }
            std::optional<std::string> replacement;
            while (!member && !path.empty()) {
                replacement = replace(path);
                if (replacement) break;
                path.pop_back();
                ends.pop_back();
            }
            if (replacement) end = ends.back();
            result += replacement ? *replacement : std::string(text.substr(i, end - i));
            i = end;
        } else {
            result += text[i++];
        }
    }
    return result;
}

std::string rewrite_text(const std::string& text, const PathReplacement& replace) {
    if (text.find("${{") == std::string::npos) return text;
    std::string result;
    std::size_t at = 0;
    while (true) {
        const auto open = text.find("${{", at);
        if (open == std::string::npos) break;
        std::size_t close = open + 3;
        while (close < text.size() && !text.substr(close, 2).starts_with("}}"))
            close = text[close] == '\'' ? skip_quoted(text, close) : close + 1;
        if (close >= text.size()) break;
        result += text.substr(at, open + 3 - at);
        result += rewrite_expression(std::string_view(text).substr(open + 3, close - open - 3), replace);
        result += "}}";
        at = close + 2;
    }
    return result + text.substr(at);
}

namespace {

void rewrite_in(std::string& text, const PathReplacement& replace) { text = rewrite_text(text, replace); }

/// Conditions and the like may come without the braces.
void rewrite_bare(std::string& text, const PathReplacement& replace) {
    text = expr::has_expression(text) ? rewrite_text(text, replace) : rewrite_expression(text, replace);
}

void rewrite_in(model::Texts& texts, const PathReplacement& replace) {
    for (auto& [name, text] : texts) rewrite_in(text, replace);
}

Value rewritten(const Value& value, const PathReplacement& replace) {
    if (value.is_string()) return Value(rewrite_text(value.as_string(), replace));
    if (value.is_array()) {
        Array items;
        for (const auto& item : value.as_array()) items.push_back(rewritten(item, replace));
        return Value(std::move(items));
    }
    if (value.is_object()) {
        Object members;
        for (const auto& [key, item] : value.as_object()) members.set(key, rewritten(item, replace));
        return Value(std::move(members));
    }
    return value;
}

void visit_value(const Value& value, const std::function<void(const std::string&)>& visit) {
    if (value.is_string()) visit(value.as_string());
    if (value.is_array())
        for (const auto& item : value.as_array()) visit_value(item, visit);
    if (value.is_object())
        for (const auto& [key, item] : value.as_object()) visit_value(item, visit);
}

/// Those whose values are texts, with `${{ }}` in them or not.
template <class Options, class Visit>
void each_text(Options& options, const Visit& visit) {
    visit(options.login);
    visit(options.hostname);
    for (auto* list : {&options.volumes, &options.aliases, &options.hosts, &options.tmpfs, &options.ulimits})
        for (auto& text : *list) visit(text);
    for (auto& [name, text] : options.labels) visit(text);
}

void rewrite_options(model::ContainerOptions& options, const PathReplacement& replace) {
    each_text(options, [&](std::string& text) { rewrite_in(text, replace); });
}

}  // namespace

void rewrite_step(model::Step& step, const PathReplacement& replace) {
    for (auto* text : {&step.name, &step.run, &step.shell, &step.working_directory, &step.timeout_minutes})
        rewrite_in(*text, replace);
    rewrite_in(step.env, replace);
    rewrite_bare(step.condition, replace);
    rewrite_bare(step.continue_on_error.expression, replace);
    for (auto& [name, value] : step.with) value = rewritten(value, replace);
}

void rewrite_job(model::Job& job, const PathReplacement& replace) {
    rewrite_in(job.env, replace);
    rewrite_in(job.outputs, replace);
    if (job.image) {
        rewrite_in(job.image->name, replace);
        rewrite_options(job.image->options, replace);
    }
    for (auto* text : {&job.environment, &job.shell, &job.working_directory, &job.title, &job.timeout_minutes})
        rewrite_in(*text, replace);
    for (auto& text : job.runs_on) rewrite_in(text, replace);
    for (auto* text : {&job.condition, &job.allow_failure.expression, &job.fail_fast.expression})
        rewrite_bare(*text, replace);
    if (job.matrix) {
        auto& matrix = *job.matrix;
        for (auto* text : {&matrix.expression, &matrix.include_expression, &matrix.exclude_expression})
            rewrite_bare(*text, replace);
        for (auto& axis : matrix.axes) {
            rewrite_in(axis.name, replace);
            rewrite_bare(axis.expression, replace);
            for (auto& value : axis.values) value = rewritten(value, replace);
        }
        for (auto* list : {&matrix.include, &matrix.exclude})
            for (auto& value : *list) value = rewritten(value, replace);
    }
    for (auto& artifact : job.artifacts) {
        for (auto* text : {&artifact.name, &artifact.type}) rewrite_in(*text, replace);
        for (auto* list : {&artifact.paths, &artifact.exclude})
            for (auto& text : *list) rewrite_in(text, replace);
    }
    for (auto& cache : job.cache) {
        rewrite_in(cache.key, replace);
        for (auto* list : {&cache.paths, &cache.restore_keys})
            for (auto& text : *list) rewrite_in(text, replace);
    }
    for (auto& service : job.services) {
        for (auto* text : {&service.image, &service.user, &service.ready, &service.working_directory}) rewrite_in(*text, replace);
        for (auto* list : {&service.command, &service.entrypoint})
            for (auto& text : *list) rewrite_in(text, replace);
        rewrite_options(service.options, replace);
        rewrite_in(service.env, replace);
    }
    for (auto& step : job.steps) rewrite_step(step, replace);
}

void for_each_text(const model::Job& job,
                   const std::function<void(const std::string&, const model::Mark&, bool bare)>& visit) {
    for (const auto& [name, text] : job.env) visit(text, job.mark, false);
    for (const auto& [name, text] : job.outputs) visit(text, job.mark, false);
    if (job.image) {
        const auto& mark = job.key_marks.find("container", job.key_marks.find("image", job.mark));
        each_text(job.image->options, [&](const std::string& text) { visit(text, mark, false); });
    }
    for (const auto& artifact : job.artifacts) {
        for (const auto* text : {&artifact.name, &artifact.type}) visit(*text, artifact.mark, false);
        for (const auto* list : {&artifact.paths, &artifact.exclude})
            for (const auto& text : *list) visit(text, artifact.mark, false);
    }
    for (const auto& cache : job.cache) {
        visit(cache.key, cache.mark, false);
        for (const auto* list : {&cache.paths, &cache.restore_keys})
            for (const auto& text : *list) visit(text, cache.mark, false);
    }
    for (const auto& service : job.services) {
        visit(service.ready, service.mark, false);
        visit(service.working_directory, service.mark, false);
        for (const auto* list : {&service.command, &service.entrypoint})
            for (const auto& text : *list) visit(text, service.mark, false);
        each_text(service.options, [&](const std::string& text) { visit(text, service.mark, false); });
        for (const auto& [name, text] : service.env) visit(text, service.mark, false);
    }
    visit(job.condition, job.mark, true);
    visit(job.allow_failure.expression, job.mark, true);
    for (const auto& step : job.steps) {
        for (const auto* text : {&step.name, &step.run, &step.shell, &step.working_directory})
            visit(*text, step.mark, false);
        for (const auto& [name, text] : step.env) visit(text, step.mark, false);
        visit(step.condition, step.mark, true);
        visit(step.continue_on_error.expression, step.mark, true);
        for (const auto& [name, value] : step.with)
            visit_value(value, [&](const std::string& text) { visit(text, step.mark, false); });
    }
}

namespace {

std::string in_quotes(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        result += c;
        if (c == '\'') result += c;
    }
    return result + "'";
}

/// A text with `${{ }}` in it as one call of format.
std::string as_format(const std::string& text) {
    const auto embedded = expr::embedded_expressions(text);
    if (!embedded || embedded->empty()) return in_quotes(text);
    const std::string_view whole = trim(text);
    if (embedded->size() == 1 && expr::strip_braces(whole) != whole) return "(" + embedded->front().text + ")";
    std::string pattern, arguments;
    std::size_t at = 0, index = 0;
    for (const auto& each : *embedded) {
        // `offset` points at the expression or at its braces: either way the braces are what is cut out.
        const auto open = text.rfind("${{", each.offset);
        const auto close = text.find("}}", each.offset + each.text.size());
        for (const char c : text.substr(at, open - at)) {
            pattern += c;
            if (c == '{' || c == '}') pattern += c;
        }
        pattern += "{" + std::to_string(index++) + "}";
        arguments += ", " + each.text;
        at = close == std::string::npos ? text.size() : close + 2;
    }
    for (const char c : text.substr(at)) {
        pattern += c;
        if (c == '{' || c == '}') pattern += c;
    }
    return "format(" + in_quotes(pattern) + arguments + ")";
}

}  // namespace

namespace {

/// As JSON, for what expressions have no literals for.
std::string json_of(const Value& value) {
    if (value.is_null()) return "null";
    if (value.is_bool()) return value.as_bool() ? "true" : "false";
    if (value.is_number()) return number_text(value.as_number());
    std::string result;
    if (value.is_string()) {
        result = "\"";
        for (const char c : value.as_string()) {
            constexpr std::string_view hex = "0123456789abcdef";
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x20) {
                result += "\\u00";
                result += hex[byte >> 4];
                result += hex[byte & 15];
                continue;
            }
            if (c == '"' || c == '\\') result += '\\';
            result += c;
        }
        return result + "\"";
    }
    if (value.is_array()) {
        for (const auto& item : value.as_array()) result += (result.empty() ? "" : ",") + json_of(item);
        return "[" + result + "]";
    }
    for (const auto& [key, item] : value.as_object())
        result += (result.empty() ? "" : ",") + json_of(Value(key)) + ":" + json_of(item);
    return "{" + result + "}";
}

}  // namespace

std::string as_expression(const Value& value) {
    if (value.is_string()) return as_format(value.as_string());
    if (value.is_array() || value.is_object()) return "fromJSON(" + in_quotes(json_of(value)) + ")";
    return json_of(value);
}

}  // namespace cicd::pipeline
