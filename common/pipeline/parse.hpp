#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "common/model/pipeline.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Text → model. Native front end; every problem is reported at once, with file, line, column and JSON pointer.
namespace cicd::pipeline {

template <class T>
struct Parsed {
    T value;                           ///< best effort where there are errors; complete where there are none
    std::vector<Diagnostic> problems;  ///< errors and warnings, in file order
    [[nodiscard]] bool ok() const {
        for (const auto& p : problems)
            if (p.severity == Severity::error) return false;
        return true;
    }
};

/// YAML 1.2 core schema (JSON included). `file` only names the text in diagnostics. Includes syntax, schema and
/// semantic checks (names, needs, cycles with their path, expressions' syntax and contexts).
Parsed<model::Pipeline> parse_pipeline(std::string_view yaml, const std::string& file);
inline Parsed<model::Pipeline> parse_pipeline(const std::string& yaml, const std::string& file) {
    return parse_pipeline(std::string_view(yaml), file);  // a string is YAML, never a JSON text value
}
inline Parsed<model::Pipeline> parse_pipeline(const char* yaml, const std::string& file) {
    return parse_pipeline(std::string_view(yaml), file);
}
/// The same from JSON that came over the API.
Parsed<model::Pipeline> parse_pipeline(const Value& definition, const std::string& file);
Parsed<model::Component> parse_component(std::string_view yaml, const std::string& file);

/// Any YAML document as a value (for configuration files); the same limits hold.
Parsed<Value> parse_yaml(std::string_view yaml, const std::string& file);

/// The model in the language's one shape; parse(export(p)) == p.
Value export_value(const model::Pipeline& pipeline);
std::string export_yaml(const model::Pipeline& pipeline);
std::string to_yaml(const Value& value);

/// An error that carries the problems, for callers that give up on any.
Error as_error(const std::vector<Diagnostic>& problems);

}  // namespace cicd::pipeline
