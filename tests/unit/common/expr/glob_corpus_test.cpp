#include "common/base/glob.hpp"
#include "common/expr/json.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace cicd;

// The public conformance data of common/base's globs; it is here because reading it takes JSON, which base has not.
namespace {

Value conformance_data(const char* name) {
    const auto path = std::filesystem::path(CICD_SOURCE_DIR) / "../shared/corpus/globs" / name;
    if (!std::filesystem::exists(path)) {
        MESSAGE("the conformance data is not here: the cases in common/base's own tests stand for it");
        return {};
    }
    std::ifstream file(path, std::ios::binary);
    const auto document = expr::read_json(std::string(std::istreambuf_iterator<char>(file), {}));
    REQUIRE(std::holds_alternative<Value>(document));
    return std::get<Value>(document);
}

std::vector<std::string> texts(const Value& items) {
    std::vector<std::string> all;
    for (const auto& item : items.as_array()) all.push_back(item.as_string());
    return all;
}

}  // namespace

// skipResult: `paths:` with these patterns skips the run; filterResult: `paths-ignore:` with them does.
TEST_CASE("GitHub's filter patterns pass the conformance cases") {
    const Value cases = conformance_data("github_filter_patterns_act.json");
    if (cases.is_null()) return;
    for (const auto& example : cases.as_array()) {
        const auto patterns = texts(example["patterns"]);
        const auto inputs = texts(example["inputs"]);
        CAPTURE(expr::write_json(example));
        const auto compiled = FilterPatterns::compile(patterns);
        REQUIRE(compiled.has_value());
        CHECK((!compiled->empty() && !compiled->any_selected(inputs)) == example["skipResult"].as_bool());
        CHECK(compiled->all_ignored(inputs) == example["filterResult"].as_bool());
    }
}

TEST_CASE("file globs pass the conformance cases") {
    const Value cases = conformance_data("doublestar.json");
    if (cases.is_null()) return;
    for (const auto& example : cases.as_array()) {
        CAPTURE(expr::write_json(example));
        const auto matched = glob_match(example["pattern"].as_string(), example["path"].as_string());
        CHECK(matched.has_error() == example["err"].is_string());
        if (matched) CHECK(*matched == example["match"].as_bool());
    }
}
