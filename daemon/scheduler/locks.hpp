#pragma once

#include "common/base/time.hpp"
#include "daemon/scheduler/places.hpp"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace cicd::scheduler {

/// Concurrency groups: each has one holder at a time, a run or a job, and a queue: by priority, then the earlier run.
class Locks {
public:
    struct Group {
        std::string name;  ///< as people wrote it
        std::optional<JobRef> holder;
        Timestamp since;
        std::map<Turn, JobRef> waiting;
    };

    /// True: it holds the group now. Else it waits.
    bool take(const std::string& key, const std::string& name, Turn turn, JobRef who, Timestamp now);
    /// Gives the group to the first who waits, and says who that is.
    std::optional<JobRef> release(const std::string& key, Timestamp now);
    /// Waits no more.
    void leave(const std::string& key, Turn turn);
    [[nodiscard]] const Group* find(const std::string& key) const;
    [[nodiscard]] std::size_t size() const { return groups_.size(); }

private:
    std::unordered_map<std::string, Group> groups_;  ///< only those that somebody holds
};

inline bool Locks::take(const std::string& key, const std::string& name, Turn turn, JobRef who, Timestamp now) {
    auto& group = groups_[key];
    if (group.holder) {
        group.waiting.emplace(turn, who);
        return false;
    }
    group.name = name;
    group.holder = who;
    group.since = now;
    return true;
}

inline std::optional<JobRef> Locks::release(const std::string& key, Timestamp now) {
    const auto found = groups_.find(key);
    if (found == groups_.end()) return std::nullopt;
    auto& group = found->second;
    if (group.waiting.empty()) {
        groups_.erase(found);
        return std::nullopt;
    }
    group.holder = group.waiting.begin()->second;
    group.since = now;
    group.waiting.erase(group.waiting.begin());
    return group.holder;
}

inline void Locks::leave(const std::string& key, Turn turn) {
    if (const auto found = groups_.find(key); found != groups_.end()) found->second.waiting.erase(turn);
}

inline const Locks::Group* Locks::find(const std::string& key) const {
    const auto found = groups_.find(key);
    return found == groups_.end() ? nullptr : &found->second;
}

}  // namespace cicd::scheduler
