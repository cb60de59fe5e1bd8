#include "common/pipeline/convert.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace cicd;

namespace {

pipeline::Converted convert(const std::string& text) {
    const auto front = pipeline::read_front(model::Dialect::github, text, "ci.yml", {});
    for (const auto& problem : front.parsed.problems) MESSAGE(problem.message);
    REQUIRE(front.parsed.ok());
    return pipeline::convert(front, "ci.yml");
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a workflow becomes a pipeline of ours that reads without an error") {
    const auto made = convert(
        "name: CI\non: {push: {branches: [main]}, workflow_dispatch: , issues: }\nenv: {A: '${{ github.sha }}'}\njobs:\n"
        "  build:\n    runs-on: ubuntu-latest\n    outputs: {v: '${{ steps.v.outputs.v }}'}\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - uses: actions/cache@v4\n        with: {key: k, path: dir}\n"
        "      - {id: v, run: 'echo ${{ github.ref_name }}'}\n      - uses: actions/upload-artifact@v4\n        with: {name: x, path: out/}\n"
        "  test:\n    needs: build\n    if: needs.build.result == 'success'\n    runs-on: ubuntu-latest\n    steps: [{uses: some/action@v1}, {run: make}]\n"
        "  mac:\n    runs-on: macos-14\n    steps: [{run: 'true'}]\n");
    INFO(made.yaml);
    const auto again = pipeline::parse_pipeline(made.yaml, "again.yaml");
    for (const auto& problem : again.problems) FAIL_CHECK(problem.line << ": " << problem.message);
    CHECK(again.value.stages.at(0).jobs.size() == 3);
    CHECK(contains(made.yaml, "git.refName"));
    CHECK(contains(made.yaml, "git.commit"));
    CHECK(again.value.stages[0].jobs[0].artifacts.at(0).name == "x");
    CHECK(again.value.stages[0].jobs[0].cache.at(0).key == "k");
    CHECK(again.value.stages[0].jobs[2].condition == "false");
    CHECK(contains(made.yaml, "# to do: line 19: some/action@v1"));
    CHECK(made.report.count(pipeline::Carried::unsupported) == 2);  // on: issues, the job on macOS
}

TEST_CASE("real workflows convert to what reads without an error") {
    const auto folder = std::filesystem::path(CICD_SOURCE_DIR) / "../shared/corpus/pipelines/github";
    if (!std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: there is no folder ", folder.string());
        return;
    }
    int files = 0, clean = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto front = pipeline::read_front(model::Dialect::github, text, entry.path().filename().string(), {});
        if (!front.parsed.ok()) continue;
        ++files;
        const auto made = pipeline::convert(front, "x.yml");
        const auto again = pipeline::parse_pipeline(made.yaml, "again.yaml");
        clean += again.ok();
        for (const auto& problem : again.problems)
            if (problem.severity == Severity::error) MESSAGE(entry.path().filename().string(), ": ", problem.pointer, ": ", problem.message);
    }
    MESSAGE(clean, " of ", files, " workflows become pipelines without an error");
    CHECK(clean * 10 >= files * 9);
}
