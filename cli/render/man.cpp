#include "cli/render/man.hpp"

#include "cli/render/help.hpp"
#include "common/base/text.hpp"

namespace cicd::cli::render {
namespace {

// roff's own characters; a line may not start with a dot or an apostrophe.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
    }
    if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
    return out;
}

std::string head(const std::string& page, std::string_view summary) {
    return ".TH " + page + " 1 \"\" \"cicd " CICD_VERSION "\" \"User Commands\"\n.SH NAME\n" + roff(page) + " \\- " +
           roff(summary) + "\n";
}

std::string option_entries(const std::vector<const Option*>& options) {
    std::string text;
    for (const auto* option : options)
        text += ".TP\n\\fB" + roff(trim(option_label(*option))) + "\\fR\n" + roff(option->help) + ".\n";
    return text;
}

std::string body(const Command& command) {
    auto text = std::string(".B ") + roff(usage(command)) + "\n.PP\n" + roff(command.summary) + ".\n";
    if (!command.description.empty()) text += roff(command.description) + "\n";
    text += option_entries(command.all_options());
    for (const auto& example : command.examples)
        text += ".PP\n" + roff(example.explanation) + ":\n.RS 4\n.nf\n" + roff(example.line) + "\n.fi\n.RE\n";
    return text;
}

constexpr std::string_view exit_codes =
    ".SH EXIT STATUS\n"
    "0 success; 1 a stage failed; 2 wrong usage or an invalid pipeline; 3 a job was lost, or a fault of daemon or "
    "machine;\n"
    "4 not allowed; 5 not found; 6 blocked by approval, window or policy; 7 conflict; 8 still running; 9 cancelled;\n"
    "69 the daemon cannot be reached; 124 timeout; 130 and 143 ended by a signal.\n";

constexpr std::string_view environment =
    ".SH ENVIRONMENT\n"
    ".TP\n.B CICD_STATE_DIR, CICD_SOCKET, CICD_CONFIG_DIR\nWhere the daemon keeps its state, its socket, and the "
    "configuration.\n"
    ".TP\n.B CICD_OUTPUT_FORMAT, CICD_COLOR, CICD_NO_AUTOSTART, CICD_NO_INPUT\nLike the options of these names "
    "(CICD_OUTPUT_FORMAT is \\-o).\n"
    ".TP\n.B NO_COLOR, CLICOLOR_FORCE, TERM\nWhether colours are used.\n";

}  // namespace

std::string man_page() {
    std::string text = head("cicdctl", "runs pipelines in isolation on this machine") +
                       ".SH SYNOPSIS\n.B cicdctl\nCOMMAND [options]\n.SH COMMANDS\n";
    for (const auto* command : members(""))
        text += ".TP\n.B " + roff(command->name) + "\n" + roff(command->summary) + "\n";
    std::vector<const Option*> globals;
    for (const auto& option : global_options()) globals.push_back(&option);
    return text + ".SH OPTIONS\n" + option_entries(globals) + std::string(exit_codes) + std::string(environment);
}

std::string man_page(const Command& command) {
    auto text = head("cicdctl-" + std::string(command.name), command.summary) + ".SH SYNOPSIS\n";
    if (!command.is_group()) {
        text += body(command);
    } else {
        text += ".B " + roff(usage(command)) + "\n.SH COMMANDS\n";
        for (const auto* member : members(command.name))
            text += ".SS " + roff(member->last_word()) + "\n" + body(*member);
    }
    return text + ".SH SEE ALSO\n.BR cicdctl (1)\n";
}

}  // namespace cicd::cli::render
