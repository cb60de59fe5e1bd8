#pragma once

#include "common/base/glob.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cicd::engines {

/// What a `.dockerignore` keeps out of a build's context: patterns as Docker's reference for that file has them, the last one
/// that fits a path, or a folder above it, decides.
class Ignored {
public:
    /// Fails (invalid) for a pattern that cannot be read.
    static Result<Ignored> parse(std::string_view text);
    [[nodiscard]] bool empty() const { return patterns_.empty(); }
    /// Something below what is ignored may be wanted.
    [[nodiscard]] bool has_exceptions() const;
    /// `path`: relative to the context.
    [[nodiscard]] bool excludes(std::string_view path) const;

private:
    struct Pattern {
        FileGlob glob;
        bool keeps;
    };
    std::vector<Pattern> patterns_;
};

}  // namespace cicd::engines
