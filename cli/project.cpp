#include "cli/project.hpp"

#include "cli/files.hpp"
#include "common/base/value.hpp"
#include "common/codec/json.hpp"
#include "common/pipeline/parse.hpp"

#include <algorithm>

namespace cicd::cli {
namespace {

struct Stage {
    std::string name;
    std::vector<std::string> commands;
};

struct Kind {
    std::string name;
    std::vector<Stage> stages;
};

bool has(const std::filesystem::path& root, const std::string& name) {
    std::error_code fault;
    return std::filesystem::exists(root / name, fault);
}

std::string text_of(const std::filesystem::path& file) {
    auto text = read_text(file);
    return text ? *std::move(text) : std::string();
}

bool mentions(const std::filesystem::path& file, std::string_view word) {
    return text_of(file).find(word) != std::string::npos;
}

Kind cmake(const std::filesystem::path& root) {
    const bool tests =
        mentions(root / "CMakeLists.txt", "enable_testing") || mentions(root / "CMakeLists.txt", "include(CTest)");
    Kind kind{"CMake",
              {{"build", {"cmake -S . -B build -DCMAKE_BUILD_TYPE=Release", "cmake --build build --parallel"}}}};
    // Workspaces are not shared, so the tests run where the build is.
    if (tests) kind.stages.front().commands.emplace_back("ctest --test-dir build --output-on-failure");
    return kind;
}

Kind make(const std::filesystem::path& root) {
    const auto text = text_of(root / (has(root, "Makefile") ? "Makefile" : "makefile"));
    Kind kind{"make", {{"build", {"make -j\"$(nproc)\""}}}};
    for (const auto* target : {"check", "test"}) {
        if (("\n" + text).find(std::string("\n") + target + ":") == std::string::npos) continue;
        kind.stages.front().commands.push_back(std::string("make ") + target);
        break;
    }
    return kind;
}

Kind node(const std::filesystem::path& root) {
    Kind kind{"npm", {}};
    const auto parsed = codec::parse_json(text_of(root / "package.json"));
    const Value package = parsed ? *parsed : Value();
    std::vector<std::string> commands;
    const auto needs_packages = [&] {
        for (const auto* group : {"dependencies", "devDependencies"})
            if (package[group].is_object() && !package[group].as_object().empty()) return true;
        return false;
    };
    if (needs_packages())
        commands.emplace_back(has(root, "package-lock.json") ? "npm ci --prefer-offline --no-audit"
                                                             : "npm install --prefer-offline --no-audit");
    for (const auto* script : {"lint", "build", "test"})
        if (package["scripts"][script].is_string()) commands.push_back(std::string("npm run ") + script);
    if (commands.empty())
        commands.emplace_back("node --check \"$(node -p 'require(\"./package.json\").main || \"index.js\"')\"");
    kind.stages.push_back({"test", std::move(commands)});
    return kind;
}

Kind python(const std::filesystem::path& root) {
    std::vector<std::string> commands;
    const bool pytest = has(root, "pytest.ini") || has(root, "conftest.py") ||
                        mentions(root / "pyproject.toml", "pytest") || mentions(root / "setup.cfg", "pytest") ||
                        mentions(root / "requirements.txt", "pytest") || mentions(root / "tox.ini", "pytest");
    // Discovery looks only into packages: a folder of tests that is none must be named.
    std::string unittest = "-m unittest discover -v";
    for (const char* folder : {"tests", "test"})
        if (has(root, folder) && !has(root, std::string(folder) + "/__init__.py")) {
            unittest += std::string(" -s ") + folder;
            break;
        }
    if (has(root, "requirements.txt") && !text_of(root / "requirements.txt").empty()) {
        commands.emplace_back("python3 -m venv --system-site-packages .venv");
        commands.emplace_back(".venv/bin/pip install -r requirements.txt");
        commands.push_back(pytest ? ".venv/bin/python -m pytest" : ".venv/bin/python " + unittest);
    } else {
        commands.emplace_back("python3 -m compileall -q .");
        commands.push_back(pytest ? "python3 -m pytest" : "python3 " + unittest);
    }
    return {"Python", {{"test", std::move(commands)}}};
}

std::vector<Kind> recognise(const std::filesystem::path& root) {
    std::vector<Kind> kinds;
    if (has(root, "CMakeLists.txt")) kinds.push_back(cmake(root));
    if (has(root, "meson.build"))
        kinds.push_back(
            {"Meson",
             {{"build", {"meson setup build", "meson compile -C build", "meson test -C build --print-errorlogs"}}}});
    if (has(root, "Cargo.toml"))
        kinds.push_back({"Cargo", {{"build", {"cargo build --locked", "cargo test --locked"}}}});
    if (has(root, "Cargo.toml") && !has(root, "Cargo.lock"))
        kinds.back().stages = {{"build", {"cargo build", "cargo test"}}};
    if (has(root, "go.mod")) kinds.push_back({"Go", {{"build", {"go vet ./...", "go build ./...", "go test ./..."}}}});
    if (has(root, "package.json")) kinds.push_back(node(root));
    if (has(root, "pyproject.toml") || has(root, "requirements.txt") || has(root, "setup.py"))
        kinds.push_back(python(root));
    if (has(root, "pom.xml"))
        kinds.push_back({"Maven", {{"build", {std::string(has(root, "mvnw") ? "./mvnw" : "mvn") + " -B verify"}}}});
    if (has(root, "build.gradle") || has(root, "build.gradle.kts"))
        kinds.push_back(
            {"Gradle", {{"build", {std::string(has(root, "gradlew") ? "./gradlew" : "gradle") + " build"}}}});
    if (has(root, "configure") && !has(root, "CMakeLists.txt"))
        kinds.push_back({"configure", {{"build", {"./configure", "make -j\"$(nproc)\"", "make check"}}}});
    const bool made_otherwise = !kinds.empty() && (kinds.back().name == "configure" || kinds.front().name == "CMake");
    if ((has(root, "Makefile") || has(root, "makefile")) && !made_otherwise && kinds.empty())
        kinds.push_back(make(root));
    return kinds;
}

std::string name_of(const std::filesystem::path& root) {
    std::string name;
    for (const char c : root.filename().string()) {
        const auto plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.';
        name += plain ? c : '-';
    }
    while (!name.empty() && (name.front() == '-' || name.front() == '.')) name.erase(0, 1);
    return name.empty() ? "pipeline" : name;
}

Value document(const std::string& name, const std::vector<Kind>& kinds) {
    Array stages;
    const bool several = kinds.size() > 1;
    for (const auto& kind : kinds) {
        for (const auto& stage : kind.stages) {
            auto stage_name = kind.name;
            std::transform(stage_name.begin(), stage_name.end(), stage_name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
            Object object{{"name", several ? stage_name + "-" + stage.name : stage.name}};
            // Different tools do not wait for each other.
            if (several && !stages.empty()) object.set("needs", Array{});
            Array commands;
            for (const auto& command : stage.commands) commands.emplace_back(command);
            object.set("commands", std::move(commands));
            stages.emplace_back(std::move(object));
        }
    }
    return Object{
        {"name", name},
        {"triggers", Array{Object{{"type", "push"}}, Object{{"type", "pull_request"}}, Object{{"type", "manual"}}}},
        {"stages", std::move(stages)}};
}

}  // namespace

Proposal propose_pipeline(const std::filesystem::path& root) {
    Proposal proposal;
    auto kinds = recognise(root);
    for (const auto& kind : kinds) proposal.recognised.push_back(kind.name);
    if (kinds.empty())
        kinds.push_back({"shell", {{"check", {"git ls-files | wc -l", "echo 'Replace these commands by your own.'"}}}});
    proposal.yaml = "# 'cicdctl run' runs this on the working tree, 'cicdctl plan' shows what it would do.\n" +
                    pipeline::to_yaml(document(name_of(root), kinds));
    return proposal;
}

}  // namespace cicd::cli
