#include "cli/command.hpp"
#include "cli/commands/commands.hpp"
#include "cli/render/help.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace cicd;
using namespace cicd::cli;

namespace {
Result<Invocation> parsed(std::vector<std::string> words) {
    return parse(words);
}
}  // namespace

TEST_CASE("a command is found with options before, between and after its words") {
    for (const auto& words : std::vector<std::vector<std::string>>{{"-o", "json", "job", "list", "run-3"},
                                                                   {"job", "-o", "json", "list", "run-3"},
                                                                   {"job", "list", "run-3", "--output=json"},
                                                                   {"job", "list", "-ojson", "run-3"}}) {
        const auto invocation = parsed(words);
        REQUIRE(invocation.has_value());
        CHECK(invocation->command == &job_list);
        CHECK(invocation->globals.text("--output") == "json");
        CHECK(invocation->arguments.operands == std::vector<std::string>{"run-3"});
    }
}

TEST_CASE("options that may be repeated are kept in order; of others the last one counts") {
    const auto invocation =
        parsed({"run", "-p", "a=1", "--param", "b=[x]", "-pc=3", "--branch", "x", "--branch", "y", "demo", "-d"});
    REQUIRE(invocation.has_value());
    CHECK(invocation->arguments.texts("--param") == std::vector<std::string>{"a=1", "b=[x]", "c=3"});
    CHECK(invocation->arguments.text("--branch") == "y");
    CHECK(invocation->arguments.has("--detach"));
    CHECK_FALSE(invocation->arguments.has("--events"));
    CHECK(invocation->arguments.operand(0) == "demo");
}

TEST_CASE("values may look like options, lists or a lone dash") {
    const auto invocation = parsed({"api", "POST", "/runs", "-d", "[1,2]"});
    REQUIRE(invocation.has_value());
    CHECK(invocation->arguments.text("--data") == "[1,2]");
    const auto dash = parsed({"validate", "-"});
    REQUIRE(dash.has_value());
    CHECK(dash->arguments.operand(0) == "-");
    const auto data = parsed({"api", "POST", "/runs", "-d", "-"});
    REQUIRE(data.has_value());
    CHECK(data->arguments.text("--data") == "-");
}

TEST_CASE("typos get a suggestion") {
    CHECK(parsed({"rnu"}).error().hint == "did you mean 'run'?");
    CHECK(parsed({"job", "lsit"}).error().hint == "did you mean 'list'?");
    CHECK(parsed({"run", "--brnach", "x"}).error().hint == "did you mean '--branch'?");
    CHECK(parsed({"ps", "-o", "jsno"}).error().hint == "did you mean 'json'?");
}

TEST_CASE("wrong usage is refused, with exit code 2") {
    for (const auto& words : std::vector<std::vector<std::string>>{{"nonsense"},
                                                                   {"job", "nonsense"},
                                                                   {"--", "nonsense"},
                                                                   {"ps", "-o", "xml"},
                                                                   {"ps", "extra"},
                                                                   {"cancel"},
                                                                   {"run", "--branch"},
                                                                   {"run", "--events=maybe"},
                                                                   {"completion", "tcsh"}}) {
        INFO(words.back());
        const auto invocation = parsed(words);
        REQUIRE_FALSE(invocation.has_value());
        CHECK(exit_code_of(invocation.error()) == ExitCode::usage);
    }
}

TEST_CASE("numbers are whole and not too small") {
    const auto number = [](const std::string& text) {
        return parsed({"ps", "--limit", text})->arguments.number("--limit", 1);
    };
    CHECK(number("20").value() == 20);
    CHECK_FALSE(number("0").has_value());
    CHECK_FALSE(number("2x").has_value());
    CHECK_FALSE(number("99999999999").has_value());
    CHECK(parsed({"ps"})->arguments.number("--limit", 1).value() == std::nullopt);
}

TEST_CASE("help is asked for anywhere, without the operands that are due") {
    CHECK(parsed({"--help"})->help);
    CHECK(parsed({"cancel", "--help"})->help);
    CHECK(parsed({"job", "-h"})->command == &job_group);
    CHECK(parsed({})->command == nullptr);
    CHECK(parsed({"--version"})->version);
}

TEST_CASE("every command's help fits 40 lines and 120 columns, and its options are told apart") {
    const auto check = [](const std::string& text) {
        CHECK(std::count(text.begin(), text.end(), '\n') <= 40);
        std::size_t start = 0;
        for (auto end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start))
            CHECK(end - start <= 120);
    };
    check(render::overview());
    std::set<std::string_view> names;
    for (const auto* command : commands()) {
        INFO(command->name);
        check(render::help(*command));
        CHECK(names.insert(command->name).second);
        CHECK_FALSE(command->summary.empty());
        if (!command->group().empty()) CHECK(find_command(command->group())->is_group());
        std::set<std::string_view> options;
        for (const auto* option : command->all_options()) CHECK(options.insert(option->names).second);
        for (const auto& option : global_options()) CHECK(options.insert(option.names).second);
    }
}
