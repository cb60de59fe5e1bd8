#include "common/pipeline/parse.hpp"

#include "common/pipeline/readers.hpp"

#include <algorithm>
#include <type_traits>

namespace cicd::pipeline {
namespace {

template <class T>
Parsed<T> build(const Document& document, const std::string& file, std::string_view source,
                T (*read)(Builder&, const Cursor&)) {
    Parsed<T> parsed{{}, document.problems};
    if (!document.root) return parsed;
    if constexpr (!std::is_same_v<T, Value>) {
        if (document.root->kind == NodeKind::null && document.root->text.empty()) {
            parsed.problems.push_back(
                {Severity::error, file, 1, 1, "", "the file is empty", "begin with 'name:' and what it does"});
            return parsed;
        }
    }
    if (source.starts_with("\xEF\xBB\xBF")) source.remove_prefix(3);
    Builder builder(file, source);
    parsed.value = read(builder, Cursor{document.root, nullptr, {}, 0});
    auto problems = builder.take_problems();
    parsed.problems.insert(parsed.problems.end(), std::make_move_iterator(problems.begin()),
                           std::make_move_iterator(problems.end()));
    std::stable_sort(parsed.problems.begin(), parsed.problems.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return a.severity != Severity::note && (b.severity == Severity::note || a.line < b.line);
    });
    return parsed;
}

Value read_value(Builder&, const Cursor& at) {
    return to_value(*at.node);
}

}  // namespace

Parsed<model::Pipeline> parse_pipeline(std::string_view yaml, const std::string& file) {
    return build(load_yaml(yaml, file), file, yaml, read_pipeline);
}

Parsed<model::Pipeline> parse_pipeline(const Value& definition, const std::string& file) {
    return build(load_value(definition, file), file, {}, read_pipeline);
}

Parsed<model::Component> parse_component(std::string_view yaml, const std::string& file) {
    return build(load_yaml(yaml, file), file, yaml, read_component);
}

Parsed<Value> parse_yaml(std::string_view yaml, const std::string& file) {
    return build(load_yaml(yaml, file), file, {}, read_value);
}

Error as_error(const std::vector<Diagnostic>& problems) {
    std::size_t errors = 0;
    const Diagnostic* first = nullptr;
    for (const auto& problem : problems) {
        if (problem.severity != Severity::error) continue;
        if (!first) first = &problem;
        ++errors;
    }
    std::string message = "the definition is not valid";
    if (first) {
        const std::string place =
            first->line > 0 ? first->file + ":" + std::to_string(first->line) + ":" + std::to_string(first->column)
            : first->pointer.empty() ? first->file
                                     : first->file + "#" + first->pointer;
        message = place + ": " + first->message;
        if (errors > 1) message += " (and " + std::to_string(errors - 1) + " more)";
    }
    Error error = invalid("PIPELINE_006", std::move(message), first ? first->suggestion : "");
    error.problems = problems;
    return error;
}

}  // namespace cicd::pipeline
