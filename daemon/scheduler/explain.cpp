#include "daemon/scheduler/explain.hpp"

#include <algorithm>

/// What waits, and for what.
namespace cicd::scheduler {

using contract::Cause;
using contract::CauseKind;
using model::JobState;

namespace {

constexpr std::size_t most_named = 5;    // in a sentence
constexpr std::size_t most_listed = 50;  // in the facts

std::string name_of(const model::JobRun& job) { return job.key + " (" + job.id.str() + ")"; }

std::string named(JobRef who) {
    return who.index < 0 ? who.run->run.id.str() : name_of(who.run->run.jobs[who.index]) + " of " + who.run->run.id.str();
}

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) text += (i ? ", " : "") + names[i];
    if (names.size() > most_named) text += " and " + std::to_string(names.size() - most_named) + " more";
    return text;
}

Object job_fact(const model::JobRun& job) {
    return {{"id", job.id.str()}, {"key", job.key}, {"state", std::string(to_text(job.state))}};
}

std::string amount(unsigned resource, double value) {
    if (resource == 2) return humanize_size(static_cast<std::uint64_t>(std::max(0.0, value)));
    return number_text(value);
}

}  // namespace

contract::Verdict Explainer::verdict() const {
    if (model::is_final(run_.run.state)) return contract::Verdict::ended;
    if (run_.run.state == model::RunState::running) return contract::Verdict::runs;
    return around_ && !around_->pause_reason.empty() ? contract::Verdict::blocked : contract::Verdict::waits;
}

contract::Explanation Explainer::run() {
    contract::Explanation result{run_.run.id, std::string(to_text(run_.run.state)), verdict(), {}, {}};
    of_run(result.causes);
    for (int index = 0; index < static_cast<int>(run_.jobs.size()); ++index) result.jobs.push_back(explain(index));
    return result;
}

contract::Explanation Explainer::job(int index) {
    contract::Explanation result{run_.run.id, std::string(to_text(run_.run.state)), verdict(), {}, {}};
    of_run(result.causes);
    result.jobs.push_back(explain(index));
    return result;
}

contract::JobExplanation Explainer::explain(int index) {
    const auto& record = run_.run.jobs[index];
    contract::JobExplanation result{record.id, record.key, std::string(to_text(record.state)), contract::Verdict::waits, {}};
    switch (record.state) {
        case JobState::created:
            waits_for_needs(result.causes, index);
            break;
        case JobState::queued:
            waits_in_queue(result.causes, index);
            break;
        case JobState::scheduled:
        case JobState::running:
            result.verdict = record.attempt > 1 ? contract::Verdict::rerun : contract::Verdict::runs;
            stopped(result.causes, index);
            compared(result.causes, index);
            repeated(result.causes, index);
            return result;
        case JobState::skipped:
            result.verdict = contract::Verdict::skipped;
            skipped(result.causes, index);
            return result;
        case JobState::success:
        case JobState::failed:
        case JobState::cancelled:
        case JobState::archived:
            result.verdict = contract::Verdict::ended;
            ended(result.causes, index);
            compared(result.causes, index);
            repeated(result.causes, index);
            return result;
    }
    if (around_ && !around_->pause_reason.empty()) result.verdict = contract::Verdict::blocked;
    return result;
}

void Explainer::paused(Causes& causes) {
    if (!around_ || around_->pause_reason.empty()) return;
    causes.push_back({CauseKind::daemon, "the daemon starts no jobs: " + around_->pause_reason,
                      Object{{"reason", around_->pause_reason}}, "cicdctl doctor"});
}

/// A need, or the job before it in a stage with `parallel: false`, that has not ended.
Cause Explainer::unfinished(int index) const {
    const auto& target = run_.targets[index];
    Array jobs;
    std::vector<std::string> names;
    std::string state = "pending";
    const auto look = [&](int job) {
        const auto& record = run_.run.jobs[job];
        if (model::is_final(record.state)) return;
        if (names.empty() && !target.is_stage) state = to_text(record.state);
        names.push_back(name_of(record) + " is " + std::string(to_text(record.state)));
        if (jobs.size() < most_listed) jobs.emplace_back(job_fact(record));
    };
    if (target.is_stage) {
        for (int s = 0; s < static_cast<int>(run_.stages.size()); ++s)
            if (run_.stages[s].target == index) {
                state = to_text(run_.run.stages[s].state);
                for (const int job : run_.stages[s].jobs) look(job);
            }
    } else {
        for (const auto& group : run_.groups)
            if (group.target == index)
                for (const int job : group.jobs) look(job);
    }
    const auto first = jobs.empty() ? run_.run.id.str() : jobs.front()["id"].as_string();
    return {CauseKind::need, "needs " + target.label() + ", which is " + state + (names.empty() ? "" : ": ") + listed(names),
            Object{{"need", target.name}, {"state", state}, {"jobs", jobs}}, "cicdctl explain " + first};
}

