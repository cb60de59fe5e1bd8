#pragma once

#include "common/base/result.hpp"

#include <string>

namespace cicd::images {

/// What `image:` says: a name as registries have them, or a path in the repository.
struct Reference {
    enum class Kind { name, oci, docker_archive } kind = Kind::name;
    std::string name;    ///< with its tag, "latest" where none is written; or the path
    std::string digest;  ///< "sha256:…" where it is pinned

    /// As it was written, with the tag, pinned where there is a digest.
    [[nodiscard]] std::string text() const;
};

/// Fails (kind invalid, IMAGE_002) where that is no reference.
Result<Reference> parse_reference(const std::string& text);

}  // namespace cicd::images
