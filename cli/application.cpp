#include "cli/application.hpp"

#include "cli/command.hpp"
#include "cli/render/help.hpp"
#include "cli/session.hpp"
#include "common/codec/json.hpp"

namespace cicd::cli {
namespace {

int show_error(const Error& error, bool as_json, const render::Console& console) {
    console.err(as_json ? codec::to_json(error_value(error)) + "\n" : error_text(error, console.err_paint()));
    return static_cast<int>(exit_code_of(error));
}

// The format is needed for an error before the words could be read.
bool asks_for_json(std::span<const std::string> words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "-ojson" || words[i] == "--output=json") return true;
        if ((words[i] == "-o" || words[i] == "--output") && i + 1 < words.size() && words[i + 1] == "json") return true;
    }
    return false;
}

}  // namespace

int run_application(std::span<const std::string> words) {
    const render::Console console(render::ColorChoice::automatic);
    const auto invocation = parse(words);
    if (!invocation) return show_error(invocation.error(), asks_for_json(words), console);
    const auto* command = invocation->command;
    if (invocation->version && !invocation->help) command = find_command("version");
    if (invocation->help || !command || command->is_group()) {
        const auto text = command ? render::help(*command) : render::overview();
        // Asked for, it is data; else it is the answer to a wrong usage.
        if (invocation->help) return console.out(text), 0;
        return console.err(text), static_cast<int>(ExitCode::usage);
    }
    auto session = Session::open(invocation->globals);
    if (!session) return show_error(session.error(), asks_for_json(words), console);
    const auto code = command->handler(*session, invocation->arguments);
    if (!code) return show_error(code.error(), session->output() == Output::json, session->console());
    return static_cast<int>(*code);
}

}  // namespace cicd::cli
