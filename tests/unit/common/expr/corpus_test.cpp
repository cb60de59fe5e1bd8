#include "common/expr/expression.hpp"
#include "common/expr/json.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace cicd;

// Every case of the public conformance data, where it is at hand: expression, contexts, and the value or the error.
namespace {

std::string kind_of(const Value& value) {
    if (value.is_null()) return "Null";
    if (value.is_bool()) return "Boolean";
    if (value.is_number()) return "Number";
    if (value.is_string()) return "String";
    return value.is_array() ? "Array" : "Object";
}

std::string code_of(const std::string& kind) {
    return kind == "lexing" ? "EXPR_001" : kind == "parsing" ? "EXPR_002" : "EXPR_003";
}

void check_case(const Value& example) {
    const std::string& text = example["expr"].as_string();
    CAPTURE(text);
    expr::Scope scope;
    if (example["contexts"].is_object()) scope.contexts = example["contexts"].as_object();
    const auto result = expr::evaluate(text, scope);
    if (example["err"].is_object()) {
        REQUIRE(result.has_error());
        CHECK(result.error().code == code_of(example["err"]["kind"].as_string()));
        CAPTURE(result.error().message);
        CAPTURE(example["err"]["value"].as_string());
        CHECK(result.error().message.find(example["err"]["value"].as_string()) != std::string::npos);
        return;
    }
    if (!result) FAIL_CHECK(result.error().message);
    if (!result) return;
    CHECK(kind_of(*result) == example["result"]["kind"].as_string());
    CHECK(expr::write_json(*result) == expr::write_json(example["result"]["value"]));
}

}  // namespace

TEST_CASE("the public conformance cases pass") {
    const auto folder = std::filesystem::path(CICD_SOURCE_DIR) / "../shared/corpus/expressions";
    if (!std::filesystem::exists(folder)) {
        MESSAGE("the conformance data is not here: the cases in this folder's other tests stand for it");
        return;
    }
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        CAPTURE(entry.path().filename().string());
        std::ifstream file(entry.path(), std::ios::binary);
        const auto document = expr::read_json(std::string(std::istreambuf_iterator<char>(file), {}));
        REQUIRE(std::holds_alternative<Value>(document));
        for (const auto& [group, examples] : std::get<Value>(document).as_object()) {
            for (const auto& example : examples.as_array()) {
                check_case(example);
                ++count;
            }
        }
    }
    CHECK(count > 300);
}
