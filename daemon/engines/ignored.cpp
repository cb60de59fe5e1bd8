#include "daemon/engines/ignored.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <filesystem>

namespace cicd::engines {
namespace {

/// Braces mean nothing there.
std::string as_glob(std::string_view text) {
    auto path = std::filesystem::path(text).lexically_normal().string();
    while (path.starts_with('/')) path.erase(0, 1);
    while (path.ends_with('/')) path.pop_back();
    std::string glob;
    for (const char c : path) {
        if (c == '{' || c == '}') glob += '\\';
        glob += c;
    }
    return glob;
}

}  // namespace

Result<Ignored> Ignored::parse(std::string_view text) {
    Ignored made;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    for (const auto& raw : split(text, '\n')) {
        if (raw.starts_with('#')) continue;
        auto line = trim(raw);
        const bool keeps = line.starts_with('!');
        if (keeps) line = trim(line.substr(1));
        const auto pattern = as_glob(line);
        if (pattern.empty() || pattern == ".") continue;
        auto glob = FileGlob::compile(pattern);
        if (!glob) return invalid("JOB_002", ".dockerignore: '" + std::string(line) + "' is no pattern: " + glob.error().message);
        made.patterns_.push_back({std::move(*glob), keeps});
    }
    return made;
}

bool Ignored::has_exceptions() const {
    return std::any_of(patterns_.begin(), patterns_.end(), [](const Pattern& pattern) { return pattern.keeps; });
}

bool Ignored::excludes(std::string_view path) const {
    const auto fits = [&](const Pattern& pattern) {
        for (auto end = path.size(); end != path.npos && end > 0; end = path.rfind('/', end - 1))
            if (pattern.glob.matches(path.substr(0, end))) return true;
        return false;
    };
    const auto last = std::find_if(patterns_.rbegin(), patterns_.rend(), fits);
    return last != patterns_.rend() && !last->keeps;
}

}  // namespace cicd::engines
