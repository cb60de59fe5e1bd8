#include "common/codec/json.hpp"
#include "common/pipeline/parse.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
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

/// Where an import may do something else, and what.
const std::map<std::string, std::string> imports_that_differ{
    {"defaults-run", "SHELL names the user's shell, not the one that runs the step"},
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

/// A case in a repository of its own, and a daemon that knows its secrets.
struct Prepared {
    Prepared(const fs::path& cases, const std::string& name) : folder(cases / name) {
        const auto top = name.substr(0, name.find('/'));
        fs::copy(cases / top, repository.path() / top, fs::copy_options::recursive);
        if (const auto around = files_around_cases.find(name); around != files_around_cases.end())
            for (const auto& [file, text] : around->second) repository.write(file, text);
        repository.commit(name);
        options = world.in(repository.path());
        if (!fs::exists(folder / ".secrets")) return;
        for (const auto& [secret, value] : secrets_in(folder / ".secrets")) {
            auto input = options;
            input.input = value;
            const auto set = world.cicdctl({"secret", "set", secret}, input);
            INFO(set.err);
            CHECK(set.code == 0);
        }
    }

    /// What a run of `file` is told besides its event.
    std::vector<std::string> command(const std::string& name, const std::string& file) const {
        std::vector<std::string> words{"run", "-f", file};
        if (fs::exists(folder / "event.json")) words.insert(words.end(), {"--event-file", name + "/event.json"});
        if (fs::exists(folder / ".env")) words.insert(words.end(), {"--env-file", name + "/.env"});
        if (const auto more = options_of_cases.find(name); more != options_of_cases.end())
            words.insert(words.end(), more->second.begin(), more->second.end());
        return words;
    }

    fs::path folder;
    GitRepository repository{{"README", "a case\n"}};
    World world;
    RunOptions options;
};

Verdict run_case(const fs::path& cases, const Value& wanted) {
    const auto name = wanted["case"].as_string(), event = wanted["event"].as_string(), err = wanted["err"].as_string();
    Prepared prepared(cases, name);
    auto command = prepared.command(name, name + "/" + workflow_in(prepared.folder));
    if (event != "?") command.insert(command.end(), {"--event", event});
    const auto outcome = prepared.world.cicdctl(command, prepared.options);
    const auto said = "exit " + std::to_string(outcome.code) + "\n" + outcome.out + outcome.err;
    if (err.empty()) return {outcome.code == 0, said};
    if (outcome.code != 1) return {false, said};
    const auto quote = err.find('\'');
    const auto job = "jobs." + err.substr(quote + 1, err.find('\'', quote + 1) - quote - 1);
    const auto run = prepared.world.json({"show", "run-1"});
    if (!run["jobs"].is_array()) return {false, said};
    for (const auto& each : run["jobs"].as_array()) {
        const auto key = each["key"].as_string();
        if ((key == job || key.starts_with(job + " (")) && each["status"] == Value("failed")) return {true, ""};
    }
    return {false, "the job that failed is not " + job + "\n" + said};
}

/// Each job with its result and its outputs.
using Results = std::map<std::string, std::string>;

Results results_of(World& world) {
    Results results;
    const auto run = world.json({"show", "run-1"});
    if (!run["jobs"].is_array()) return results;
    for (const auto& job : run["jobs"].as_array())
        results[job["key"].as_string()] = job["status"].as_string() + " " + codec::to_json(job["outputs"]);
    return results;
}

std::string text_of(const Results& results) {
    std::string text;
    for (const auto& [job, result] : results) text += "  " + job + ": " + result + "\n";
    return text;
}

/// Nothing where the report says that something cannot be carried over: then both need not be the same.
std::optional<Verdict> compare_import(const fs::path& cases, const Value& wanted) {
    const auto name = wanted["case"].as_string(), event = wanted["event"].as_string();
    Prepared as_it_is(cases, name), imported(cases, name);
    const auto file = name + "/" + workflow_in(as_it_is.folder);
    const auto import = imported.world.cicdctl({"import", file, "-o", "json"}, imported.options);
    const auto told = codec::parse_json(import.out);
    if (!told) return Verdict{false, "import: " + import.out + import.err};
    const auto& entry = (*told)["data"].as_array().front();
    if (entry["valid"] != Value(true)) return std::nullopt;
    if (entry["unsupported"] != Value(0) || entry["manual"] != Value(0)) return std::nullopt;
    imported.repository.write("imported.cicd.yaml", entry["definition"].as_string());
    imported.repository.commit("imported");
    auto command = as_it_is.command(name, file);
    if (event != "?") command.insert(command.end(), {"--event", event});
    (void)as_it_is.world.cicdctl(command, as_it_is.options);
    command = imported.command(name, "imported.cicd.yaml");
    command.insert(command.end(), {"--event", event == "push" || event == "pull_request" ? event : "manual"});
    const auto outcome = imported.world.cicdctl(command, imported.options);
    const auto there = results_of(as_it_is.world), here = results_of(imported.world);
    if (there == here && !there.empty()) return Verdict{true, ""};
    return Verdict{false, "the workflow:\n" + text_of(there) + "its import:\n" + text_of(here) + outcome.out + outcome.err +
                              entry["definition"].as_string()};
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

/// How many could be compared.
int compare_imports(const fs::path& cases) {
    const auto list = pipeline::parse_yaml(read_file(cases / "cases.json"), "cases.json");
    REQUIRE(list.ok());
    const char* only = std::getenv("CICD_CONFORMANCE_CASE");
    int compared = 0, same = 0;
    for (const auto& wanted : list.value.as_array()) {
        const auto name = wanted["case"].as_string();
        if (only && name != only) continue;
        if (imports_that_differ.contains(name)) continue;
        const auto verdict = compare_import(cases, wanted);
        if (!verdict) continue;
        ++compared;
        same += verdict->right;
        INFO(name, ": ", verdict->why);
        CHECK(verdict->right);
    }
    std::cout << cases.string() << ": " << same << " of " << compared << " imports do as their workflows\n";
    return only ? 100 : compared;
}

/// Where there are any.
std::optional<fs::path> public_cases() {
    const char* given = std::getenv("CICD_CONFORMANCE_CASES");
    const auto cases = given ? fs::path(given) : fs::path(CICD_SOURCE_DIR) / "../shared/corpus/runs/act";
    if (fs::exists(cases / "cases.json")) return cases;
    MESSAGE("skipped: there are no cases in ", cases.string(), "; name a folder with CICD_CONFORMANCE_CASES");
    return std::nullopt;
}

}  // namespace

TEST_CASE("our own workflows end as they should") { run_cases(fs::path(CICD_SOURCE_DIR) / "tests/conformance/github"); }

TEST_CASE("public workflows end as they should") {
    if (const auto cases = public_cases()) run_cases(*cases);
}

TEST_CASE("the imports of our own workflows do as the workflows") {
    CHECK(compare_imports(fs::path(CICD_SOURCE_DIR) / "tests/conformance/github") >= 3);
}

TEST_CASE("the imports of public workflows do as the workflows") {
    if (const auto cases = public_cases()) CHECK(compare_imports(*cases) >= 12);
}
