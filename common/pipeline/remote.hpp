#pragma once

#include "common/model/plan.hpp"

#include <optional>
#include <string>

namespace cicd::pipeline {

/// What the URL of a source says; nothing of a folder.
struct RemotePlace {
    std::string host;  ///< without user and port; may be empty
    std::string path;  ///< without ".git"
};
/// From https://host/group/name.git or git@host:group/name.git.
std::optional<RemotePlace> remote_place(const model::Source& source);

/// What a repository is called where it came from.
struct RemoteNames {
    std::string path;  ///< "group/sub/name"
    std::string name;  ///< its last part
    std::string server;
};

/// From https://host/group/name.git, git@host:group/name.git or a folder, which is "local/name" of the usual server.
RemoteNames remote_names(const model::Source& source, const std::string& usual_server);

}  // namespace cicd::pipeline
