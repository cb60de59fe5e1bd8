#include "common/pipeline/comments.hpp"
#include "common/pipeline/convert.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace cicd;
using cicd::test::contains;

namespace {

pipeline::Converted convert(const std::string& text) {
    const auto front = pipeline::read_front(model::Dialect::github, text, "ci.yml", {});
    for (const auto& problem : front.parsed.problems) MESSAGE(problem.message);
    REQUIRE(front.parsed.ok());
    return pipeline::convert(front, "ci.yml");
}

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

TEST_CASE("a GitLab file becomes a pipeline of ours: what runs tell is an expression, comments stand at their jobs") {
    pipeline::FrontOptions options;
    options.facts.every_run = true;
    options.facts.event.branch = "main";
    const auto front = pipeline::read_front(model::Dialect::gitlab,
        "include: nowhere.yml\nvariables: {ALL: x, NAME: '$CI_COMMIT_SHORT_SHA-y'}\none: {script: ['echo $NAME $CI_COMMIT_BRANCH'], coverage: /x/}\n"
        "two: {script: [make], rules: [{if: '$CI_COMMIT_BRANCH == \"other\"'}]}\n", ".gitlab-ci.yml", options);
    REQUIRE(front.parsed.ok());
    const auto made = pipeline::convert(front, ".gitlab-ci.yml");
    INFO(made.yaml);
    const auto again = pipeline::parse_pipeline(made.yaml, "again.yaml");
    for (const auto& problem : again.problems) FAIL_CHECK(problem.line << ": " << problem.message);
    CHECK(contains(made.yaml, "${{ git.shortCommit }}-y"));
    CHECK(contains(made.yaml, "${{ git.branch }}"));
    CHECK_FALSE(contains(made.yaml, "CI_SERVER_HOST"));
    CHECK(contains(made.yaml, "      # differs: line 3: coverage: the number is not looked for in the log\n      one:\n"));
    CHECK(contains(made.yaml, "      two:\n        condition: git.branch == 'other'\n"));
    CHECK(again.value.name == "gitlab-ci");
    const auto env = model::Texts{{"ALL", "x"}};
    CHECK(std::find(again.value.env.begin(), again.value.env.end(), env[0]) != again.value.env.end());
}

TEST_CASE("real GitLab and Bitbucket files convert to what reads without an error") {
    int files = 0, clean = 0;
    for (const auto& [folder, dialect] : {std::pair{"gitlab", model::Dialect::gitlab}, {"gitlab-templates", model::Dialect::gitlab}, {"bitbucket", model::Dialect::bitbucket}}) {
        const auto path = std::filesystem::path(CICD_SOURCE_DIR) / "../shared/corpus/pipelines" / folder;
        if (!std::filesystem::is_directory(path)) {
            MESSAGE("skipped: there is no folder ", path.string());
            continue;
        }
        for (const auto& entry : std::filesystem::directory_iterator(path)) {
            std::ifstream file(entry.path());
            const std::string text{std::istreambuf_iterator<char>(file), {}};
            pipeline::FrontOptions options;
            options.facts.every_run = true;
            options.facts.event.branch = "main";
            const auto front = pipeline::read_front(dialect, text, entry.path().filename().string(), options);
            if (!front.parsed.ok() || front.parsed.value.stages.empty()) continue;
            ++files;
            const auto again = pipeline::parse_pipeline(pipeline::convert(front, "x.yml").yaml, "again.yaml");
            clean += again.ok();
            for (const auto& problem : again.problems)
                if (problem.severity == Severity::error) MESSAGE(entry.path().filename().string(), ": ", problem.pointer, ": ", problem.message);
        }
    }
    MESSAGE(clean, " of ", files, " files become pipelines without an error");
    CHECK(clean == files);
}

namespace {

std::string imported(model::Dialect dialect, const std::string& text, const std::string& file) {
    pipeline::FrontOptions options;
    options.facts.every_run = true;
    options.facts.event.branch = "main";
    const auto front = pipeline::read_front(dialect, text, file, options);
    REQUIRE(front.parsed.ok());
    const auto made = pipeline::convert(front, file, {{file, text}});
    // Comments change nothing of what is read.
    CHECK(pipeline::export_value(pipeline::parse_pipeline(made.yaml, "a").value) == pipeline::export_value(made.pipeline));
    return made.yaml;
}

}  // namespace

TEST_CASE("comments of a workflow come out above what they are about; a header stays on top") {
    const auto yaml = imported(model::Dialect::github,
        "# SPDX-License-Identifier: MIT\n# Copyright somebody\n\n# what it does\nname: CI\non: push  # every one\nenv:\n  # how loud\n  LEVEL: '1'\njobs:\n"
        "  # makes it\n  build:\n    runs-on: ubuntu-latest\n    # later a file\n    # with more\n    steps:\n"
        "      # without it nothing works\n      - run: |\n          # of the shell\n          make '#'\n      - run: echo \"# none\" # the last\n", "ci.yml");
    INFO(yaml);
    CHECK(yaml.starts_with("# SPDX-License-Identifier: MIT\n# Copyright somebody\n\n# From ci.yml.\n"));
    CHECK(contains(yaml, "\n# what it does\nname: CI\n"));
    CHECK((contains(yaml, "# every one\ntriggers:") || contains(yaml, "# every one\n  - {type: push}")));
    CHECK(contains(yaml, "# how loud\n"));
    CHECK((contains(yaml, "      # makes it\n      build:") || contains(yaml, "  # makes it\n  - name: build")));
    CHECK(contains(yaml, "# later a file\n"));
    CHECK(contains(yaml, "# without it nothing works\n          - |\n            # of the shell\n            make '#'\n          # the last\n"));
}

TEST_CASE("comments of GitLab's and Bitbucket's files come out above what they are about") {
    const auto gitlab = imported(model::Dialect::gitlab,
        "variables:\n  # whom\n  WHO: world # all of it\nstages:\n  - build # first\n  - test\n.base:\n  script:\n    # from the template\n    - make\n"
        "# the compiler\none:\n  extends: .base\n  stage: build\n  # only here\n  rules: [{if: $CI_COMMIT_TAG}]\n  # kept\n  artifacts: {paths: [out]}\n"
        "two:\n  script:\n    # says it\n    - 'echo # not one'\n# the end\n", ".gitlab-ci.yml");
    INFO(gitlab);
    CHECK((contains(gitlab, "  # whom\n  # all of it\n  WHO: world\n") || contains(gitlab, "# whom\n# all of it\nenv: {WHO: world}")));
    CHECK(contains(gitlab, "  # first\n  - name: build\n"));
    CHECK(contains(gitlab, "      # the compiler\n      one:\n"));
    CHECK(contains(gitlab, "        # only here\n        condition: git.tag != ''\n"));
    CHECK(contains(gitlab, "          # from the template\n          - make\n"));
    CHECK(contains(gitlab, "        # kept\n        artifacts:"));
    CHECK(contains(gitlab, "# says it\n"));
    CHECK(contains(gitlab, "# the end\n"));
    CHECK_FALSE(contains(gitlab, "\n# not one"));
    const auto bitbucket = imported(model::Dialect::bitbucket,
        "# about it\npipelines:\n  default:\n    # first\n    - step:\n        name: Build\n        script:\n          # make it\n          - make\n    # second\n    - step: {name: Test, script: [test]} # short\n",
        "bitbucket-pipelines.yml");
    INFO(bitbucket);
    CHECK(bitbucket.starts_with("# about it\n"));
    CHECK(contains(bitbucket, "  # first\n  - name: Build\n"));
    CHECK(contains(bitbucket, "# make it\n"));
    CHECK(contains(bitbucket, "  # second\n  # short\n  - name: Test\n"));
}

TEST_CASE("no comment of a real file makes its pipeline another one") {
    std::size_t comments = 0;
    for (const auto& [folder, dialect] : {std::pair{"github", model::Dialect::github}, {"gitlab", model::Dialect::gitlab}, {"bitbucket", model::Dialect::bitbucket}}) {
        const auto path = std::filesystem::path(CICD_SOURCE_DIR) / "../shared/corpus/pipelines" / folder;
        if (!std::filesystem::is_directory(path)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(path)) {
            std::ifstream file(entry.path());
            const std::string text{std::istreambuf_iterator<char>(file), {}}, name = entry.path().filename().string();
            pipeline::FrontOptions options;
            options.facts.every_run = true;
            options.facts.event.branch = "main";
            const auto front = pipeline::read_front(dialect, text, name, options);
            if (!front.parsed.ok() || front.parsed.value.stages.empty()) continue;
            const auto plain = pipeline::convert(front, name), with = pipeline::convert(front, name, {{name, text}});
            CHECK(pipeline::export_value(pipeline::parse_pipeline(plain.yaml, name).value) == pipeline::export_value(pipeline::parse_pipeline(with.yaml, name).value));
            std::size_t lost = 0;
            for (const auto& comment : pipeline::comments_of(text))
                for (const auto& line : comment.text) ++comments, lost += !contains(with.yaml, line);
            CHECK_MESSAGE(lost == 0, name);
        }
    }
    MESSAGE(comments, " comments are kept");
}
