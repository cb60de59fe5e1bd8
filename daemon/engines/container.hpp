#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/engines/engine.hpp"
#include "daemon/engines/images.hpp"

#include <filesystem>
#include <string>

/// A job's container: what it is given, and how it goes again.
namespace cicd::engines {

// Labels by which what belongs to us is found again.
inline constexpr const char* label_job = "io.cicd.job";      ///< "JOB/ATTEMPT"
inline constexpr const char* label_state = "io.cicd.state";  ///< the state directory

/// One attempt of a job has one name, so that it is found also by who never learnt its id.
std::string container_name(const model::JobSpec& spec);

struct Folders {
    std::filesystem::path init;   ///< the runner's program
    std::filesystem::path place;  ///< with the socket that the container's init calls
};
/// The body of POST /containers/create. Pure.
Object container_request(const model::JobSpec& spec, const std::string& image, const Folders& folders, Facts::Kind kind);

/// Created and running when it returns; gives the pid of its first process, as this machine sees it.
Result<int> start_container(Engine& engine, const model::JobSpec& spec, const std::string& image, const Folders& folders, const Tell& tell);
/// Kills what runs in it. It is not there any more when this returns; one that is not there is fine.
Result<void> remove_container(Engine& engine, const std::string& name);

}  // namespace cicd::engines
