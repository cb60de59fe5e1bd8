#include "cli/render/help.hpp"
#include "cli/commands/commands.hpp"
#include "cli/session.hpp"
#include "common/base/text.hpp"
#include "common/contract/errors.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "COMMAND", .required = false, .many = true, .completes = Completes::command}};

Result<ExitCode> show_help(Session& session, const Arguments& arguments) {
    if (arguments.operands.empty()) {
        session.console().out(render::overview());
        return ExitCode::success;
    }
    if (arguments.operands == std::vector<std::string>{"errors"}) {
        std::string text;
        for (const auto& [code, meaning] : contract::code_meanings())
            text += std::string(code) + std::string(14 - code.size(), ' ') + std::string(meaning) + "\n";
        session.console().out(text);
        return ExitCode::success;
    }
    const auto name = join(arguments.operands, " ");
    if (const auto* command = find_command(name)) {
        session.console().out(render::help(*command));
        return ExitCode::success;
    }
    std::vector<std::string> names;
    for (const auto* command : commands())
        if (!command->hidden) names.emplace_back(command->name);
    return usage_error("unknown command '" + name + "'", did_you_mean(name, names));
}

}  // namespace

constinit const Command help_command{
    .name = "help", .summary = "Explain a command", .operands = operands, .handler = show_help};

}  // namespace cicd::cli
