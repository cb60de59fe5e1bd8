#include "daemon/runner/step_commands.hpp"
#include "daemon/runner/masking.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::runner;

TEST_CASE("values that a step tells by commands are kept, and not shown") {
    StepCommands commands;
    commands.begin(false);
    CHECK(commands.take("::set-output name=a::1%0A2\n") == "");
    CHECK(commands.take("::save-state name=s::t\n") == "");
    const auto said = commands.collect();
    CHECK(said.outputs == model::Texts{{"a", "1\n2"}});
    CHECK(said.state == model::Texts{{"s", "t"}});
    CHECK_FALSE(said.fault);
    CHECK(commands.collect().outputs.empty());
}

TEST_CASE("annotations keep their place, and are shown as what they are") {
    StepCommands commands;
    commands.begin(false);
    CHECK(commands.take("::error file=a.c,line=3,endLine=4,col=5,title=Bad%2C bad::it broke\n") == "Error: it broke\n");
    CHECK(commands.take("::warning::mind\n") == "Warning: mind\n");
    const auto found = commands.collect().annotations;
    REQUIRE(found.size() == 2);
    CHECK(found[0] == model::Annotation{model::AnnotationLevel::error, "it broke", "Bad, bad", "a.c", 3, 5, 4, 0});
    CHECK(found[1].level == model::AnnotationLevel::warning);
}

TEST_CASE("what changes the environment is refused, unless it is allowed") {
    StepCommands commands;
    commands.begin(false);
    commands.take("::set-env name=A::b\n");
    CHECK(commands.collect().fault->find("`set-env` command is disabled") != std::string::npos);
    commands.begin(true);
    CHECK(commands.take("::set-env name=A::b\n") == "");
    CHECK(commands.take("::add-path::/x\n") == "");
    const auto said = commands.collect();
    CHECK(said.env == model::Texts{{"A", "b"}});
    CHECK(said.path == std::vector<std::string>{"/x"});
}

TEST_CASE("between stop-commands and its token nothing is obeyed") {
    StepCommands commands;
    commands.begin(false);
    CHECK(commands.take("::stop-commands::token\n") == "");
    CHECK(commands.take("::set-output name=a::1\n") == "::set-output name=a::1\n");
    CHECK(commands.take("::token::\n") == "");
    CHECK(commands.take("::set-output name=b::2\n") == "");
    CHECK(commands.collect().outputs == model::Texts{{"b", "2"}});
}

TEST_CASE("what looks like a command and is none is left alone") {
    StepCommands commands;
    commands.begin(false);
    for (const char* line : {"::std::vector\n", "::\n", "::::\n", "::unknown::x\n", "::add-mask::x\n"}) {
        INFO(line);
        CHECK_FALSE(commands.take(line).has_value());
    }
}

TEST_CASE("commands are found however the output comes in pieces, and values are masked in what is shown") {
    StepCommands commands;
    commands.begin(false);
    Masking masking;
    masking.hide("hidden-value");
    masking.obey_with([&](std::uint32_t, std::string_view line) { return commands.take(line); });
    MaskedStream stream;
    std::string shown;
    const std::string output = "a\n  ::set-output name=x::hidden-value\n::error::a hidden-value\nend ::set-output name=y::1\n::group::last";
    for (const char c : output) shown += masking.pass(stream, std::string_view(&c, 1));
    shown += masking.rest(stream);
    // Blanks before a command have been shown by the time it is known for one.
    CHECK(shown == "a\n  Error: a ***\nend ::set-output name=y::1\n▾ last\n");
    CHECK(commands.collect().outputs == model::Texts{{"x", "hidden-value"}});
}
