#include "daemon/runner/problem_matchers.hpp"

#include "job_fixture.hpp"

using namespace cicd;
using namespace cicd::test;
using model::Annotation;
using model::AnnotationLevel;
using runner::ProblemMatchers;

namespace {

std::string one(const std::string& rest) { return R"re({"problemMatcher": [{"owner": "o", )re" + rest + "}]}"; }

ProblemMatchers made(const std::string& rest) {
    ProblemMatchers matchers;
    const auto added = matchers.add(one(rest));
    INFO((added ? "" : added.error().message));
    REQUIRE(added.has_value());
    return matchers;
}

std::string refused(const std::string& json) {
    ProblemMatchers matchers;
    const auto added = matchers.add(json);
    CHECK(matchers.is_empty());
    return added ? "" : added.error().message;
}

}  // namespace

TEST_CASE("a line is a problem with file, place, level and code") {
    auto matchers = made(R"re("pattern": [{"regexp": "^(.+?):(\\d+):(\\d+): (warning|error|info|odd): (.*) \\[(.+)\\]$",
                            "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6}])re");
    CHECK(matchers.see(0, "src/a.c:3:7: warning: unused 'x' [-Wunused]\r\n") ==
          Annotation{AnnotationLevel::warning, "unused 'x'", "-Wunused", "src/a.c", 3, 7, 0, 0});
    CHECK(matchers.see(0, "\x1b[1;31msrc/a.c:3:7: error: no\x1b[0m such [name]\n")->level == AnnotationLevel::error);
    CHECK(matchers.see(0, "a:1:1: info: b [c]")->level == AnnotationLevel::notice);
    CHECK_FALSE(matchers.see(0, "a:1:1: odd: b [c]").has_value());
    CHECK_FALSE(matchers.see(0, "something else").has_value());
}

TEST_CASE("a problem may be told in several lines, and the last of them again and again") {
    auto matchers = made(R"re("severity": "warning", "pattern": [
        {"regexp": "^([^\\s].*)$", "file": 1},
        {"regexp": "^\\s+(\\d+):(\\d+)\\s+(error|warning)\\s+(.*)\\s\\s+(.*)$", "line": 1, "column": 2, "severity": 3, "message": 4, "code": 5, "loop": true}])re");
    CHECK_FALSE(matchers.see(0, "test.js").has_value());
    CHECK(matchers.see(0, "  1:0   error  Missing \"use strict\"  strict") ==
          Annotation{AnnotationLevel::error, "Missing \"use strict\"", "strict", "test.js", 1, 0, 0, 0});
    CHECK_FALSE(matchers.see(1, "  1:0   error  Of another step  strict").has_value());
    CHECK(matchers.see(0, "  5:10  warning  Unused  no-unused")->file == "test.js");
    CHECK_FALSE(matchers.see(0, "").has_value());
    CHECK_FALSE(matchers.see(0, "  6:1  error  No file any more  x").has_value());
    CHECK_FALSE(matchers.see(0, "other.js").has_value());
    CHECK(matchers.see(0, "  7:1  error  Anew  x")->file == "other.js");

    auto once = made(R"re("pattern": [{"regexp": "^file (.*)$", "file": 1}, {"regexp": "^at (\\d+)$", "line": 1}, {"regexp": "^says (.*)$", "message": 1}])re");
    for (const char* line : {"file a", "at 3"}) CHECK_FALSE(once.see(0, line).has_value());
    const auto found = once.see(0, "says no");
    REQUIRE(found.has_value());
    CHECK(found->file == "a");
    CHECK(found->line == 3);
    CHECK_FALSE(once.see(0, "says again").has_value());
}

