#include "common/contract/errors.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

using namespace cicd;

TEST_CASE("every code that the sources give is explained, and nothing else is") {
    std::set<std::string> explained, given;
    for (const auto& [code, meaning] : contract::code_meanings()) {
        CHECK(explained.insert(std::string(code)).second);
        CHECK(!meaning.empty());
    }
    // Not those of the command line: nobody is asked about them over the API.
    const std::regex literal("\"((?!CLI_)[A-Z][A-Z0-9]*_[0-9]{3})\"");
    for (const auto* top : {"common", "daemon", "cli"})
        for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(CICD_SOURCE_DIR) / top)) {
            if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
            if (entry.path().filename() == "errors.cpp") continue;
            std::ifstream file(entry.path());
            const std::string text{std::istreambuf_iterator<char>(file), {}};
            for (std::sregex_iterator it(text.begin(), text.end(), literal), end; it != end; ++it) given.insert((*it)[1]);
        }
    for (const auto& code : given) {
        INFO(code);
        CHECK(explained.contains(code));
    }
    for (const auto& code : explained) {
        INFO(code);
        CHECK(given.contains(code));
    }
}
