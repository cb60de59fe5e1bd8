#pragma once

#include "daemon/objects/manifest.hpp"
#include "daemon/objects/object_store.hpp"
#include "daemon/remote/s3.hpp"

#include <filesystem>
#include <functional>
#include <set>
#include <string>

/// Objects on this disk and their copies elsewhere. What is acknowledged lies on this disk; it is copied right after, and
/// only what has its copy may leave the disk again. A copy holds the bytes as they are; its key is `ab/cdef…`.
namespace cicd::remote {

class Copies {
public:
    /// `marks`: a folder of this own, an empty file for each object that is known to have its copy.
    Copies(objects::ObjectStore store, S3 s3, std::filesystem::path marks)
        : store_(std::move(store)), s3_(std::move(s3)), marks_(std::move(marks)) {}

    /// Copies what a manifest needs and has no copy yet, itself last.
    Result<void> push(const std::string& manifest) const;
    /// Brings back what of it is not on this disk, each object checked by its digest. What is there counts as just put.
    Result<void> fetch(const std::string& manifest) const;
    /// Removes what has its copy, the oldest first, until so many bytes are left; gives how many were removed. Nothing that
    /// was put or asked for within the last hour.
    Result<std::uint64_t> trim(std::uint64_t keep) const;

    [[nodiscard]] bool has_copy(const std::string& digest) const;

private:
    [[nodiscard]] std::filesystem::path mark(const std::string& digest) const;
    Result<void> push_object(const std::string& digest, std::uint64_t size) const;
    Result<void> fetch_object(const std::string& digest) const;

    objects::ObjectStore store_;
    S3 s3_;
    std::filesystem::path marks_;
};

}  // namespace cicd::remote
