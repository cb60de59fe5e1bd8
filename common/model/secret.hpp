#pragma once

#include "common/base/time.hpp"
#include "common/model/plan.hpp"

#include <optional>
#include <string>
#include <vector>

/// Secrets without their values: those are nowhere in the model.
namespace cicd::model {

/// For whom a secret is. Every part that is not empty must fit; nothing at all: every job.
struct SecretScope {
    std::string project;      ///< a repository: the path or URL that runs name. A pipeline's name is not enough: anybody writes one
    std::string environment;  ///< the environment of a stage or job
    std::string branch;       ///< a filter pattern, such as release/**
    bool operator==(const SecretScope&) const = default;
};

struct Secret {
    std::string name;
    SecretScope scope;
    int version = 1;  ///< counts the values it has had
    Timestamp created_time, updated_time;
    std::string created_by, updated_by;
    std::optional<Timestamp> rotate_by;  ///< when its value should be replaced
    std::optional<Timestamp> last_used_time;
    std::string last_used_by;  ///< the job that was given it last
    bool operator==(const Secret&) const = default;
};

/// One line of the secrets' history.
struct SecretEvent {
    Timestamp time;
    std::string action;  ///< set, removed, used, rekeyed
    std::string name;
    SecretScope scope;
    int version = 0;
    std::string user;  ///< who did it; of a use: the job
    bool operator==(const SecretEvent&) const = default;
};

/// A secret that a run may have; with an environment: only its stages and jobs of that environment.
struct KnownSecret {
    std::string name, environment;
    bool operator==(const KnownSecret&) const = default;
};

/// Where a job runs, as far as it decides whose secrets it gets.
struct SecretPlace {
    std::string repository;
    std::string environment;
    std::string branch;       ///< empty for tags and pull requests: whoever opens one chooses its branch's name
    bool operator==(const SecretPlace&) const = default;
};

inline SecretPlace secret_place(const Source& source, const Event& event) {
    SecretPlace place;
    place.repository = source.repository;
    const bool foreign = event.type == TriggerType::pull_request || event.pull_request > 0 || !event.tag.empty();
    if (!foreign) place.branch = event.branch.empty() ? source.branch : event.branch;
    return place;
}

/// Stands in a list of names for all of them: an expression reads `secrets` as a whole, or by a computed name.
inline constexpr const char* all_secrets = "*";

}  // namespace cicd::model
