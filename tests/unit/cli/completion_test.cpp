#include "cli/render/completion.hpp"
#include "cli/command.hpp"
#include "cli/render/man.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace cicd::cli;

namespace {

std::string checked_in(const char* name) {
    std::ifstream file(std::filesystem::path(CICD_SOURCE_DIR) / "completions" / name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

// Where one fails: `cicdctl completion bash > completions/cicdctl.bash`, and the same for the others.
TEST_CASE("the completions that are checked in are those of the command table") {
    CHECK((checked_in("cicdctl.bash") == render::bash_completion()));
    CHECK((checked_in("_cicdctl") == render::zsh_completion()));
    CHECK((checked_in("cicdctl.fish") == render::fish_completion()));
}

TEST_CASE("every visible command and option is completed and in the man pages") {
    const auto bash = render::bash_completion();
    for (const auto* command : commands()) {
        if (command->hidden) continue;
        CHECK(bash.find(command->last_word()) != std::string::npos);
        if (!command->group().empty()) continue;
        CHECK(render::man_page().find(command->name) != std::string::npos);
        CHECK(render::man_page(*command).starts_with(".TH cicdctl-" + std::string(command->name)));
        for (const auto* option : command->all_options()) CHECK(bash.find(option->long_name()) != std::string::npos);
    }
    CHECK(bash.find("generate") == std::string::npos);
}
