#include "daemon/planner/fetched_actions.hpp"

#include "common/base/text.hpp"
#include "daemon/git/fetched.hpp"

#include <algorithm>
#include <filesystem>

namespace cicd::planner {
namespace {

constexpr int deepest = 10;
constexpr std::size_t most_repositories = 50, longest_name = 200;

bool is_plain(std::string_view text, std::string_view others) {
    return !text.empty() && text.size() <= longest_name && text.front() != '.' && text.front() != '-' && text.find("..") == text.npos &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
           });
}

/// What ends up in an address and in names of folders is nothing but a name.
Result<void> check(const std::string& name, const std::string& ref) {
    const auto slash = name.find('/');
    if (slash == name.npos || !is_plain(name.substr(0, slash), "-_.") || !is_plain(name.substr(slash + 1), "-_."))
        return invalid("SOURCE_002", "'" + name + "' is no owner/name of a repository");
    if (!is_plain(ref, "-_./+")) return invalid("SOURCE_002", "'" + ref + "' is no tag, branch or commit of " + name, "write owner/name@v1");
    return {};
}

}  // namespace

Result<std::string> FetchedActions::place_of(const std::string& name) const {
    for (const auto& [known, place] : servers_.map)
        if (to_lower(known) == to_lower(name))
            return place.starts_with('/') ? "file://" + std::filesystem::path(place).lexically_normal().string() : place;
    if (servers_.server.empty())
        return unavailable("SOURCE_005", "the configuration names no server of actions", "name one: actions: {server: https://github.com}");
    return servers_.server + "/" + name;
}

Result<model::FetchedAction> FetchedActions::resolve(const std::string& name, const std::string& ref) {
    CICD_CHECK(check(name, ref));
    if (known_.size() >= most_repositories) return invalid("SOURCE_002", "it uses more than " + std::to_string(most_repositories) + " repositories");
    git::Revision revision;
    revision.name = ref;
    git::FetchOptions options;
    options.pull_requests = false;
    CICD_TRY(const auto place, place_of(name));
    const bool of_server = !servers_.server.empty() && place.starts_with(servers_.server + "/");
    std::optional<Error> why;
    if (of_server) why = unreachable_;
    options.only_here = servers_.only_look || why;
    auto source = sources_.resolve(place, revision, options);
    if (!source && !options.only_here && source.error().kind == ErrorKind::unavailable) {
        why = source.error();
        if (of_server && why->code == git::server_unreachable) unreachable_ = why;
        options.only_here = true;
        source = sources_.resolve(place, revision, options);
    }
    if (!source) return why ? *why : source.error();
    notices_.push_back(name + "@" + ref + " is " + source->commit.substr(0, 12) + (options.only_here && !servers_.only_look ? ", as it was fetched before" : ""));
    return model::FetchedAction{name, ref, source->repository, source->commit, source->tree, {}};
}

const Result<model::FetchedAction>& FetchedActions::find(const std::string& name, const std::string& ref) {
    const auto key = to_lower(name) + "@" + ref;
    const auto known = known_.find(key);
    return known != known_.end() ? known->second : known_.emplace(key, resolve(name, ref)).first->second;
}

Result<std::string> FetchedActions::read(const std::string& named) {
    const auto action = model::find_action(named);
    const auto& found = find(action.name, action.ref);
    if (!found) return found.error();
    return sources_.read_file(git::source_of(*found), action.path);
}

void FetchedActions::follow(model::Pipeline& pipeline, const model::Source& source, const std::vector<std::pair<std::string, std::string>>& given) {
    given_ = given;
    for (auto& stage : pipeline.stages)
        for (auto& job : stage.jobs) {
            if (!job.unavailable.empty()) continue;
            for (const auto& step : job.steps)
                if (follow_step(step, source, 0)) {
                    job.real_workspace = true;
                    in_containers_.push_back(step);
                }
        }
}

bool FetchedActions::follow_step(const model::Step& step, const model::Source& own, int depth) {
    if (step.uses.empty() || depth >= deepest) return false;
    const auto [known, is_new] = followed_.emplace(step.uses, false);
    if (!is_new) return known->second;
    const bool in_container = follow_use(step.uses, own, depth);
    followed_[step.uses] = in_container;
    return in_container;
}

bool FetchedActions::follow_use(const std::string& uses, const model::Source& own, int depth) {
    const auto action = model::find_action(uses);
    const auto mapped = std::find_if(given_.begin(), given_.end(), [&](const auto& pair) { return to_lower(pair.first) == to_lower(action.name); });
    if (mapped != given_.end())
        return follow_action(own, (std::filesystem::path(mapped->second) / action.path).lexically_normal().string(), own, depth);
    switch (action.kind) {
        case model::ActionKind::native: return false;
        case model::ActionKind::container: return true;
        case model::ActionKind::local: return follow_action(own, std::filesystem::path(action.path).lexically_normal().string(), own, depth);
        case model::ActionKind::remote:
            if (const auto& found = find(action.name, action.ref); found) return follow_action(git::source_of(*found), action.path, own, depth);
            return false;
    }
    return false;
}

/// What cannot be read is said by the step that uses it.
bool FetchedActions::follow_action(const model::Source& source, const std::string& folder, const model::Source& own, int depth) {
    const std::string below = folder.empty() || folder == "." ? "" : folder + (folder.ends_with('/') ? "" : "/");
    for (const char* name : {"action.yml", "action.yaml"}) {
        const auto text = sources_.read_file(source, below + name);
        if (!text) continue;
        const auto parsed = pipeline::read_action(*text, below + name);
        if (!parsed.ok()) return false;
        bool in_container = parsed.value.how == model::ActionUsing::docker;
        for (const auto& step : parsed.value.steps)
            if (follow_step(step, own, depth + 1)) in_container = true;
        return in_container;
    }
    return static_cast<bool>(sources_.read_file(source, below + "Dockerfile"));
}

bool FetchedActions::has(const std::string& uses) const {
    const auto action = model::find_action(uses);
    const auto known = known_.find(to_lower(action.name) + "@" + action.ref);
    return known != known_.end() && known->second.has_value();
}

std::optional<std::string> FetchedActions::missing(const std::string& uses) const {
    const auto action = model::find_action(uses);
    const auto known = known_.find(to_lower(action.name) + "@" + action.ref);
    if (known == known_.end() || known->second) return std::nullopt;
    return known->second.error().message;
}

std::vector<model::FetchedAction> FetchedActions::found() const {
    std::vector<model::FetchedAction> all;
    for (const auto& [key, outcome] : known_)
        if (outcome) all.push_back(*outcome);
    return all;
}

}  // namespace cicd::planner
