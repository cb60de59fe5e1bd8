#pragma once

#include "common/model/plan.hpp"

#include <string>

namespace cicd::pipeline {

/// What a repository is called where it came from.
struct RemoteNames {
    std::string path;  ///< "group/sub/name"
    std::string name;  ///< its last part
    std::string server;
};

/// From https://host/group/name.git, git@host:group/name.git or a folder, which is "local/name" of the usual server.
RemoteNames remote_names(const model::Source& source, const std::string& usual_server);

}  // namespace cicd::pipeline
