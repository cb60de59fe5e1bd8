#include "cli/command.hpp"
#include "common/base/text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace cicd::cli {
namespace {

// The option that a word names, "--socket=x" and "-ojson" included; null for what is no global option.
const Option* global_option(std::string_view word, bool& value_follows) {
    const auto typed = word.substr(0, word.find('='));
    for (const auto& option : global_options()) {
        for (const auto& name : split(option.names, ',')) {
            if (typed == name) {
                value_follows = !option.value.empty() && typed.size() == word.size();
                return &option;
            }
        }
    }
    return nullptr;
}

// Takes the command's name (one or two words) out of the words; options may stand before and between.
std::vector<std::string> take_name(std::vector<std::string>& words) {
    std::vector<std::string> name;
    for (std::size_t i = 0; i < words.size() && name.size() < 2;) {
        const auto& word = words[i];
        if (word == "--") break;
        if (word.size() > 1 && word.front() == '-') {
            bool value_follows = false;
            const auto known = global_option(word, value_follows) != nullptr;
            if (!known && !name.empty()) break;  // the command's own option: a value may follow it
            i += value_follows ? 2 : 1;
            continue;
        }
        if (name.size() == 1) {
            const auto* group = find_command(name.front());
            if (!group || !group->is_group()) break;
        }
        name.push_back(word);
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return name;
}

Error unknown_command(const std::string& word, std::string_view group) {
    std::vector<std::string> names;
    for (const auto* command : members(group)) names.emplace_back(command->last_word());
    auto hint = did_you_mean(word, names);
    const auto place = group.empty() ? std::string("cicdctl") : "cicdctl " + std::string(group);
    if (hint.empty()) hint = "'" + place + " --help' lists the commands";
    return usage_error("unknown command '" + word + "'", hint);
}

Result<const Command*> find_named(const std::vector<std::string>& name) {
    if (name.empty()) return static_cast<const Command*>(nullptr);
    const auto* verb = find_command(name.front());
    if (!verb) return unknown_command(name.front(), "");
    if (name.size() == 1) return verb;
    const auto* member = find_command(name[0] + " " + name[1]);
    if (!member) return unknown_command(name[1], name[0]);
    return member;
}

Result<void> check_choice(std::string_view what, std::string_view choices, const std::string& value) {
    if (choices.empty()) return {};
    const auto allowed = split(choices, '|');
    for (const auto& choice : allowed)
        if (choice == value) return {};
    auto hint = did_you_mean(value, allowed);
    return usage_error(std::string(what) + " cannot be '" + value + "': it is one of " + join(allowed, ", "), hint);
}

Result<void> check_operands(const Command& command, const std::vector<std::string>& operands) {
    std::size_t least = 0;
    bool unlimited = false;
    for (std::size_t i = 0; i < command.operands.size(); ++i) {
        const auto& operand = command.operands[i];
        if (operand.required) ++least;
        unlimited = unlimited || operand.many;
        if (i < operands.size()) CICD_CHECK(check_choice(operand.name, operand.choices, operands[i]));
    }
    const auto help = "'cicdctl " + std::string(command.name) + " --help' shows how it is used";
    if (operands.size() < least)
        return usage_error(std::string(command.operands[operands.size()].name) + " is missing", help);
    if (!unlimited && operands.size() > command.operands.size())
        return usage_error("unexpected argument '" + operands[command.operands.size()] + "'", help);
    return {};
}

Error unknown_option(const std::string& word, const std::vector<const Option*>& options) {
    const auto typed = word.substr(0, word.find('='));
    std::vector<std::string> names;
    for (const auto* option : options) names.emplace_back(option->long_name());
    return usage_error("unknown option '" + typed + "'", did_you_mean(typed, names));
}

// CLI11 reads the words of one command; only that command's options are ever built.
class CommandLine {
public:
    CommandLine(Invocation& invocation, const Command* command)
        : invocation_(invocation), output_folder_(command ? command->output_folder : std::string_view()) {
        app_.set_help_flag();
        app_.add_flag("-h,--help", invocation.help);
        app_.add_flag("--version", invocation.version);
        for (const auto& option : global_options()) add(invocation.globals, option);
        if (command)
            for (const auto* option : command->all_options()) add(invocation.arguments, *option);
        app_.add_option("operands", invocation.arguments.operands)->allow_extra_args(true);
        app_.allow_extras();
    }

    Result<void> read(std::vector<std::string> words) {
        std::reverse(words.begin(), words.end());
        try {
            app_.parse(words);
        } catch (const CLI::ArgumentMismatch&) {
            return missing_value(words);
        } catch (const CLI::ParseError& fault) {
            return usage_error(fault.what());
        }
        for (const auto& word : app_.remaining())
            if (word != "--") return unknown_option(word, options_);
        return collect();
    }

private:
    void add(Arguments& arguments, const Option& option) {
        arguments.given.push_back({&option, {}});
        options_.push_back(&option);
        const auto names = std::string(option.names);
        CLI::Option* made = nullptr;
        if (option.value.empty()) {
            made = app_.add_flag(names);
        } else {
            made = app_.add_option(names)->expected(1);
        }
        made->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        made->allow_extra_args(false);
        made_.push_back(made);
    }

    Result<void> missing_value(const std::vector<std::string>& reversed) {
        for (const auto* option : options_) {
            if (option->value.empty() || reversed.empty()) continue;
            for (const auto& name : split(option->names, ','))
                if (reversed.front() == name)
                    return usage_error("option '" + name + "' needs a value: " + name + " " +
                                       std::string(option->value));
        }
        return usage_error("an option lacks its value");
    }

    static Arguments::Given* given_as(Arguments& arguments, std::string_view long_name) {
        for (auto& given : arguments.given)
            if (given.option->long_name() == long_name) return &given;
        return nullptr;
    }

    /// --output DIR, of commands that write files. What is nearly a format is one mistyped.
    Result<void> move_folder(Arguments::Given& output, Arguments::Given& folder) {
        const auto formats = split(output.option->choices, '|');
        for (auto it = output.values.begin(); it != output.values.end();) {
            if (std::find(formats.begin(), formats.end(), *it) != formats.end()) {
                ++it;
                continue;
            }
            if (it->find('/') == it->npos && !did_you_mean(*it, formats).empty())
                return usage_error("--output '" + *it + "' is no format: it is one of " + join(formats, ", "),
                                   did_you_mean(*it, formats) + " A folder of that name is --output ./" + *it);
            folder.values = {*it};
            it = output.values.erase(it);
        }
        return {};
    }

    Result<void> collect() {
        auto next = made_.begin();
        for (auto* arguments : {&invocation_.globals, &invocation_.arguments}) {
            for (auto& given : arguments->given) given.values = (*next++)->results();
        }
        if (!output_folder_.empty()) {
            auto* output = given_as(invocation_.globals, "--output");
            auto* folder = given_as(invocation_.arguments, output_folder_);
            if (output && folder) CICD_CHECK(move_folder(*output, *folder));
        }
        for (auto* arguments : {&invocation_.globals, &invocation_.arguments}) {
            for (auto& given : arguments->given) {
                const auto name = given.option->long_name();
                if (!given.option->many && !given.option->value.empty() && given.values.size() > 1)
                    given.values.erase(given.values.begin(), given.values.end() - 1);
                for (const auto& value : given.values) {
                    if (given.option->value.empty() && value != "true")
                        return usage_error("option '" + std::string(name) + "' takes no value");
                    CICD_CHECK(check_choice(name, given.option->choices, value));
                }
            }
        }
        return {};
    }

    Invocation& invocation_;
    std::string_view output_folder_;
    CLI::App app_;
    std::vector<const Option*> options_;
    std::vector<CLI::Option*> made_;
};

}  // namespace

Result<Invocation> parse(std::span<const std::string> typed) {
    std::vector<std::string> words(typed.begin(), typed.end());
    Invocation invocation;
    CICD_TRY(invocation.command, find_named(take_name(words)));
    CommandLine line(invocation, invocation.command);
    CICD_CHECK(line.read(std::move(words)));
    const auto* command = invocation.command;
    if (invocation.help || invocation.version) return invocation;
    if (!command || command->is_group()) {
        const auto& rest = invocation.arguments.operands;  // after "--"
        if (!rest.empty()) return unknown_command(rest.front(), command ? command->name : "");
        return invocation;
    }
    CICD_CHECK(check_operands(*command, invocation.arguments.operands));
    return invocation;
}

}  // namespace cicd::cli
