#include "common/codec/json.hpp"
#include "common/pipeline/parse.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace cicd;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(CICD_SOURCE_DIR) / "tests/golden/pipelines";

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<fs::path> files(const fs::path& folder) {
    std::vector<fs::path> list;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".yaml") list.push_back(entry.path());
    std::sort(list.begin(), list.end());
    REQUIRE(!list.empty());
    return list;
}

std::string listed(const std::vector<Diagnostic>& problems) {
    std::string text;
    for (const auto& p : problems) {
        text += std::to_string(p.line) + ":" + std::to_string(p.column) + " " + p.pointer + " " + p.message;
        if (!p.suggestion.empty()) text += " [" + p.suggestion + "]";
        text += "\n";
    }
    return text;
}

void check_round_trip(const model::Pipeline& pipeline) {
    const auto yaml = pipeline::export_yaml(pipeline);
    const auto from_yaml = pipeline::parse_pipeline(yaml, "export.yaml");
    CHECK_MESSAGE(listed(from_yaml.problems) == "", yaml);
    CHECK_MESSAGE(from_yaml.value == pipeline, yaml);
    const auto value = pipeline::export_value(pipeline);
    const auto from_value = pipeline::parse_pipeline(value, "export.json");
    CHECK(listed(from_value.problems) == "");
    CHECK(from_value.value == pipeline);
    CHECK(pipeline::export_yaml(from_yaml.value) == yaml);
}

}  // namespace

TEST_CASE("valid pipelines have no problem, and come back the same from YAML and from JSON") {
    std::vector<fs::path> all = files(golden / "valid");
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(CICD_SOURCE_DIR) / "examples"))
        if (entry.path().filename() == "pipeline.yaml") all.push_back(entry.path());
    for (const auto& path : all) {
        CAPTURE(path.string());
        const auto parsed = pipeline::parse_pipeline(read(path), path.filename().string());
        CHECK(listed(parsed.problems) == "");
        check_round_trip(parsed.value);
    }
}

// Beside each file: its problems, as a person sees them. CICD_UPDATE_GOLDEN=1 writes them anew; read the difference.
TEST_CASE("invalid pipelines have exactly the problems beside them, each at its place") {
    for (const char* folder : {"invalid", "invalid-semantic"})
        for (const auto& path : files(golden / folder)) {
            CAPTURE(path.string());
            const auto parsed = pipeline::parse_pipeline(read(path), path.filename().string());
            CHECK_FALSE(parsed.ok());
            const auto expected = fs::path(path).replace_extension(".txt");
            if (std::getenv("CICD_UPDATE_GOLDEN")) std::ofstream(expected) << listed(parsed.problems);
            CHECK(listed(parsed.problems) == read(expected));
        }
}

TEST_CASE("the export of the language's long example is the one beside it") {
    const auto parsed = pipeline::parse_pipeline(read(golden / "valid/complete.yaml"), "complete.yaml");
    const auto expected = golden / "exported/complete.yaml";
    const auto yaml = pipeline::export_yaml(parsed.value);
    if (std::getenv("CICD_UPDATE_GOLDEN")) {
        fs::create_directories(expected.parent_path());
        std::ofstream(expected) << yaml;
    }
    CHECK(yaml == read(expected));
}

TEST_CASE("JSON text is YAML too") {
    const auto parsed = pipeline::parse_pipeline(read(golden / "valid/complete.yaml"), "complete.yaml");
    const auto json = codec::to_json(pipeline::export_value(parsed.value), 2);
    CHECK(pipeline::parse_pipeline(json, "x.json").value == parsed.value);
}
