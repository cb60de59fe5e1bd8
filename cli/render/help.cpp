#include "cli/render/help.hpp"

#include "cli/render/text.hpp"

#include <algorithm>

namespace cicd::cli::render {
namespace {

std::string two_columns(const std::vector<std::pair<std::string, std::string>>& lines) {
    std::size_t width = 0;
    for (const auto& line : lines) width = std::max(width, std::min<std::size_t>(columns(line.first), 30));
    std::string text;
    for (const auto& [left, right] : lines) text += "  " + padded(left, width) + "  " + right + "\n";
    return text;
}

std::string command_list(std::string_view group) {
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto* member : members(group))
        if (!group.empty() || !member->is_group()) lines.emplace_back(member->last_word(), member->summary);
    return two_columns(lines);
}

/// What has commands of its own, in a line: the overview fits a screen however many there are.
std::string group_list() {
    std::string names;
    for (const auto* member : members(""))
        if (member->is_group()) names += (names.empty() ? "" : ", ") + std::string(member->name);
    return "\nWith commands of their own ('cicdctl NAME --help'):\n  " + names + "\n";
}

std::string option_list(const std::vector<const Option*>& options) {
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto* option : options) lines.emplace_back(option_label(*option), option->help);
    return two_columns(lines);
}

std::string example_list(const Command& command) {
    if (command.examples.empty()) return {};
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto& example : command.examples) lines.emplace_back(example.line, example.explanation);
    return "\nExamples:\n" + two_columns(lines);
}

}  // namespace

std::string option_label(const Option& option) {
    std::string label(option.names);
    if (const auto comma = label.find(','); comma != std::string::npos) {
        label.insert(comma + 1, " ");
    } else {
        label.insert(0, "    ");
    }
    if (!option.value.empty()) label += " " + std::string(option.value);
    return label;
}

std::string usage(const Command& command) {
    std::string text = "cicdctl " + std::string(command.name);
    if (command.is_group()) return text + " COMMAND";
    for (const auto& operand : command.operands) {
        const auto name = std::string(operand.name) + (operand.many ? "..." : "");
        text += operand.required ? " " + name : " [" + name + "]";
    }
    if (!command.options.empty() || !command.shared_options.empty()) text += " [options]";
    return text;
}

std::string overview() {
    std::vector<const Option*> globals;
    for (const auto& option : global_options()) globals.push_back(&option);
    return "Usage: cicdctl COMMAND [options]\n\nRuns pipelines in isolation on this machine.\n\nCommands:\n" +
           command_list("") + group_list() + "\nOptions of every command:\n" + option_list(globals) +
           "\n'cicdctl COMMAND --help' explains a command.\n";
}

std::string help(const Command& command) {
    std::string text = "Usage: " + usage(command) + "\n\n" + std::string(command.summary) + "\n";
    if (!command.description.empty()) text += std::string(command.description) + "\n";
    if (command.is_group()) text += "\nCommands:\n" + command_list(command.name);
    if (const auto options = command.all_options(); !options.empty()) text += "\nOptions:\n" + option_list(options);
    text += example_list(command);
    return text + "\nOptions of every command: 'cicdctl --help'.\n";
}

}  // namespace cicd::cli::render