void Explainer::waits_for_needs(Causes& causes, int index) {
    if (run_.lock.waiting) waits_for_lock(causes, run_.lock.key, run_.lock.turn);
    const auto& group = run_.groups[run_.jobs[index].group];
    auto needs = run_.stages[group.stage].needs;
    needs.insert(needs.end(), group.needs.begin(), group.needs.end());
    if (group.after >= 0) needs.push_back(group.after);
    std::sort(needs.begin(), needs.end());
    needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
    for (const int need : needs)
        if (!run_.targets[need].done && (run_.targets[need].open > 0 || run_.targets[need].is_stage)) {
            if (!unfinished_.contains(need)) unfinished_.emplace(need, unfinished(need));
            causes.push_back(unfinished_.at(need));
        }
    paused(causes);
}

void Explainer::waits_for_lock(Causes& causes, const std::string& key, const Turn& turn) {
    const auto* group = around_ ? around_->locks.find(key) : nullptr;
    if (!group || !group->holder) return;
    const auto ahead = std::distance(group->waiting.begin(), group->waiting.lower_bound(turn));
    const auto& holder = *group->holder;
    Object who{{"run", holder.run->run.id.str()}};
    if (holder.index >= 0) who.set("job", holder.run->run.jobs[holder.index].id.str());
    causes.push_back({CauseKind::lock,
                      "concurrency group '" + group->name + "' is held by " + named(holder) + " since " +
                          format_time(group->since) +
                          (ahead == 0 ? "" : ahead == 1 ? "; 1 is ahead" : "; " + std::to_string(ahead) + " are ahead"),
                      Object{{"group", group->name}, {"holder", who}, {"position", static_cast<double>(ahead + 1)},
                             {"since", format_time(group->since)}},
                      holder.index < 0 ? "cicdctl cancel " + holder.run->run.id.str()
                                       : "cicdctl job cancel " + holder.run->run.jobs[holder.index].id.str()});
}

void Explainer::waits_in_queue(Causes& causes, int index) {
    const auto& record = run_.run.jobs[index];
    const auto& node = run_.jobs[index];
    const auto& group = run_.groups[node.group];
    if (run_.lock.waiting) waits_for_lock(causes, run_.lock.key, run_.lock.turn);
    switch (node.wait) {
        case Wait::time: {
            const auto until = format_time(record.not_before.value_or(now_));
            const auto how = "cicdctl job reschedule " + record.id.str() + " --not-before now";
            if (node.retrying)
                causes.push_back({CauseKind::backoff, record.message + "; it waits until " + until,
                                  Object{{"attempt", record.attempt}, {"until", until},
                                         {"endReason", node.last_reason ? Value(to_text(*node.last_reason)) : Value()}},
                                  how});
            else
                causes.push_back({CauseKind::time, "was rescheduled: it does not start before " + until,
                                  Object{{"until", until}}, how});
            break;
        }
        case Wait::limit: {
            std::vector<std::string> active;
            for (const int job : group.jobs)
                if (run_.jobs[job].active) active.push_back(name_of(run_.run.jobs[job]));
            causes.push_back({CauseKind::limit,
                              "maxParallel is " + std::to_string(group.limit) + ", and " + std::to_string(group.active) +
                                  " of " + group.base + (group.active == 1 ? " is" : " are") + " under way: " + listed(active),
                              Object{{"limit", group.limit}, {"active", group.active}},
                              "raise maxParallel of " + group.base});
            break;
        }
        case Wait::inputs:
            causes.push_back({CauseKind::reuse, "its inputs are compared with those of earlier runs", Object{}, ""});
            break;
        case Wait::lock: waits_for_lock(causes, node.lock, node.turn); break;
        case Wait::place: waits_for_place(causes, index); break;
        case Wait::nothing: break;
    }
    paused(causes);
}

Cause Explainer::shortage(unsigned resource, const Demand& demand) {
    const auto& capacity = around_->places.capacity();
    const auto& used = around_->places.used();
    const char* name = resource == 8 ? "slots" : resource == 1 ? "cpu" : resource == 2 ? "memory" : "gpu";
    const auto of = [&](double slots, double cpu, double memory, double gpu) {
        return resource == 8 ? slots : resource == 1 ? cpu : resource == 2 ? memory : gpu;
    };
    const auto taken = [&](const Demand& d) { return of(1, d.cpu, static_cast<double>(d.memory), d.gpu); };
    const double needed = taken(demand);
    const double there = of(capacity.slots, capacity.cpu, static_cast<double>(capacity.memory), capacity.gpu);
    const double free = std::max(0.0, there - of(used.slots, used.cpu, static_cast<double>(used.memory), used.gpu));
    if (!placed_) {
        placed_.emplace();
        for (const auto& [id, run] : around_->runs)
            for (int job = 0; job < static_cast<int>(run->jobs.size()); ++job)
                if (run->jobs[job].placed) placed_->push_back({run.get(), job});
    }
    std::vector<std::pair<double, JobRef>> holders;
    for (const auto& who : *placed_)
        if (const double size = taken(who.run->jobs[who.index].demand); size > 0) holders.push_back({size, who});
    std::sort(holders.begin(), holders.end(), [](const auto& a, const auto& b) {
        if (a.first != b.first) return a.first > b.first;
        return std::pair(a.second.run->run.number, a.second.index) < std::pair(b.second.run->run.number, b.second.index);
    });
    std::vector<std::string> names;
    Array ids;
    for (const auto& [size, who] : holders) {
        names.push_back(named(who));
        if (ids.size() < most_listed) ids.emplace_back(who.run->run.jobs[who.index].id.str());
    }
    std::string text =
        resource == 8 ? "waits for a slot: " + number_text(there - free) + " of " + number_text(there) + " are taken"
        : resource == 2
            ? "waits for " + amount(2, needed) + " of memory: " + amount(2, free) + " of " + amount(2, there) + " are free"
            : "waits for " + number_text(needed) + (resource == 1 ? " cores: " : " GPUs: ") + number_text(free) + " of " +
                  number_text(there) + " are free";
    return {CauseKind::capacity, text + (names.empty() ? "" : (resource == 8 ? " by " : "; held by ") + listed(names)),
            Object{{"resource", name}, {"needed", needed}, {"free", free}, {"capacity", there}, {"holders", ids}},
            holders.empty() ? "" : "cicdctl job cancel " + ids.front().as_string()};
}

