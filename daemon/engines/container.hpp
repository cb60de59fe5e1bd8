#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/engines/engine.hpp"
#include "daemon/engines/images.hpp"

#include <filesystem>
#include <string>

/// A job's container: what it is given, and how it goes again.
namespace cicd::engines {

/// The volume of a job that its containers share under this name; it goes with them.
std::string volume_name(const model::JobSpec& spec, const std::string& name);

// Labels by which what belongs to us is found again.
inline constexpr const char* label_job = "io.cicd.job";      ///< "JOB/ATTEMPT"
inline constexpr const char* label_state = "io.cicd.state";  ///< the state directory
inline constexpr const char* label_action = "io.cicd.action";    ///< of an image that was built for an action
inline constexpr const char* label_service = "io.cicd.service";  ///< of a service's: its name

/// One attempt of a job has one name, so that it is found also by who never learnt its id; so has each of its services.
std::string container_name(const model::JobSpec& spec, const std::string& service = {});

/// What the container of a service is made by: its image and user, or the job's, and then the job's workspace.
Result<model::JobSpec> spec_of_service(const model::JobSpec& job, const std::string& service);

struct Folders {
    std::filesystem::path init;   ///< the runner's program
    std::filesystem::path place;  ///< with the socket that the container's init calls
    std::filesystem::path hosts = {};  ///< of a job with services: their /etc/hosts
};
/// The body of POST /containers/create. Looks at nothing but the folders that volumes name. A service joins the network of its
/// job's container. Fails (invalid) where a volume is none, or a folder that the configuration does not allow.
Result<Object> container_request(const model::JobSpec& spec, const std::string& image, const Folders& folders, Facts::Kind kind,
                         const std::string& service = {});

/// What every container of a job is held to.
void add_limits(Object& host, const model::JobSpec& spec);

/// Created and running when it returns; gives the pid of its first process, as this machine sees it. Where a job with
/// services cannot have the engine's own network, it gets one without a way out, and that is told.
Result<int> start_container(Engine& engine, const model::JobSpec& spec, const std::string& image, const Folders& folders,
                            const Tell& tell, const std::string& service = {});
/// A job's, with those of its services, without which it does not go, and its volumes.
Result<void> remove_containers(Engine& engine, const model::JobSpec& spec);
/// Kills what runs in it. It is not there any more when this returns; one that is not there is fine.
Result<void> remove_container(Engine& engine, const std::string& name);
/// One that is not there is fine.
Result<void> remove_volume(Engine& engine, const std::string& name);

}  // namespace cicd::engines
