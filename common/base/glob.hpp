#pragma once

#include "common/base/result.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cicd {

class GlobProgram;

/// GitHub's filter patterns (workflow syntax, "filter pattern cheat sheet"): `*` within a segment, `**` across them,
/// `?` and `+` repeat the character before, `[]` sets, `\` escapes, a leading `!` excludes again.
/// Matching is linear in pattern times text: no backtracking blow-up.
class FilterPatterns {
public:
    /// Fails with where and why for a pattern that cannot be read, for example an open `[`.
    static Result<FilterPatterns> compile(std::span<const std::string> patterns);

    /// Whether a single name (a branch, a tag, a path) is selected: the last pattern that matches decides.
    [[nodiscard]] bool matches(std::string_view text) const;
    /// `paths:` — does any of the changed paths pass?
    [[nodiscard]] bool any_selected(std::span<const std::string> paths) const;
    /// `paths-ignore:` — are all of the changed paths ignored? False for no paths. A path is ignored by the first
    /// pattern that matches it, and by a `!` pattern that does not.
    [[nodiscard]] bool all_ignored(std::span<const std::string> paths) const;
    [[nodiscard]] bool empty() const { return patterns_.empty(); }

private:
    struct Pattern {
        bool exclude = false;
        std::shared_ptr<const GlobProgram> program;
    };

    std::vector<Pattern> patterns_;
};

/// One file glob (see `glob_match`), read once for many paths.
class FileGlob {
public:
    static Result<FileGlob> compile(std::string_view pattern);
    [[nodiscard]] bool matches(std::string_view path) const;

private:
    explicit FileGlob(std::shared_ptr<const GlobProgram> program) : program_(std::move(program)) {}
    std::shared_ptr<const GlobProgram> program_;
};

/// File globs as `hashFiles`, artifacts and caches use them (`**`, `*`, `?`, `[]`, `{a,b}`, `\`), doublestar's rules.
Result<bool> glob_match(std::string_view pattern, std::string_view path);

}  // namespace cicd
