// A pipeline or component file: parsed and validated; what has no error can be exported and read again as the same.
#include "common/pipeline/parse.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cmath>

using namespace cicd;

namespace {

void require_in_order(const std::vector<Diagnostic>& problems, std::string_view text) {
    const auto lines = static_cast<long>(std::count(text.begin(), text.end(), '\n')) + 2;
    for (const auto& problem : problems) {
        fuzz::require(!problem.message.empty(), "a problem has a message");
        fuzz::require(problem.line >= 0 && problem.column >= 0, "a problem's place is no negative one", problem.message);
        fuzz::require(std::count(text.begin(), text.end(), '\r') > 0 || problem.line <= lines,
                      "a problem's line is in the file", problem.message);
    }
}

bool holds_nan(const Value& value) {
    if (value.is_number()) return std::isnan(value.as_number());
    if (value.is_array())
        for (const auto& element : value.as_array())
            if (holds_nan(element)) return true;
    if (value.is_object())
        for (const auto& [key, member] : value.as_object())
            if (holds_nan(member)) return true;
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = fuzz::as_text(data, size);
    const auto choice = fuzz::take_byte(text);
    if (choice == 'c') {
        require_in_order(pipeline::parse_component(text, "component.yaml").problems, text);
        return 0;
    }
    if (choice == 'v') {
        const auto parsed = pipeline::parse_yaml(text, "config.yaml");
        require_in_order(parsed.problems, text);
        if (!parsed.ok()) return 0;
        const auto written = pipeline::to_yaml(parsed.value);
        const auto again = pipeline::parse_yaml(written, "again.yaml");
        fuzz::require(again.ok(), "what is written as YAML can be read", written);
        if (holds_nan(parsed.value)) return 0;  // it differs from itself
        fuzz::require(again.value == parsed.value, "what is written as YAML is the same when it is read", written);
        return 0;
    }
    const auto parsed = pipeline::parse_pipeline(text, "pipeline.yaml");
    require_in_order(parsed.problems, text);
    if (!parsed.ok()) return 0;
    const auto written = pipeline::export_yaml(parsed.value);
    const auto again = pipeline::parse_pipeline(written, "again.yaml");
    fuzz::require(again.ok(), "an exported pipeline has no error", written);
    fuzz::require(again.value == parsed.value, "an exported pipeline is the same when it is read", written);
    return 0;
}
