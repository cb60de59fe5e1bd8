#include "common/pipeline/parse.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

// Workflows that run: each folder of cases has a cases.json, with for each case its `event` and its `err`: empty where the
// run succeeds, "Job 'x' failed" where it fails with that job. A case's folder lies in the root of a repository of its own.
// Beside the workflow may lie event.json (what the event tells), .env (variables) and .secrets.

using namespace cicd;
using namespace cicd::test;

namespace fs = std::filesystem;

namespace {

/// What a case is run with besides what its folder tells.
const std::map<std::string, std::vector<std::string>> options_of_cases{
    {"matrix-with-user-inclusions", {"--matrix", "os=ubuntu-18.04", "--matrix", "node=8", "--matrix", "node=8.x"}},
};
/// Files of a case's own project that lie outside of its folder.
const std::map<std::string, std::vector<std::pair<std::string, std::string>>> files_around_cases{
    {"uses-workflow-defaults",
     {{".github/workflows/local-reusable-and-dispatch.yml",
       "on:\n  workflow_dispatch:\n  workflow_call:\n    inputs:\n      my-val: {type: string, required: true}\n"
       "jobs:\n  show:\n    runs-on: ubuntu-latest\n    steps:\n      - run: test \"${{ inputs.my-val }}\" = 'passed value from main'\n"}}},
};

std::string workflow_in(const fs::path& folder) {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto name = entry.path().filename().string();
        if ((name.ends_with(".yml") || name.ends_with(".yaml")) && !name.starts_with("action.")) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found.empty() ? "" : found.front();
}

/// NAME=VALUE lines, as the cases have them.
std::vector<std::pair<std::string, std::string>> secrets_in(const fs::path& file) {
    std::vector<std::pair<std::string, std::string>> found;
    std::istringstream lines(read_file(file));
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals == line.npos) continue;
        auto value = line.substr(equals + 1);
        if (value.starts_with('"') && value.ends_with('"')) {
            value = value.substr(1, value.size() - 2);
            for (auto at = value.find("\\n"); at != value.npos; at = value.find("\\n", at)) value.replace(at, 2, "\n");
        }
        found.emplace_back(line.substr(0, equals), value);
    }
    return found;
}

struct Verdict {
    bool right = false;
    std::string why;
};

Verdict run_case(const fs::path& cases, const Value& wanted) {
    const auto name = wanted["case"].as_string(), event = wanted["event"].as_string(), err = wanted["err"].as_string();
    const auto folder = cases / name;
    GitRepository repository{{"README", "a case\n"}};
    const auto top = name.substr(0, name.find('/'));
    fs::copy(cases / top, repository.path() / top, fs::copy_options::recursive);
    if (const auto around = files_around_cases.find(name); around != files_around_cases.end())
        for (const auto& [file, text] : around->second) repository.write(file, text);
    repository.commit(name);
    World world;
    auto options = world.in(repository.path());
    if (fs::exists(folder / ".secrets"))
        for (const auto& [secret, value] : secrets_in(folder / ".secrets")) {
            auto input = options;
            input.input = value;
            const auto set = world.cicdctl({"secret", "set", secret}, input);
            if (set.code != 0) return {false, "secret set: " + set.err};
        }
    const auto file = workflow_in(folder);
    std::vector<std::string> command{"run", "-f", name + "/" + file};
    if (event != "?") command.insert(command.end(), {"--event", event});
    if (fs::exists(folder / "event.json")) command.insert(command.end(), {"--event-file", name + "/event.json"});
    if (fs::exists(folder / ".env")) command.insert(command.end(), {"--env-file", name + "/.env"});
    if (const auto more = options_of_cases.find(name); more != options_of_cases.end())
        command.insert(command.end(), more->second.begin(), more->second.end());
    const auto outcome = world.cicdctl(command, options);
    const auto said = "exit " + std::to_string(outcome.code) + "\n" + outcome.out + outcome.err;
    if (err.empty()) return {outcome.code == 0, said};
    if (outcome.code != 1) return {false, said};
    const auto quote = err.find('\'');
    const auto job = "jobs." + err.substr(quote + 1, err.find('\'', quote + 1) - quote - 1);
    const auto run = world.json({"show", "run-1"});
    if (!run["jobs"].is_array()) return {false, said};
    for (const auto& each : run["jobs"].as_array()) {
        const auto key = each["key"].as_string();
        if ((key == job || key.starts_with(job + " (")) && each["status"] == Value("failed")) return {true, ""};
    }
    return {false, "the job that failed is not " + job + "\n" + said};
}

void run_cases(const fs::path& cases) {
    const auto list = pipeline::parse_yaml(read_file(cases / "cases.json"), "cases.json");
    REQUIRE(list.ok());
    const char* only = std::getenv("CICD_CONFORMANCE_CASE");
    int right = 0, all = 0;
    for (const auto& wanted : list.value.as_array()) {
        const auto name = wanted["case"].as_string();
        if (only && name != only) continue;
        ++all;
        const auto verdict = run_case(cases, wanted);
        right += verdict.right;
        INFO(name, ": ", verdict.why);
        CHECK(verdict.right);
    }
    std::cout << cases.string() << ": " << right << " of " << all << " cases end as they should\n";
}

}  // namespace

TEST_CASE("our own workflows end as they should") { run_cases(fs::path(CICD_SOURCE_DIR) / "tests/conformance/github"); }

TEST_CASE("public workflows end as they should") {
    const char* given = std::getenv("CICD_CONFORMANCE_CASES");
    const auto cases = given ? fs::path(given) : fs::path(CICD_SOURCE_DIR) / "../shared/corpus/runs/act";
    if (!fs::exists(cases / "cases.json")) {
        MESSAGE("skipped: there are no cases in ", cases.string(), "; name a folder with CICD_CONFORMANCE_CASES");
        return;
    }
    run_cases(cases);
}