TEST_CASE("matchers of an owner replace each other, and are removed by its name") {
    ProblemMatchers matchers;
    REQUIRE(matchers.add(one(R"re("pattern": [{"regexp": "^one (.*)", "message": 1}])re")).has_value());
    REQUIRE(matchers.add(one(R"re("pattern": {"regexp": "^two (.*)", "message": 1})re")).has_value());
    CHECK_FALSE(matchers.see(0, "one x").has_value());
    CHECK(matchers.see(0, "two x")->message == "x");
    matchers.remove("other");
    CHECK_FALSE(matchers.is_empty());
    matchers.remove("o");
    CHECK(matchers.is_empty());
    CHECK(ProblemMatchers::owners(one("\"x\": 1")) == std::vector<std::string>{"o"});
}

TEST_CASE("a file is relative to the one that a group names") {
    auto matchers = made(R"re("pattern": [{"regexp": "^(\\S+) \\[(\\S+)\\] (.*)$", "file": 1, "fromPath": 2, "message": 3}])re");
    CHECK(matchers.see(0, "a.cs [src/app/app.csproj] no")->file == "src/app/a.cs");
}

TEST_CASE("what is no matcher is refused with the reason") {
    CHECK(refused("{").find("JSON") != std::string::npos);
    CHECK(refused("[]").find("problemMatcher") != std::string::npos);
    CHECK(refused(R"re({"problemMatcher": [{"pattern": []}]})re").find("owner") != std::string::npos);
    CHECK(refused(one(R"re("pattern": [])re")).find("no 'pattern'") != std::string::npos);
    CHECK(refused(one(R"re("pattern": [{"regexp": "(", "message": 1}])re")).find("character") != std::string::npos);
    CHECK(refused(one(R"re("pattern": [{"regexp": "(a)", "message": 2}])re")).find("no group") != std::string::npos);
    CHECK(refused(one(R"re("pattern": [{"regexp": "(a)", "line": 1}])re")).find("no 'message'") != std::string::npos);
    CHECK(refused(one(R"re("pattern": [{"regexp": "(a)", "loop": true}, {"regexp": "(b)", "message": 1}])re")).find("'loop'") != std::string::npos);
}

TEST_CASE("one that takes too long on a line is given up, whatever the others do") {
    auto matchers = made(R"re("pattern": [{"regexp": "^(a+)+$", "message": 1}])re");
    REQUIRE(matchers.add(R"re({"problemMatcher": [{"owner": "good", "pattern": [{"regexp": "(a+b)", "message": 1}]}]})re").has_value());
    CHECK(matchers.see(0, std::string(3'000, 'a') + "b").has_value());
    CHECK(matchers.take_given_up() == std::vector<std::string>{"o"});
    CHECK_FALSE(matchers.is_empty());
}

TEST_CASE("a step's matchers see its lines and those of later steps, between the commands that add and remove them") {
    const std::string file = R"re({"problemMatcher": [{"owner": "cc", "pattern": [{"regexp": "^(.+):(\\d+): (.*)$", "file": 1, "line": 2, "message": 3}]}]})re";
    TestJob job({run_step("echo 'a.c:1: too early'; cat > m.json <<'E'\n" + file + "\nE\necho '::add-matcher::m.json'; printf 'b.c:2: in'; echo ' time'; echo \"$PWD/c.c:3: in the workspace\""),
                 run_step("echo 'd.c:4: later'; echo '::remove-matcher owner=cc::'; echo 'e.c:5: too late'"),
                 run_step("echo '::add-matcher::/etc/none.json'")});
    CHECK(job.run().state == model::JobState::success);
    const auto& first = job.exit.steps[0].annotations;
    REQUIRE(first.size() == 2);
    CHECK(first[0] == Annotation{AnnotationLevel::error, "in time", "", "b.c", 2, 0, 0, 0});
    CHECK(first[1].file == "c.c");
    CHECK(job.log().find("b.c:2: in time\n") != std::string::npos);
    REQUIRE(job.exit.steps[1].annotations.size() == 1);
    CHECK(job.exit.steps[1].annotations[0].file == "d.c");
    CHECK(job.system_says("there is no file of problem matchers /etc/none.json"));
}
