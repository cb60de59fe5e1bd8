#include "daemon/runner/shell.hpp"

#include "common/base/text.hpp"

namespace cicd::runner {
namespace {

/// Words as a shell splits them; quotes group, a backslash outside single quotes takes the next character as it is.
Result<std::vector<std::string>> words(std::string_view text) {
    std::vector<std::string> list;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            word += text[++i];
            in_word = true;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
            else word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            in_word = true;
        } else if (c == ' ' || c == '\t' || c == '\n') {
            if (in_word) list.push_back(std::move(word));
            word.clear();
            in_word = false;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0) return invalid("JOB_002", "the shell '" + std::string(text) + "' has an open quote");
    if (in_word) list.push_back(std::move(word));
    return list;
}

std::string_view template_of(std::string_view shell, bool has_bash) {
    if (shell.empty()) return has_bash ? "bash -e {0}" : "sh -e {0}";
    if (shell == "bash") return "bash -eo pipefail {0}";
    if (shell == "sh") return "sh -e {0}";
    if (shell == "python") return "python3 {0}";
    if (shell == "pwsh") return "pwsh -NoLogo -NonInteractive -File {0}";
    return shell;
}

}  // namespace

Result<std::vector<std::string>> shell_command(std::string_view shell, const std::string& script, bool has_bash) {
    CICD_TRY(auto command, words(template_of(trim(shell), has_bash)));
    if (command.empty()) return invalid("JOB_002", "the shell names no program");
    bool placed = false;
    for (auto& word : command)
        for (auto at = word.find("{0}"); at != std::string::npos; at = word.find("{0}", at + script.size())) {
            word.replace(at, 3, script);
            placed = true;
        }
    if (!placed) command.push_back(script);
    return command;
}

std::string_view script_suffix(std::string_view shell) {
    const auto text = trim(shell);
    if (text.starts_with("python")) return ".py";
    if (text.starts_with("pwsh")) return ".ps1";
    return ".sh";
}

}  // namespace cicd::runner
