#include "daemon/runner/step_commands.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace cicd::runner {
namespace {

constexpr std::size_t most_annotations = 1000, most_values = 10'000;

std::string unescaped(std::string_view text, bool property) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto code = text.substr(i, 3);
        char plain = 0;
        if (code == "%25") plain = '%';
        else if (code == "%0D") plain = '\r';
        else if (code == "%0A") plain = '\n';
        else if (property && code == "%3A") plain = ':';
        else if (property && code == "%2C") plain = ',';
        result += plain ? plain : text[i];
        if (plain) i += 2;
    }
    return result;
}

int number(const std::string& text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::max(value, 0);
}

std::string_view label(model::AnnotationLevel level) {
    switch (level) {
        case model::AnnotationLevel::error: return "Error: ";
        case model::AnnotationLevel::warning: return "Warning: ";
        case model::AnnotationLevel::notice: break;
    }
    return "Notice: ";
}

}  // namespace

struct StepCommands::Command {
    std::string name, data;
    model::Texts properties;

    [[nodiscard]] std::string property(std::string_view key) const {
        for (const auto& [known, value] : properties)
            if (to_lower(known) == key) return value;
        return "";
    }

    /// "::name key=value,key=value::data"
    static std::optional<Command> parse(std::string_view line) {
        if (!line.starts_with("::")) return std::nullopt;
        const auto end = line.find("::", 2);
        if (end == line.npos) return std::nullopt;
        const auto head = line.substr(2, end - 2);
        const auto space = head.find(' ');
        Command command;
        command.name = to_lower(head.substr(0, space));
        if (command.name.empty()) return std::nullopt;
        command.data = unescaped(line.substr(end + 2), false);
        if (space == head.npos) return command;
        for (const auto& part : split(head.substr(space + 1), ',')) {
            const auto equals = part.find('=');
            if (equals == std::string::npos || trim(part.substr(0, equals)).empty()) continue;
            command.properties.emplace_back(trim(std::string_view(part).substr(0, equals)), unescaped(std::string_view(part).substr(equals + 1), true));
        }
        return command;
    }
};

void StepCommands::begin(bool unsecure) {
    said_ = {};
    unsecure_ = unsecure;
    stop_token_.clear();
}

StepCommands::Said StepCommands::collect() { return std::exchange(said_, {}); }

std::optional<std::string> StepCommands::take(std::string_view line) {
    auto bare = line;
    while (bare.ends_with('\n') || bare.ends_with('\r')) bare.remove_suffix(1);
    if (!stop_token_.empty()) {
        if (const auto end = bare.find("::", 2); end != bare.npos && bare.substr(2, end - 2) == stop_token_) {
            stop_token_.clear();
            return "";
        }
        return std::string(line);
    }
    const auto command = Command::parse(bare);
    if (!command) return std::nullopt;
    return obey(*command, line);
}

std::optional<std::string> StepCommands::obey(const Command& command, std::string_view line) {
    const auto& [name, data, properties] = command;
    const auto store = [&](model::Texts& texts) -> std::string {
        const auto key = command.property("name");
        if (key.empty()) {
            said_.fault = "Required field 'name' is missing in ##[" + name + "] command.";
        } else if (texts.size() < most_values) {
            texts.emplace_back(key, data);
        }
        return "";
    };
    const auto refused = [&] {
        said_.fault = "The `" + name + "` command is disabled. Use environment files ($GITHUB_ENV, $GITHUB_PATH), or opt into unsecure "
                      "command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`.";
        return std::string(line);
    };
    if (name == "set-output") return store(said_.outputs);
    if (name == "save-state") return store(said_.state);
    if (name == "set-env") return unsecure_ ? store(said_.env) : refused();
    if (name == "add-path") {
        if (!unsecure_) return refused();
        if (!data.empty() && said_.path.size() < most_values) said_.path.push_back(data);
        return "";
    }
    if (name == "error") return annotate(command, model::AnnotationLevel::error);
    if (name == "warning") return annotate(command, model::AnnotationLevel::warning);
    if (name == "notice") return annotate(command, model::AnnotationLevel::notice);
    if (name == "debug") return "Debug: " + data + "\n";
    if (name == "group") return "▾ " + data + "\n";
    if (name == "endgroup" || name == "echo") return "";
    if (name == "add-matcher" || name == "remove-matcher") {
        const auto owner = command.property("owner");
        matcher_orders_.push_back({name == "add-matcher", owner.empty() ? data : "", owner});
        return "";
    }
    if (name == "stop-commands") {
        stop_token_ = data;
        return "";
    }
    return std::nullopt;
}

void StepCommands::add(model::Annotation annotation) {
    if (said_.annotations.size() < most_annotations) said_.annotations.push_back(std::move(annotation));
}

std::string StepCommands::annotate(const Command& command, model::AnnotationLevel level) {
    add({level, to_valid_utf8(command.data), to_valid_utf8(command.property("title")), to_valid_utf8(command.property("file")),
         number(command.property("line")), number(command.property("col")), number(command.property("endline")), number(command.property("endcolumn"))});
    return std::string(label(level)) + command.data + "\n";
}

}  // namespace cicd::runner
