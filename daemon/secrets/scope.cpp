#include "daemon/secrets/scope.hpp"

#include "common/base/glob.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <tuple>

namespace cicd::secrets {
namespace {

constexpr std::size_t longest_name = 200, longest_part = 1000;

/// A path with and without a slash at its end is the same project.
std::string normal(const std::string& project) {
    if (!project.starts_with('/')) return project;
    auto path = std::filesystem::path(project).lexically_normal().string();
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

bool matches_branch(const std::string& pattern, const std::string& branch) {
    const auto patterns = FilterPatterns::compile(std::array{pattern});
    return patterns && !branch.empty() && patterns->matches(branch);
}

}  // namespace

Result<void> check_name(const std::string& name) {
    const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    const bool good = !name.empty() && name.size() <= longest_name &&
                      std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                      std::all_of(name.begin(), name.end(), letter);
    if (good) return {};
    // A value that was typed behind the name is not repeated.
    if (const auto equals = name.find('='); equals != std::string::npos)
        return invalid("SECRET_002", "'" + to_valid_utf8(name.substr(0, std::min<std::size_t>(equals, 80))) + "=…' cannot be the name of a secret",
                       "the value is asked for, or comes from standard input or --file: arguments are seen by others");
    return invalid("SECRET_002", "'" + to_valid_utf8(name.substr(0, 80)) + "' cannot be the name of a secret",
                   "letters, digits and '_', not a digit first, at most 200 of them");
}

Result<void> check_scope(const model::SecretScope& scope) {
    for (const auto* part : {&scope.project, &scope.environment, &scope.branch})
        if (part->size() > longest_part || part->find('\0') != std::string::npos || !is_valid_utf8(*part))
            return invalid("SECRET_002", "a part of the secret's scope is not a text of at most 1000 bytes");
    if (scope.branch.empty()) return {};
    if (scope.branch.starts_with('!'))
        return invalid("SECRET_002", "the branch pattern '" + scope.branch + "' only excludes",
                       "name the branches that may have the secret");
    if (const auto pattern = FilterPatterns::compile(std::array{scope.branch}); !pattern)
        return invalid("SECRET_002",
                       "the branch pattern '" + scope.branch + "' cannot be read: " + pattern.error().message);
    return {};
}

bool fits(const model::SecretScope& scope, const model::SecretPlace& place, bool any_environment) {
    if (!scope.project.empty()) {
        if (normal(scope.project) != normal(place.repository)) return false;
    }
    if (!scope.environment.empty() && !any_environment && scope.environment != place.environment) return false;
    return scope.branch.empty() || matches_branch(scope.branch, place.branch);
}

bool is_nearer(const model::SecretScope& a, const model::SecretScope& b) {
    const auto rank = [](const model::SecretScope& scope) {
        const bool literal = scope.branch.find_first_of("*?+[") == std::string::npos;
        return std::tuple(!scope.environment.empty(), !scope.project.empty(), !scope.branch.empty(), literal,
                          scope.branch.size(), scope.branch);
    };
    return rank(a) > rank(b);
}

}  // namespace cicd::secrets
