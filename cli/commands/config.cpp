#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/session.hpp"
#include "cli/settings.hpp"
#include "common/base/paths.hpp"
#include "common/base/text.hpp"

namespace cicd::cli {
namespace {

constexpr Option list_options[] = {{.names = "--show-origin", .help = "Where each setting comes from"},
                                   {.names = "--set", .help = "Only what is set, without defaults"}};
constexpr Option place_options[] = {{.names = "--project", .help = "In .cicd/config.yaml of this repository"},
                                    {.names = "--system", .help = "In /etc/cicd/config.yaml"}};
constexpr Operand key[] = {{.name = "KEY", .completes = Completes::setting}};
constexpr Operand key_and_value[] = {{.name = "KEY", .completes = Completes::setting}, {.name = "VALUE"}};
constexpr Example list_examples[] = {{"cicdctl config list --show-origin", "what holds, and where it was said"}};
constexpr Example get_examples[] = {{"cicdctl config get capacity.slots", "for a script"}};
constexpr Example set_examples[] = {{"cicdctl config set capacity.slots 4", "in your config.yaml"},
                                    {"cicdctl config set output json --project", "for this repository"}};
constexpr Example unset_examples[] = {{"cicdctl config unset capacity.slots", "the default holds again"}};

// Defaults that depend on the machine.
std::string shown_value(const Session& session, const Configuration::Setting& setting) {
    if (!setting.value.empty() || setting.origin != "default") return setting.value;
    if (setting.name == "socket") return session.socket().string();
    if (setting.name == "stateDirectory") return state_directory().string();
    return {};
}

std::string unset_value(const Configuration::Setting& setting) {
    const auto known = find_setting(setting.name);
    return known && (*known)->may_be_unset ? "(not set)" : "(by the machine)";
}

Result<ExitCode> list(Session& session, const Arguments& arguments) {
    const auto settings =
        arguments.has("--set") ? session.configuration().settings() : session.configuration().with_defaults();
    const bool origins = arguments.has("--show-origin");
    if (session.structured()) {
        Array all;
        for (const auto& setting : settings) {
            Object one{{"name", setting.name}, {"value", shown_value(session, setting)}};
            if (origins) one.set("origin", setting.origin);
            all.emplace_back(std::move(one));
        }
        session.print(Object{{"data", std::move(all)}});
        return ExitCode::success;
    }
    render::Table with({{.title = "NAME"}, {.title = "VALUE"}, {.title = "ORIGIN"}});
    render::Table without({{.title = "NAME"}, {.title = "VALUE"}});
    for (const auto& setting : settings) {
        const auto value = shown_value(session, setting);
        const auto shown = value.empty() ? unset_value(setting) : value;
        with.add({{setting.name}, {shown}, {setting.origin, render::Tone::dim}});
        without.add({{setting.name}, {shown}});
    }
    session.print(origins ? with : without);
    return ExitCode::success;
}

Result<ExitCode> get(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto* known, find_setting(arguments.operand(0)));
    for (const auto& setting : session.configuration().with_defaults()) {
        if (setting.name != known->name) continue;
        const auto value = shown_value(session, setting);
        if (session.structured()) {
            session.print(Object{{"name", setting.name}, {"value", value}, {"origin", setting.origin}});
        } else {
            session.console().out(value + "\n");
        }
    }
    return ExitCode::success;
}

Result<std::filesystem::path> file_of(const Arguments& arguments) {
    if (arguments.has("--project") && arguments.has("--system"))
        return usage_error("--project and --system exclude each other");
    if (arguments.has("--system")) return std::filesystem::path("/etc/cicd/config.yaml");
    if (!arguments.has("--project")) return config_directory() / "config.yaml";
    const auto root = repository_root(".");
    if (!root) return invalid("CLI_004", "this is no git repository", "without --project it is set for you everywhere");
    return *root / ".cicd" / "config.yaml";
}

Result<ExitCode> change(Session& session, const Arguments& arguments, const std::optional<std::string>& value) {
    CICD_TRY(const auto file, file_of(arguments));
    std::error_code fault;
    std::string text;
    if (std::filesystem::exists(file, fault)) {
        CICD_TRY(text, read_text(file));
    }
    CICD_TRY(const auto edited, edit_settings(text, arguments.operand(0), value));
    std::filesystem::create_directories(file.parent_path(), fault);
    if (edited.text != text) CICD_CHECK(write_text(file, edited.text));
    if (!edited.kept_comments) session.note("The file was written anew: comments in it are gone.");
    session.note(file.string());
    for (const auto& setting : session.configuration().settings())
        if (value && setting.name == arguments.operand(0) && setting.origin.starts_with('$'))
            session.note(setting.origin + " is set and comes first.");
    return ExitCode::success;
}

Result<ExitCode> set(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto* known, find_setting(arguments.operand(0)));
    const auto value = arguments.operand(1);
    if (!known->choices.empty()) {
        const auto choices = split(known->choices, '|');
        if (std::find(choices.begin(), choices.end(), value) == choices.end())
            return usage_error(
                "'" + std::string(known->name) + "' cannot be '" + value + "': it is one of " + join(choices, ", "),
                did_you_mean(value, choices));
    }
    return change(session, arguments, value);
}

Result<ExitCode> unset(Session& session, const Arguments& arguments) {
    CICD_CHECK(find_setting(arguments.operand(0)));
    return change(session, arguments, std::nullopt);
}

}  // namespace

constinit const Command config_group{.name = "config", .summary = "Settings: list, get, set, unset"};
constinit const Command config_list{
    .name = "config list",
    .summary = "List the settings",
    .description = "Flags come first, then CICD_*, .cicd/config.yaml, your config.yaml, /etc/cicd.",
    .options = list_options,
    .examples = list_examples,
    .handler = list};
constinit const Command config_get{
    .name = "config get", .summary = "Show one setting", .operands = key, .examples = get_examples, .handler = get};
constinit const Command config_set{.name = "config set",
                                   .summary = "Change a setting in your config.yaml",
                                   .description = "Comments in the file stay. The daemon reads it when it starts.",
                                   .operands = key_and_value,
                                   .options = place_options,
                                   .examples = set_examples,
                                   .handler = set};
constinit const Command config_unset{.name = "config unset",
                                     .summary = "Take a setting out of your config.yaml",
                                     .operands = key,
                                     .options = place_options,
                                     .examples = unset_examples,
                                     .handler = unset};

}  // namespace cicd::cli