void Explainer::waits_for_place(Causes& causes, int index) {
    if (!around_) return;
    const auto& node = run_.jobs[index];
    const unsigned missing = around_->places.short_of(node.demand);
    for (const unsigned resource : {8U, 1U, 2U, 4U})
        if (missing & resource) causes.push_back(shortage(resource, node.demand));
    waits_for_turn(causes, index, missing);
}

/// Somebody goes first: where slots are short that is everybody ahead, else who keeps something that it wants.
void Explainer::waits_for_turn(Causes& causes, int index, unsigned missing) {
    const auto& node = run_.jobs[index];
    if (!order_) order_ = around_->places.order();
    const auto& order = *order_;
    const auto own = std::find_if(order.begin(), order.end(), [&](const auto& w) { return w.job == JobRef{&run_, index}; });
    if (own == order.end()) return;
    std::vector<const Places::Waiting*> ahead;
    for (auto it = order.begin(); it != own; ++it) {
        const bool competes = (node.demand.cpu > 0 && it->demand.cpu > 0) ||
                              (node.demand.memory > 0 && it->demand.memory > 0) ||
                              (node.demand.gpu > 0 && it->demand.gpu > 0);
        if (missing & 8U || competes) ahead.push_back(&*it);
    }
    if (ahead.empty()) return;
    const auto& first = *ahead.front();
    const auto& record = first.job.run->run.jobs[first.job.index];
    const bool same = first.claim.pipeline == own->claim.pipeline && first.claim.user == own->claim.user;
    const auto* rule = first.turn.priority != own->turn.priority ? "priority" : first.reserved || same ? "order" : "fairness";
    const auto priority = std::string(to_text(first.turn.priority));
    causes.push_back({CauseKind::turn,
                      std::to_string(ahead.size()) + (ahead.size() == 1 ? " job goes" : " jobs go") + " first: " +
                          named(first.job) + ", priority " + priority +
                          (rule == std::string_view("fairness") ? "; pipelines share places evenly" : "") +
                          (first.reserved ? "; what it needs is kept for it" : ""),
                      Object{{"ahead", static_cast<double>(ahead.size())},
                             {"first", Object{{"job", record.id.str()}, {"priority", priority}}}, {"rule", rule}},
                      "cicdctl job reschedule " + run_.run.jobs[index].id.str() + " --priority " +
                          (first.turn.priority == model::Priority::critical || first.turn.priority == model::Priority::high
                               ? "critical" : "high")});
}

std::optional<contract::Explanation> Core::explain(const RunId& id, Timestamp now) const {
    const auto found = state_->runs.find(id);
    if (found == state_->runs.end()) return std::nullopt;
    const Explainer::Around around{state_->places, state_->locks, state_->pause_reason, state_->runs};
    return Explainer(*found->second, &around, now).run();
}

std::optional<contract::Explanation> Core::explain(const JobId& id, Timestamp now) const {
    const auto found = state_->jobs.find(id);
    if (found == state_->jobs.end()) return std::nullopt;
    const Explainer::Around around{state_->places, state_->locks, state_->pause_reason, state_->runs};
    return Explainer(*found->second.run, &around, now).job(found->second.index);
}

std::vector<model::JobRun> Core::queue() const {
    std::vector<model::JobRun> all;
    for (const auto& waiting : state_->places.order()) all.push_back(waiting.job.run->run.jobs[waiting.job.index]);
    std::vector<std::pair<Turn, const model::JobRun*>> others;
    for (const auto& [id, run] : state_->runs)
        for (int job = 0; job < static_cast<int>(run->jobs.size()); ++job)
            if (run->run.jobs[job].state == JobState::queued && run->jobs[job].wait != Wait::place)
                others.push_back({{run->priority_of(job), run->run.number, static_cast<std::uint64_t>(job)}, &run->run.jobs[job]});
    std::sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [turn, record] : others) all.push_back(*record);
    return all;
}

}  // namespace cicd::scheduler
