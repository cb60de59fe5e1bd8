#pragma once

#include "daemon/objects/manifest.hpp"
#include "daemon/objects/object_store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cicd::objects {

/// What a client gets of an artifact: one of its files, or all of it as a tar archive (ustar, pax where a name or size
/// does not fit). Nothing of it is made before it is read, its length is known from the start and it can begin anywhere,
/// so that a download can be gone on with.
class Download {
public:
    /// not_found (ARTIFACT_001) where there is no such file.
    static Result<Download> file(const ObjectStore& store, Manifest manifest, const std::string& path);
    static Download tar(const ObjectStore& store, Manifest manifest);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Before the first `next`.
    void begin_at(std::uint64_t offset) { skip_ = offset; }
    /// The next bytes, some hundred KiB; empty: the end.
    Result<std::string> next();

private:
    Download(const ObjectStore& store, Manifest manifest) : store_(store), manifest_(std::move(manifest)) {}
    [[nodiscard]] std::string header(const Entry& entry) const;
    Result<std::string> content(const Entry& entry);
    /// Moves on to the next part; passes over what is to be skipped.
    void turn_to(std::size_t entry);

    ObjectStore store_;
    Manifest manifest_;
    std::optional<std::size_t> only_;  ///< one file, without headers
    std::uint64_t size_ = 0, skip_ = 0;
    std::size_t entry_ = 0;
    enum class Part { header, content, padding, end } part_ = Part::header;
    std::uint64_t done_ = 0;  ///< of the content
    std::optional<Reader> reader_;
};

}  // namespace cicd::objects
