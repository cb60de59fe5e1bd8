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

const Option& output_option() {
    for (const auto& option : global_options())
        if (option.long_name() == "--output") return option;
    return global_options().front();
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
        case Completes::setting:
            return "setting";
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
    if (const auto asked = kind(completes); !asked.empty()) return "_cicdctl_ask " + std::string(asked);
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
    if (const auto asked = kind(completes); !asked.empty()) return "{_cicdctl_ask " + std::string(asked) + "}";
    return " ";
}

std::string zsh_option(const Option& option, bool or_folder = false) {
    const auto names = split(option.names, ',');
    auto tail = "[" + zsh_text(option.help) + (or_folder ? "; or a folder" : "") + "]";
    const auto folders = "{_alternative \"formats:format:(" + words(option.choices, '|') + ")\" \"folders:folder:_files -/\"}";
    if (!option.value.empty())
        tail += ":" + zsh_text(option.value) + ":" + (or_folder ? folders : zsh_action(option.completes, option.choices));
    const std::string star = option.many ? "*" : "";
    if (names.size() == 1) return single_quoted(star + names[0] + tail);
    const auto exclusion = option.many ? star : "(" + names[0] + " " + names[1] + ")";
    return single_quoted(exclusion) + "{" + names[0] + "," + names[1] + "}" + single_quoted(tail);
}

std::string zsh_arguments(const Command& command) {
    std::string text = "_arguments -s";
    for (const auto* option : options_of(command))
        text += " \\\n        " + zsh_option(*option, option == &output_option() && !command.output_folder.empty());
    for (const auto& operand : command.operands)
        text += " \\\n        " +
                single_quoted((operand.many       ? "*:"
                               : operand.required ? ":"
                                                  : "::") +
                              std::string(operand.name) + ":" + zsh_action(operand.completes, operand.choices));
    return text;
}

