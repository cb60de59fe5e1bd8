#include "common/pipeline/gitlab/files.hpp"

#include "common/base/glob.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t most_looked_at = 20'000;
constexpr int deepest = 20;

class Walk {
public:
    Walk(const FrontOptions& options, const FileGlob& glob, bool deep, bool only_one) : options_(options), glob_(glob), deep_(deep), only_one_(only_one) {}

    void look(const std::string& folder, int depth) {
        const auto names = options_.list(folder);
        if (!names) return;
        for (const auto& name : *names) {
            if (++looked_at_ > most_looked_at || (only_one_ && !found.empty())) return;
            const auto path = folder.empty() ? name : folder + "/" + name;
            if (glob_.matches(path)) found.push_back(path);
            if (depth < deepest && (deep_ || depth < levels)) look(path, depth + 1);
        }
    }

    model::Strings found;
    int levels = 0;

private:
    const FrontOptions& options_;
    const FileGlob& glob_;
    bool deep_, only_one_;
    std::size_t looked_at_ = 0;
};

std::string plain(std::string path) {
    while (path.starts_with("./")) path.erase(0, 2);
    path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
    return path;
}

/// Nothing outside of the repository is looked at.
bool leads_out(const std::string& path) { return ("/" + path + "/").find("/../") != std::string::npos; }

model::Strings search(const FrontOptions& options, const std::string& given, bool only_one) {
    const auto pattern = plain(given);
    const auto special = pattern.find_first_of("*?[{");
    if (leads_out(pattern)) return {};
    if (special == pattern.npos) return {pattern};
    if (!options.list) return {};
    const auto glob = FileGlob::compile(pattern);
    if (!glob) return {};
    const auto slash = pattern.rfind('/', special);
    Walk walk(options, *glob, pattern.find("**") != pattern.npos, only_one);
    const auto rest = pattern.substr(slash == pattern.npos ? 0 : slash + 1);
    walk.levels = static_cast<int>(std::count(rest.begin(), rest.end(), '/'));
    walk.look(slash == pattern.npos ? "" : pattern.substr(0, slash), 0);
    std::sort(walk.found.begin(), walk.found.end());
    return walk.found;
}

}  // namespace

model::Strings files_of(const FrontOptions& options, const std::string& pattern) { return search(options, pattern, false); }

bool exists(const FrontOptions& options, const std::string& given) {
    const auto pattern = plain(given);
    if (leads_out(pattern)) return false;
    if (pattern.find_first_of("*?[{") != pattern.npos) return !search(options, pattern, true).empty();
    if (!options.list) return options.read_file && options.read_file(pattern).has_value();
    auto folder = pattern;
    while (folder.ends_with('/')) folder.pop_back();
    const auto slash = folder.rfind('/');
    const auto names = options.list(slash == folder.npos ? "" : folder.substr(0, slash));
    return names && std::find(names->begin(), names->end(), folder.substr(slash == folder.npos ? 0 : slash + 1)) != names->end();
}

}  // namespace cicd::pipeline::gitlab
