#include "daemon/runner/sandbox.hpp"
#include "daemon/runner/shell.hpp"
#include "daemon/runner/step_files.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::runner;
using Words = std::vector<std::string>;

TEST_CASE("shells: the default, the known names, templates") {
    CHECK(*shell_command("", "/s", true) == Words{"bash", "-e", "/s"});
    CHECK(*shell_command("", "/s", false) == Words{"sh", "-e", "/s"});
    CHECK(*shell_command("bash", "/s", true) == Words{"bash", "-eo", "pipefail", "/s"});
    CHECK(*shell_command("python", "/s", true) == Words{"python3", "/s"});
    CHECK(*shell_command("perl -w {0} 'a b'", "/s", true) == Words{"perl", "-w", "/s", "a b"});
    CHECK(*shell_command("fish", "/s", true) == Words{"fish", "/s"});
    CHECK(shell_command("sh -c 'open", "/s", true).error().message.find("open quote") != std::string::npos);
}

TEST_CASE("assignments: lines, blocks, values that look like blocks, CRLF") {
    CHECK(*parse_assignments("a=1\nb=x=y\n\nc=<<no\n") == model::Texts{{"a", "1"}, {"b", "x=y"}, {"c", "<<no"}});
    CHECK(*parse_assignments("a<<E\none\n\ntwo=2\nE\nb=1") == model::Texts{{"a", "one\n\ntwo=2"}, {"b", "1"}});
    CHECK(*parse_assignments("a<<E\r\none\r\nE\r\n") == model::Texts{{"a", "one"}});
    CHECK(*parse_assignments("a<<E\nE\n") == model::Texts{{"a", ""}});
}

TEST_CASE("assignments that cannot be read say which line") {
    CHECK(parse_assignments("a=1\nnothing\n").error().message == "line 2 'nothing' is neither name=value nor name<<DELIMITER");
    CHECK(parse_assignments("=1\n").error().message == "line 1 '=1' has no name");
    CHECK(parse_assignments("a<<E\nb\n").error().message == "line 1 'a<<E' is not closed: no line is 'E'");
    CHECK(parse_assignments(std::string_view("a=x\0y\n", 6)).error().message.find("NUL") != std::string::npos);
}

TEST_CASE("a sandbox that could not be made says how to get one") {
    const auto error = explain_sandbox_failure("bwrap: No permissions to create new namespace");
    CHECK(error.message.find("No permissions to create new namespace") != std::string::npos);
    CHECK(error.hint.find("kernel.unprivileged_userns_clone=1") != std::string::npos);
}