// Names of verbs, "run:Run a pipeline …", for _describe.
std::string zsh_menu(std::string_view group) {
    std::string text = "local -a verbs=(";
    for (const auto* member : members(group))
        text += "\n            " + single_quoted(std::string(member->last_word()) + ":" + std::string(member->summary));
    return text + ")\n        _describe -t commands command verbs";
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
        if (!command->output_folder.empty()) {
            const auto& formats = output_option();
            std::string pattern;
            for (const auto& one : split(formats.names, ',')) pattern += (pattern.empty() ? "" : "|") + single_quoted(std::string(command->name) + " ") + one;
            values += "        " + pattern + ") COMPREPLY=($(compgen -W '" + words(formats.choices, '|') + "' -- \"$cur\") $(compgen -d -- \"$cur\")); return ;;\n";
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
           "_cicdctl_ask() {\n"
           "    local word rest\n"
           "    while IFS=$'\\t' read -r word rest; do\n"
           "        [[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")\n"
           "    done < <(\"${COMP_WORDS[0]}\" complete \"$1\" 2>/dev/null)\n"
           "}\n\n"
           "_cicdctl() {\n"
           "    COMPREPLY=()\n"
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

namespace {

// A verb of the group, then what the verb takes: `_arguments -C` cuts the words off that it has used.
std::string zsh_verbs(std::string_view group) {
    std::string cases;
    for (const auto* member : members(group))
        cases += "            " + std::string(member->last_word()) + ") " + function_name(member->name) + " ;;\n";
    std::string text = "    local context state state_descr line\n    typeset -A opt_args\n    _arguments -C -s";
    for (const auto& option : global_options()) text += " \\\n        " + zsh_option(option);
    return text + " \\\n        '1: :->verb' \\\n        '*:: :->rest'\n    case $state in\n    verb)\n        " +
           zsh_menu(group) + " ;;\n    rest)\n        case $words[1] in\n" + cases + "        esac ;;\n    esac\n";
}

}  // namespace

std::string zsh_completion() {
    std::string text =
        "#compdef cicdctl\n# zsh completion of cicdctl. Made from its command table: cicdctl completion zsh\n\n"
        "_cicdctl_ask() {\n"
        "    local -a offers\n"
        "    local word rest\n"
        "    while IFS=$'\\t' read -r word rest; do\n"
        "        offers+=(\"${word//:/\\\\:}:$rest\")\n"
        "    done < <(${_cicdctl_program:-cicdctl} complete $1 2>/dev/null)\n"
        "    _describe -t values $1 offers\n"
        "}\n";
    for (const auto* command : visible()) {
        text += "\n" + function_name(command->name) + "() {\n";
        text += command->is_group() ? zsh_verbs(command->name) : "    " + zsh_arguments(*command) + "\n";
        text += "}\n";
    }
    return text + "\n_cicdctl() {\n    local _cicdctl_program=$words[1]\n" + zsh_verbs("") +
           "}\n\nif [[ $funcstack[1] == _cicdctl ]]; then\n    _cicdctl \"$@\"\nelse\n    compdef _cicdctl "
           "cicdctl\nfi\n";
}

namespace {

std::string fish_source(Completes completes, std::string_view choices) {
    if (!choices.empty()) return " -xa " + single_quoted(words(choices, '|'));
    if (completes == Completes::file) return " -rF";
    if (completes == Completes::directory) return " -xa '(__fish_complete_directories)'";
    if (const auto asked = kind(completes); !asked.empty()) return " -xa '(__cicdctl_ask " + std::string(asked) + ")'";
    return " -x";
}

std::string fish_option(const Option& option) {
    std::string text;
    for (const auto& name : split(option.names, ','))
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    text += " -d " + single_quoted(option.help);
    return option.value.empty() ? text : text + fish_source(option.completes, option.choices);
}

// `job run` is not `run`: the words are looked at from the left, options of every command skipped.
std::string fish_functions() {
    std::string taking, groups;
    for (const auto& option : global_options())
        if (!option.value.empty()) taking += " " + names_of(option, ' ');
    for (const auto* command : visible())
        if (command->is_group()) groups += " " + std::string(command->name);
    return "function __cicdctl_command\n"
           "    set -l found\n"
           "    set -l skip no\n"
           "    for word in (commandline -opc)[2..]\n"
           "        if test $skip = yes\n"
           "            set skip no\n"
           "        else if contains -- $word" +
           taking +
           "\n"
           "            set skip yes\n"
           "        else if string match -q -- '-*' $word\n"
           "            test (count $found) -gt 0; and break\n"
           "        else if test (count $found) -eq 0\n"
           "            set found $word\n"
           "            contains -- $word" +
           groups +
           "; or break\n"
           "        else\n"
           "            set -a found $word\n"
           "            break\n"
           "        end\n"
           "    end\n"
           "    echo \"$found\"\n"
           "end\n\n"
           "function __cicdctl_at\n"
           "    test \"$(__cicdctl_command)\" = \"$argv[1]\"\n"
           "end\n\n"
           "function __cicdctl_ask\n"
           "    set -l program (commandline -opc)[1]\n"
           "    $program complete $argv[1] 2>/dev/null\n"
           "end\n\n";
}

}  // namespace

std::string fish_completion() {
    std::string text = "# fish completion of cicdctl. Made from its command table: cicdctl completion fish\n" +
                       fish_functions() + "complete -c cicdctl -f\n";
    for (const auto& option : global_options()) text += "complete -c cicdctl" + fish_option(option) + "\n";
    const auto menu = [&](std::string_view group) {
        for (const auto* member : members(group))
            text += "complete -c cicdctl -n \"__cicdctl_at '" + std::string(group) + "'\" -a " +
                    std::string(member->last_word()) + " -d " + single_quoted(member->summary) + "\n";
    };
    menu("");
    for (const auto* command : visible()) {
        if (command->is_group()) {
            menu(command->name);
            continue;
        }
        const auto start = "complete -c cicdctl -n \"__cicdctl_at '" + std::string(command->name) + "'\"";
        for (const auto* option : command->all_options()) text += start + fish_option(*option) + "\n";
        if (!command->output_folder.empty()) text += start + " -s o -l output" + fish_source(Completes::directory, "") + "\n";
        if (command->operands.empty()) continue;
        const auto& operand = command->operands.front();
        if (operand.completes != Completes::nothing || !operand.choices.empty())
            text += start + fish_source(operand.completes, operand.choices) + "\n";
    }
    return text;
}

}  // namespace cicd::cli::render
