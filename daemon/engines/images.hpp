#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/engines/engine.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// Images as the engine has them.
namespace cicd::engines {

using Tell = std::function<void(std::string_view line)>;

struct FoundImage {
    std::string id;      ///< what containers are made of
    std::string digest;  ///< its manifest's, where it came from a registry; else the id's
    Value config = {};   ///< what its maker gave it, in the engine's words: Entrypoint, Cmd, WorkingDir
};

/// The image in the engine's own store, by name, or by digest where `name` is "name@sha256:…".
Result<std::optional<FoundImage>> find_image(Engine& engine, const std::string& name);
/// What the registry says that the name stands for now; nothing where this engine cannot ask (Podman).
Result<std::optional<std::string>> ask_registry(Engine& engine, const std::string& name);
/// Brings it there where it is not: from the files that this machine has of it, or from its registry. `login` is "user:password".
Result<FoundImage> provide_image(Engine& engine, const model::JobSpec& spec, const std::string& login, const Tell& tell);

/// Of a request to push: name and tag for a path, and the header that holds the login.
struct PushParts {
    std::string name, tag, login_header;
};
PushParts push_parts(const std::string& tag, const std::string& login);

}  // namespace cicd::engines
