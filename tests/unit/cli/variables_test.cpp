#include "cli/variables.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::cli;

TEST_CASE("variables are read as .env files have them") {
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    const auto read = parse_variables("# a comment\nA=1\nexport B = two words # why\n\nC=\"x\\ny \\\"z\\\"\"\nD='raw\\n#'\nE=\"over\ntwo lines\"\nF=\n");
    REQUIRE(read.has_value());
    CHECK(*read == Pairs{{"A", "1"}, {"B", "two words"}, {"C", "x\ny \"z\""}, {"D", "raw\\n#"}, {"E", "over\ntwo lines"}, {"F", ""}});
    CHECK(parse_variables("A=1\nnonsense\n").error().message.find("line 2") != std::string::npos);
    CHECK(parse_variables("A=\"open\n").error().message.find("open quote") != std::string::npos);
}
