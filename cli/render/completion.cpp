#include "cli/render/completion.hpp"

#include "cli/command.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <vector>

namespace cicd::cli::render {
namespace {

std::vector<const Command*> visible() {
    std::vector<const Command*> all;
    for (const auto* command : commands())
        if (!command->hidden) all.push_back(command);
    return all;
}

std::vector<const Option*> options_of(const Command& command) {
    auto all = command.all_options();
    for (const auto& option : global_options()) all.push_back(&option);
    return all;
}

/// Every name of the option, "-o" and "--output".
std::string names_of(const Option& option, char separator) {
    std::string names(option.names);
    std::replace(names.begin(), names.end(), ',', separator);
    return names;
}

std::string words(std::string_view text, char separator) {
    std::string out(text);
    std::replace(out.begin(), out.end(), separator, ' ');
    return out;
}

std::string member_words(std::string_view group) {
    std::string out;
    for (const auto* member : members(group)) out += (out.empty() ? "" : " ") + std::string(member->last_word());
    return out;
}

// "kind" of `cicdctl complete KIND`; empty where nothing is asked of the daemon.
std::string_view kind(Completes completes) {
    switch (completes) {
        case Completes::run:
            return "run";
        case Completes::job:
            return "job";
        case Completes::run_or_job:
            return "id";
        case Completes::pipeline:
            return "pipeline";
        case Completes::command:
            return "command";
        case Completes::nothing:
        case Completes::file:
        case Completes::directory:
            return "";
    }
    return "";
}

// A shell word that gives the candidates: choices, a folder's files or the daemon's ids.
std::string bash_action(Completes completes, std::string_view choices) {
    if (!choices.empty()) return "COMPREPLY=($(compgen -W '" + words(choices, '|') + "' -- \"$cur\"))";
    if (completes == Completes::file) return "compopt -o default; COMPREPLY=()";
    if (completes == Completes::directory) return "COMPREPLY=($(compgen -d -- \"$cur\"))";
    if (const auto asked = kind(completes); !asked.empty())
        return "COMPREPLY=($(compgen -W \"$(cicdctl complete " + std::string(asked) + " 2>/dev/null)\" -- \"$cur\"))";
    return "COMPREPLY=()";
}

std::string single_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

// zsh's _arguments wants [ ] and : escaped in explanations.
std::string zsh_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':') out += '\\';
        out += c;
    }
    return out;
}

std::string zsh_action(Completes completes, std::string_view choices) {
    if (!choices.empty()) return "(" + words(choices, '|') + ")";
    if (completes == Completes::file) return "_files";
    if (completes == Completes::directory) return "_files -/";
    if (const auto asked = kind(completes); !asked.empty())
        return "($(cicdctl complete " + std::string(asked) + " 2>/dev/null))";
    return " ";
}

std::string zsh_option(const Option& option) {
    const auto names = split(option.names, ',');
    auto tail = "[" + zsh_text(option.help) + "]";
    if (!option.value.empty())
        tail += ":" + zsh_text(option.value) + ":" + zsh_action(option.completes, option.choices);
    const std::string star = option.many ? "*" : "";
    if (names.size() == 1) return single_quoted(star + names[0] + tail);
    const auto exclusion = option.many ? star : "(" + names[0] + " " + names[1] + ")";
    return single_quoted(exclusion) + "{" + names[0] + "," + names[1] + "}" + single_quoted(tail);
}

std::string zsh_arguments(const Command& command) {
    std::string text = "_arguments -s";
    for (const auto* option : options_of(command)) text += " \\\n        " + zsh_option(*option);
    for (const auto& operand : command.operands)
        text += " \\\n        " +
                single_quoted((operand.many       ? "*:"
                               : operand.required ? ":"
                                                  : "::") +
                              std::string(operand.name) + ":" + zsh_action(operand.completes, operand.choices));
    return text;
}

std::string zsh_menu(std::string_view group) {
    std::string text = "local -a verbs=(";
    for (const auto* member : members(group))
        text += "\n        " + single_quoted(std::string(member->last_word()) + ":" + std::string(member->summary));
    return text + ")\n    _describe command verbs";
}

std::string function_name(std::string_view command) {
    std::string name = "_cicdctl_" + std::string(command);
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
}

}  // namespace

