#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

constexpr Operand one_cache[] = {{.name = "CACHE"}};
constexpr Operand some_caches[] = {{.name = "CACHE", .many = true}};
constexpr Option list_options[] = {{.names = "--key", .value = "PREFIX", .help = "Only those whose keys begin so"},
                                   {.names = "--page", .value = "N", .help = "Further pages of 100"}};
constexpr Example list_examples[] = {{"cicdctl cache list --key deps-", "the last used first"}};

std::string text(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }
std::string size_text(const Value& value) {
    return value.is_number() ? humanize_size(static_cast<std::uint64_t>(value.as_number())) : std::string();
}

Result<ExitCode> list(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto page, arguments.number("--page", 1));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto found, daemon->list_caches(arguments.text("--key"), page.value_or(1)));
    if (session.structured()) return session.print(found), ExitCode::success;
    if (!found["data"].is_array() || found["data"].as_array().empty()) return session.note("No caches."), ExitCode::success;
    render::Table table({{.title = "ID"}, {.title = "KEY", .gives_way = true}, {.title = "SCOPE"}, {.title = "SIZE", .right = true},
                         {.title = "FILES", .right = true}, {.title = "USED"}, {.title = "PROJECT", .only_wide = true}});
    std::string names;
    for (const auto& cache : found["data"].as_array()) {
        names += text(cache["id"]) + "\n";
        table.add({{text(cache["id"])}, {text(cache["key"])}, {text(cache["scope"])}, {size_text(cache["size"])},
                   {number_text(cache["files"].is_number() ? cache["files"].as_number() : 0)}, {text(cache["usedTime"])}, {text(cache["project"])}});
    }
    if (session.output() == Output::name || session.quiet()) session.console().out(names);
    else session.print(table);
    if (found["pagination"]["hasNext"] == Value(true)) session.note("… go on with --page " + std::to_string(page.value_or(1) + 1));
    return ExitCode::success;
}

Result<ExitCode> show(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto cache, daemon->show_cache(arguments.operand(0)));
    if (session.structured()) return session.print(cache), ExitCode::success;
    std::string paths;
    if (cache["paths"].is_array())
        for (const auto& path : cache["paths"].as_array()) paths += (paths.empty() ? "" : ", ") + text(path);
    std::string sheet;
    const std::vector<std::pair<std::string, std::string>> lines{
        {"Cache", text(cache["id"])},           {"Key", text(cache["key"])},      {"Scope", text(cache["scope"])},
        {"Project", text(cache["project"])},    {"Paths", paths},                 {"Size", size_text(cache["size"])},
        {"Saved", text(cache["createdTime"])},  {"Used", text(cache["usedTime"])}, {"Until", text(cache["expireTime"])}};
    for (const auto& [name, value] : lines)
        if (!value.empty()) sheet += render::padded(name + ":", 10) + value + "\n";
    session.console().out(sheet);
    return ExitCode::success;
}

Result<ExitCode> remove(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    for (const auto& id : arguments.operands) {
        CICD_CHECK(daemon->remove_cache(id));
        session.console().out(id + "\n");
    }
    return ExitCode::success;
}

}  // namespace

constinit const Command cache_group{.name = "cache", .summary = "Caches of jobs: list, show, rm"};
constinit const Command cache_list{.name = "cache list", .summary = "List caches", .options = list_options, .examples = list_examples, .handler = list};
constinit const Command cache_show{.name = "cache show", .summary = "Show a cache", .operands = one_cache, .handler = show};
constinit const Command cache_remove{.name = "cache rm", .summary = "Forget caches", .operands = some_caches, .handler = remove};

}  // namespace cicd::cli
