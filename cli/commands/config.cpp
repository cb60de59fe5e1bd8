#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

constexpr Option options[] = {{.names = "--show-origin", .help = "Where each setting comes from"}};
constexpr Example examples[] = {{"cicdctl config list --show-origin", "what is set, and where"}};

Result<ExitCode> list(Session& session, const Arguments& arguments) {
    const auto& settings = session.configuration().settings();
    const bool origins = arguments.has("--show-origin");
    if (session.structured()) {
        Array all;
        for (const auto& setting : settings) {
            Object one{{"name", setting.name}, {"value", setting.value}};
            if (origins) one.set("origin", setting.origin);
            all.emplace_back(std::move(one));
        }
        session.print(Object{{"data", std::move(all)}});
        return ExitCode::success;
    }
    if (settings.empty()) {
        session.note("Nothing is set; the defaults hold.");
        return ExitCode::success;
    }
    render::Table with({{.title = "NAME"}, {.title = "VALUE"}, {.title = "ORIGIN"}});
    render::Table without({{.title = "NAME"}, {.title = "VALUE"}});
    for (const auto& setting : settings) {
        with.add({{setting.name}, {setting.value}, {setting.origin, render::Tone::dim}});
        without.add({{setting.name}, {setting.value}});
    }
    session.print(origins ? with : without);
    return ExitCode::success;
}

}  // namespace

constinit const Command config_group{.name = "config", .summary = "Settings: list"};
constinit const Command config_list{
    .name = "config list",
    .summary = "List the settings",
    .description = "Flags, then CICD_*, .cicd/config.yaml, the user's config.yaml, /etc/cicd.",
    .options = options,
    .examples = examples,
    .handler = list};

}  // namespace cicd::cli