std::string bash_completion() {
    std::string options, operands, values, groups;
    for (const auto* command : visible()) {
        const auto name = single_quoted(command->name);
        if (command->is_group()) {
            groups += (groups.empty() ? "" : "|") + std::string(command->name);
            operands += "        " + name + ") COMPREPLY=($(compgen -W '" + member_words(command->name) +
                        "' -- \"$cur\")) ;;\n";
            continue;
        }
        std::string list;
        for (const auto* option : command->all_options()) {
            list += (list.empty() ? "" : " ") + names_of(*option, ' ');
            if (!option->value.empty()) {
                const auto before = single_quoted(std::string(command->name) + " ");
                std::string pattern;
                for (const auto& one : split(option->names, ','))
                    pattern += (pattern.empty() ? "" : "|") + before + one;
                values +=
                    "        " + pattern + ") " + bash_action(option->completes, option->choices) + "; return ;;\n";
            }
        }
        if (!list.empty()) options += "        " + name + ") options='" + list + "' ;;\n";
        if (!command->operands.empty()) {
            const auto& operand = command->operands.front();
            operands += "        " + name + ") " + bash_action(operand.completes, operand.choices) + " ;;\n";
        }
    }
    std::string globals, taking;
    for (const auto& option : global_options()) {
        globals += (globals.empty() ? "" : " ") + names_of(option, ' ');
        if (option.value.empty()) continue;
        taking += (taking.empty() ? "" : "|") + names_of(option, '|');
        std::string pattern;
        for (const auto& one : split(option.names, ',')) pattern += (pattern.empty() ? "*' '" : "|*' '") + one;
        values += "        " + pattern + ") " + bash_action(option.completes, option.choices) + "; return ;;\n";
    }
    return "# bash completion of cicdctl. Made from its command table: cicdctl completion bash\n"
           "_cicdctl() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' options='' i word\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        word=${COMP_WORDS[i]}\n"
           "        case $word in\n"
           "            " +
           taking +
           ") ((i++)) ;;\n"
           "            -*) [[ -n $command ]] && break ;;\n"
           "            *)\n"
           "                case $command in\n"
           "                    '') command=$word ;;\n"
           "                    " +
           groups +
           ") command+=\" $word\" ;;\n"
           "                    *) break ;;\n"
           "                esac ;;\n"
           "        esac\n"
           "    done\n"
           "    case \"$command $prev\" in\n" +
           values +
           "    esac\n"
           "    case $command in\n" +
           options +
           "    esac\n"
           "    if [[ $cur == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$options " +
           globals +
           " --help\" -- \"$cur\"))\n"
           "        return\n"
           "    fi\n"
           "    case $command in\n"
           "        '') COMPREPLY=($(compgen -W '" +
           member_words("") + "' -- \"$cur\")) ;;\n" + operands +
           "    esac\n"
           "}\n"
           "complete -F _cicdctl cicdctl\n";
}

std::string zsh_completion() {
    std::string text =
        "#compdef cicdctl\n# zsh completion of cicdctl. Made from its command table: cicdctl completion zsh\n";
    std::string verbs;
    for (const auto* command : visible()) {
        const auto function = function_name(command->name);
        text += "\n" + function + "() {\n    ";
        if (command->is_group()) {
            std::string inner;
            for (const auto* member : members(command->name))
                inner += "        " + std::string(member->last_word()) + ") " + function_name(member->name) + " ;;\n";
            text += "if ((CURRENT == 2)); then\n    " + zsh_menu(command->name) +
                    "\n    return\n    fi\n    local verb=$words[2]\n"
                    "    shift words; ((CURRENT--))\n    case $verb in\n" +
                    inner + "    esac\n}\n";
        } else {
            text += zsh_arguments(*command) + "\n}\n";
        }
        if (command->group().empty()) verbs += "        " + std::string(command->name) + ") " + function + " ;;\n";
    }
    return text + "\n_cicdctl() {\n    if ((CURRENT == 2)); then\n    " + zsh_menu("") +
           "\n    return\n    fi\n    local verb=$words[2]\n    shift words; ((CURRENT--))\n    case $verb in\n" +
           verbs + "    esac\n}\n\n_cicdctl \"$@\"\n";
}

std::string fish_completion() {
    const auto source = [](Completes completes, std::string_view choices) -> std::string {
        if (!choices.empty()) return " -xa " + single_quoted(words(choices, '|'));
        if (completes == Completes::file) return " -rF";
        if (completes == Completes::directory) return " -xa '(__fish_complete_directories)'";
        if (const auto asked = kind(completes); !asked.empty())
            return " -xa '(cicdctl complete " + std::string(asked) + " 2>/dev/null)'";
        return " -x";
    };
    const auto flags = [](const Option& option) {
        std::string text;
        for (const auto& name : split(option.names, ','))
            text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        return text + " -d " + single_quoted(option.help);
    };
    std::string text =
        "# fish completion of cicdctl. Made from its command table: cicdctl completion fish\n"
        "complete -c cicdctl -f\n";
    for (const auto* member : members(""))
        text += "complete -c cicdctl -n __fish_use_subcommand -a " + std::string(member->name) + " -d " +
                single_quoted(member->summary) + "\n";
    for (const auto& option : global_options())
        text += "complete -c cicdctl" + flags(option) +
                (option.value.empty() ? "" : source(option.completes, option.choices)) + "\n";
    for (const auto* command : visible()) {
        const auto group = command->group();
        auto condition = "__fish_seen_subcommand_from " + std::string(group.empty() ? command->name : group);
        if (command->is_group()) {
            for (const auto* member : members(command->name))
                text += "complete -c cicdctl -n '" + condition + "; and not __fish_seen_subcommand_from " +
                        member_words(command->name) + "' -a " + std::string(member->last_word()) + " -d " +
                        single_quoted(member->summary) + "\n";
            continue;
        }
        if (!group.empty()) condition += "; and __fish_seen_subcommand_from " + std::string(command->last_word());
        const auto start = "complete -c cicdctl -n '" + condition + "'";
        for (const auto* option : command->all_options())
            text += start + flags(*option) + (option->value.empty() ? "" : source(option->completes, option->choices)) +
                    "\n";
        if (!command->operands.empty()) {
            const auto& operand = command->operands.front();
            if (operand.completes != Completes::nothing || !operand.choices.empty())
                text += start + source(operand.completes, operand.choices) + "\n";
        }
    }
    return text;
}

}  // namespace cicd::cli::render
