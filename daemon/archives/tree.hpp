#pragma once

#include "common/base/result.hpp"
#include "daemon/archives/unpack.hpp"

#include <string>
#include <unordered_map>

namespace cicd::archives {

Error refused(const std::string& path, const std::string& why);

/// What an archive's entries become: no path twice, nothing below what is no folder, folders before what is in them.
class Tree {
public:
    explicit Tree(const UnpackLimits& limits) : limits_(limits) {}

    /// `a/b` from `./a//b/`; empty for the top itself. Refuses what leads out or cannot be shown.
    [[nodiscard]] static Result<std::string> inner_path(const std::string& written);
    Result<void> add(objects::Entry entry);
    /// For hard links: the file of that path, which must have come before.
    [[nodiscard]] const objects::Entry* file(const std::string& path) const;
    /// The packs are the caller's.
    objects::Manifest& manifest() { return manifest_; }
    /// Sorted as save_tree sorts.
    void sort();

private:
    Result<void> folders_above(const std::string& path);
    Result<void> push(objects::Entry entry);

    const UnpackLimits& limits_;
    objects::Manifest manifest_;
    std::unordered_map<std::string, std::size_t> by_path_;
    std::size_t names_ = 0;
};

}  // namespace cicd::archives
