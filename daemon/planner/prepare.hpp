#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"
#include "common/model/plan.hpp"
#include "common/model/secret.hpp"
#include "daemon/git/source.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// From a request to a plan: source resolved, pipeline file chosen and read at that revision, parsed, planned.
/// The same for the daemon's runs and triggers and for `cicdctl plan`, which needs no daemon. Blocks.
namespace cicd::planner {

struct Prepared {
    model::Plan plan;
    std::string definition;  ///< the pipeline file's text
    std::vector<Diagnostic> warnings;
};

using PinImage =
    std::function<Result<std::string>(git::Sources& sources, const model::Source& source, const model::Image& image, model::ExecutorKind executor)>;

/// Where repositories are that workflows of GitHub's name as owner/name.
struct ActionServers {
    std::string server;      ///< "https://github.com"; empty: nowhere, but for those of the map
    model::Texts map;        ///< owner/name → URL or absolute path
    bool only_look = false;  ///< nothing is fetched
};

struct PrepareOptions {
    bool allow_host_executor = false;
    /// The secrets of a place, without its environments; not set: nobody can tell.
    std::function<Result<std::vector<model::KnownSecret>>(const model::SecretPlace&)> secrets = nullptr;
    std::string user = {};  ///< who asks: the event's actor; empty: the commit's author
    /// See PlanRequest::pin_image.
    PinImage pin_image = nullptr;
    ActionServers actions = {};
    model::Texts labels = {};  ///< see PlanRequest
    /// Why no step can run in a container of its own; not set: nobody can tell.
    std::function<std::optional<std::string>()> why_no_engine = nullptr;
    model::Strings mountable = {};  ///< folders of this machine that containers may be given
};

/// `request.definition` replaces the file where it is set.
Result<Prepared> prepare(git::Sources& sources, const contract::StartRun& request, const PrepareOptions& options);

}  // namespace cicd::planner
