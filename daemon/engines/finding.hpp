#pragma once

#include "daemon/engines/engine.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// Which engine a job gets: `engine:` of the configuration, DOCKER_HOST, else the first that answers.
namespace cicd::engines {

/// What the configuration may say: auto, podman, docker, none, unix:///PATH. Fails (invalid, ENGINE_004).
Result<void> check_setting(const std::string& setting);

struct Candidate {
    std::string socket;
    bool served_by_podman = false;  ///< installed here: where nobody answers, its service can be started
};
/// Where to look, in this order. Fails where DOCKER_HOST or the setting rule it out.
Result<std::vector<Candidate>> candidates(const std::string& setting);

enum class MayStart { no, yes };
/// `yes`: where Podman is installed and nobody serves its socket, its service is started: it ends by itself after a minute
/// without requests. Fails (unavailable, ENGINE_001) with what to install or which command mends it.
Result<Engine> find_engine(const std::string& setting, MayStart may_start);

/// What answers at a socket that was used before; Podman's service is started again where it would be for a job.
Result<Engine> start_served(const std::string& socket);

/// "Podman 4.3.1, rootless"
std::string describe(Engine& engine);
/// For people, in one line: what jobs would get. Starts nothing; fails as find_engine does.
Result<std::string> what_is_here(const std::string& setting);

}  // namespace cicd::engines
