#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

// The house's floors: a folder includes itself and lower floors only. And the homes: a library is used in one folder.
namespace {

namespace fs = std::filesystem;

const fs::path source_dir = CICD_SOURCE_DIR;

const std::map<std::string, int> floors{
    {"common/base", 0},     {"common/model", 1},     {"common/expr", 2},      {"common/regex", 1},    {"common/pipeline", 3},
    {"common/contract", 3}, {"common/codec", 4},     {"common/job", 5},       {"common/client", 5},
    {"cli", 6},             {"daemon/os", 5},        {"daemon/async", 5},     {"daemon/git", 6},       {"daemon/objects", 6},
    {"daemon/store", 6},    {"daemon/events", 6},    {"daemon/images", 6},    {"daemon/engines", 6},   {"daemon/planner", 7},   {"daemon/runner", 7}, {"daemon/actions", 8},
    {"daemon/zones", 7},    {"daemon/scheduler", 8}, {"daemon/upkeep", 7}, {"daemon/secrets", 7},  {"daemon/api", 9},
    {"daemon/app", 10},      {"daemon/archives", 7},  {"daemon/results", 8},  {"daemon/remote", 7},
};

struct Home {
    std::string what;
    std::regex include;
    std::vector<std::string> folders;
};

const std::vector<Home> homes{
    {"SQLite", std::regex(R"((sqlite3\.h|SQLiteCpp/))"), {"daemon/store"}},
    {"yaml-cpp", std::regex(R"(yaml-cpp/)"), {"common/pipeline"}},
    {"nlohmann", std::regex(R"(nlohmann/)"), {"common/codec"}},
    {"libarchive", std::regex(R"(^archive)"), {"daemon/upkeep", "daemon/images", "daemon/archives"}},
    {"libcurl", std::regex(R"(^curl/)"), {"daemon/remote"}},
    {"libcrypto", std::regex(R"(^openssl/)"), {"daemon/objects"}},
    {"zstd", std::regex(R"(^zstd)"), {"daemon/objects"}},
    {"PCRE2", std::regex(R"(^pcre2)"), {"common/regex"}},
    {"libgit2", std::regex(R"(git2)"), {"daemon/git"}},
    {"Beast", std::regex(R"(boost/beast)"), {"daemon/api", "daemon/results", "common/client"}},
    {"CLI11", std::regex(R"(CLI/)"), {"cli", "daemon/app"}},
};

// exec and fork have one home in the daemon, and the CLI one place where it starts other programs.
const std::regex process_calls(R"((\bfork\s*\(\s*\)|\bvfork\s*\(|\bexecv[pe]*\s*\(|\bposix_spawnp?\s*\())");
const std::vector<std::string> process_homes{"daemon/os", "cli"};

std::optional<std::string> folder_of(const std::string& path) {
    std::optional<std::string> best;
    for (const auto& [folder, floor] : floors)
        if (path.starts_with(folder + "/") && (!best || folder.size() > best->size())) best = folder;
    return best;
}

struct Source {
    std::string path, folder, text;
};

std::vector<Source> sources() {
    std::vector<Source> found;
    for (const auto* top : {"common", "daemon", "cli"})
        for (const auto& entry : fs::recursive_directory_iterator(source_dir / top)) {
            const auto extension = entry.path().extension();
            if (extension != ".cpp" && extension != ".hpp") continue;
            const auto path = fs::relative(entry.path(), source_dir).string();
            std::ifstream file(entry.path());
            found.push_back({path, folder_of(path).value_or(""), {std::istreambuf_iterator<char>(file), {}}});
        }
    return found;
}

std::vector<std::string> matches(const std::string& text, const std::regex& pattern) {
    std::vector<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) found.push_back((*it)[1]);
    return found;
}

bool is_in(const std::string& folder, const std::vector<std::string>& folders) {
    return std::find(folders.begin(), folders.end(), folder) != folders.end();
}

}  // namespace

TEST_CASE("every source file lives in a folder that has a floor") {
    const auto all = sources();
    CHECK(all.size() > 20);
    for (const auto& source : all) {
        INFO(source.path);
        CHECK(!source.folder.empty());
    }
}

TEST_CASE("folders include downwards only") {
    const std::regex own(R"re(#include "([^"]+)")re");
    for (const auto& source : sources())
        for (const auto& include : matches(source.text, own)) {
            INFO(source.path, " includes ", include);
            const auto target = folder_of(include);
            REQUIRE(target);
            CHECK(fs::exists(source_dir / include));
            if (*target != source.folder) CHECK(floors.at(*target) < floors.at(source.folder));
            if (source.folder == "cli") CHECK(target->rfind("daemon/", 0) != 0);
        }
}

TEST_CASE("a language of others is known to its front end only") {
    const std::regex front_end(R"re(#include "(common/pipeline/(?:github|gitlab|bitbucket)/[^"]+)")re");
    for (const auto& source : sources())
        for (const auto& include : matches(source.text, front_end)) {
            INFO(source.path, " includes ", include);
            CHECK(is_in(source.folder, {"common/pipeline"}));
        }
}

TEST_CASE("each library is used in its one home") {
    const std::regex library(R"(#include <([^>]+)>)");
    for (const auto& source : sources())
        for (const auto& include : matches(source.text, library))
            for (const auto& home : homes)
                if (std::regex_search(include, home.include)) {
                    INFO(source.path, " includes ", include, " of ", home.what);
                    CHECK(is_in(source.folder, home.folders));
                }
}

TEST_CASE("processes are started in one place") {
    for (const auto& source : sources())
        if (std::regex_search(source.text, process_calls)) {
            INFO(source.path);
            CHECK(is_in(source.folder, process_homes));
        }
}

TEST_CASE("only what belongs there stands at the top level") {
    const std::vector<std::string> allowed{"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "cli", "common",
                                           "completions", "daemon", "examples", "schemas", "tests", "build"};
    for (const auto& entry : fs::directory_iterator(source_dir)) {
        const auto name = entry.path().filename().string();
        INFO(name);
        CHECK((name.starts_with(".") || is_in(name, allowed)));
    }
}
