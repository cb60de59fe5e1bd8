#include "common/codec/codecs.hpp"
#include "daemon/app/configuration.hpp"
#include "daemon/app/daemon.hpp"
#include "daemon/planner/prepare.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <iterator>

namespace cicd::app {
namespace {

/// Mirrors that are kept between calls, apart from the daemon's: a plan changes no state.
std::filesystem::path mirrors() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::filesystem::path(value ? value : "");
    };
    if (const auto cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "cicd/repos";
    if (const auto home = variable("HOME"); home.is_absolute()) return home / ".cache/cicd/repos";
    return std::filesystem::temp_directory_path() / ("cicd-plan-" + std::to_string(::getuid())) / "repos";
}

Result<model::Plan> make_plan(const std::filesystem::path& config_directory) {
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    CICD_TRY(const auto value, codec::parse_json(text));
    CICD_TRY(const auto request, codec::decode<contract::StartRun>(value));
    CICD_TRY(const auto configuration, read_configuration(config_directory));
    const auto folder = mirrors();
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return unavailable("CICD_503", "cannot create " + folder.string() + ": " + error.message());
    git::Sources sources(folder);
    CICD_TRY(auto prepared, planner::prepare(sources, request,
                                                 {.allow_host_executor = configuration.allow_host_executor,
                                                  .actions = {configuration.action_server, configuration.action_map},
                                                  .labels = configuration.labels}));
    return std::move(prepared.plan);
}

}  // namespace

int plan_once(const std::filesystem::path& config_directory) {
    const auto plan = make_plan(config_directory);
    const auto answer = plan ? codec::encode(*plan) : codec::encode_error(plan.error(), "");
    std::cout << codec::to_json(answer) << '\n' << std::flush;
    return plan ? 0 : 2;
}

}  // namespace cicd::app
