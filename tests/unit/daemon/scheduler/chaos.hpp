#pragma once

#include "tests/unit/daemon/scheduler/world.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>

/// A core under random events, a store that keeps what the core says must be kept, and the rules that hold throughout.
/// A broken rule throws; an illegal transition throws inside the core.
namespace cicd::scheduler::testing {

class Chaos {
public:
    explicit Chaos(unsigned seed) : random_(seed), plain_(chance(40)) {
        capacity_ = {pick(1, 4), static_cast<double>(pick(1, 4)), 1000, pick(0, 2)};
        make_core();
    }

    void run() {
        int left = pick(1, 10);
        for (int step = 0; step < 20'000 && (left > 0 || !active_.empty()); ++step) {
            if (left > 0 && (active_.empty() || chance(20))) {
                --left;
                accept();
                continue;
            }
            act();
        }
        require(active_.empty(), "a run hangs");
        const auto counts = core_->counts();
        require(counts.active_runs == 0 && counts.queued_jobs == 0 && counts.running_jobs == 0, "something is left over");
        for (const auto& [id, stored] : stored_) require(model::is_final(stored.run.state), "a run is stored as not over");
    }

    std::size_t events = 0, restarts = 0, starts = 0;

private:
    struct Stored {
        model::Run run;
        model::Plan plan;
        std::vector<store::Stop> stops;
        std::int64_t last_seq = 0;
    };
    struct Place {
        int attempt = 1;
        Demand demand;
        std::string pipeline, user, key, lock;
        model::Priority priority = model::Priority::normal;
        RunId run;
        bool told = false;  ///< to end
    };

    int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
    bool chance(int percent) { return pick(1, 100) <= percent; }
    static void require(bool holds, const std::string& what) {
        if (!holds) throw std::runtime_error(what);
    }

    void make_core() {
        core_ = std::make_unique<Core>(capacity_, [this] { return JobId("job-" + std::to_string(++last_job_)); });
    }

    // ---- plans

    std::string condition() {
        static const std::vector<std::string> some{
            "always",       "on_failure",    "failure()",     "cancelled()",
            "!cancelled()", "params.x == 1", "matrix.i == 1", "success() || failure()",
            "oops("};
        return chance(70) ? "" : some[pick(0, static_cast<int>(some.size()) - 1)];
    }

    model::Concurrency concurrency(bool of_job) {
        static const std::vector<std::string> names{"a", "b", "run-${{ run.number }}", "${{ params.x }}"};
        static const std::vector<std::string> job_names{"a", "deploy", "deploy-${{ matrix.i }}", "x-${{ run.id }}"};
        model::Concurrency made{(of_job ? job_names : names)[pick(0, 3)], {}};
        made.cancel_in_progress.value = chance(40);
        return made;
    }

    model::Plan plan() {
        model::Plan made;
        made.pipeline = std::string(1, static_cast<char>('p' + pick(0, 2)));
        made.params = Object{{"x", Value(pick(0, 1))}};
        if (chance(20)) made.timeout = Milliseconds{pick(1, 5000)};
        if (chance(35)) made.concurrency = concurrency(false);
        made.priority = static_cast<model::Priority>(pick(0, 3));
        const int stages = pick(1, 4);
        for (int s = 0; s < stages; ++s) {
            auto next = stage("s" + std::to_string(s));
            for (int before = 0; before < s; ++before)
                if (chance(40)) next.needs.push_back({"s" + std::to_string(before), "", {}});
            next.condition = condition();
            next.parallel = chance(80);
            if (chance(15)) next.timeout = Milliseconds{pick(1, 3000)};
            made.stages.push_back(next);
            for (int j = chance(90) ? pick(1, 4) : 0; j > 0; --j) add_job(made, next.name, j);
        }
        return made;
    }

    void add_job(model::Plan& made, const std::string& stage, int number) {
        auto next = testing::job(stage, "j" + std::to_string(number));
        for (const auto& other : made.jobs)
            if (chance(15)) next.job.needs.push_back({other.stage, other.base.substr(other.stage.size() + 1), {}});
        next.job.condition = condition();
        next.job.allow_failure.value = chance(20);
        next.job.fail_fast.value = chance(60);
        if (chance(30)) next.job.max_parallel = pick(1, 2);
        if (chance(30)) next.job.retry = model::Retry{pick(0, 2), {}, {}, Milliseconds{chance(50) ? 0 : pick(1, 100)}};
        if (chance(20)) next.job.priority = static_cast<model::Priority>(pick(0, 3));
        if (chance(25)) next.job.concurrency = concurrency(true);
        if (!plain_ && chance(40)) next.job.resources.cpu = pick(1, 5);
        if (!plain_ && chance(30)) next.job.resources.memory = pick(1, 1100);
        if (!plain_ && chance(15)) next.job.resources.gpu = pick(1, 2);
        if (chance(30))
            add_matrix(made, next, pick(1, 5));
        else
            made.jobs.push_back(next);
    }

    // ---- events

    void accept() {
        const RunId id("run-" + std::to_string(++last_run_));
        auto content = new_run(plan(), "definition",
                               {id, [this] { return JobId("job-" + std::to_string(++last_job_)); }, chance(50) ? "ann" : "bob", now_});
        handle(RunAccepted{std::move(content)});
    }

    void act() {
        now_ += Milliseconds{pick(0, 20)};
        if (chance(1)) return handle(RunCancelled{any_run(), {"x", chance(30)}});
        if (chance(2) && !places_.empty()) return handle(JobCancelled{any_place(), {"x", chance(30)}});
        if (chance(2)) return restart();
        if (chance(2)) return handle(PauseChanged{paused_.empty() ? paused_ = "disk" : paused_ = ""});
        if (chance(2)) {
            auto other = capacity_;
            other.slots = std::max(1, other.slots + pick(-1, 1));
            other.cpu = std::max(1, static_cast<int>(other.cpu) + pick(-1, 1));
            capacity_ = other;
            return handle(CapacityChanged{other});
        }
        if (chance(3)) return reschedule();
        if (!timers_.empty() && (places_.empty() || chance(20))) return fire();
        if (places_.empty()) {
            if (!paused_.empty()) return handle(PauseChanged{paused_ = ""});
            require(active_.empty(), "nothing runs, no timer is set, and a run is not over");
            return;
        }
        work();
    }

    void reschedule() {
        contract::Reschedule change;
        if (chance(60)) change.priority = static_cast<model::Priority>(pick(0, 3));
        if (!change.priority || chance(40)) change.not_before = now_ + Milliseconds{pick(-50, 300)};
        const auto& run = stored_.at(any_run()).run;
        if (run.jobs.empty() || chance(50)) return handle(RunRescheduled{run.id, change, "ann"});
        handle(JobRescheduled{run.jobs[static_cast<std::size_t>(pick(0, static_cast<int>(run.jobs.size()) - 1))].id, change, "ann"});
    }

    void fire() {
        const auto timer = timers_.begin()->second;
        timers_.erase(timers_.begin());
        now_ = std::max(now_, timer.at);
        handle(TimerFired{timer});
    }

    void work() {
        const auto id = any_place();
        const auto place = places_.at(id);
        model::JournalEntry entry;
        entry.time = now_;
        if (chance(30)) {
            entry.type = model::JournalType::job_started;
            return handle(JobProgressed{id, place.attempt, entry});
        }
        if (chance(20)) {
            entry.type = chance(50) ? model::JournalType::step_started : model::JournalType::step_ended;
            entry.state = chance(50) ? model::StepState::success : model::StepState::failed;
            entry.step = pick(-1, 3);
            if (entry.type == model::JournalType::step_started) entry.state = model::StepState::running;
            return handle(JobProgressed{id, place.attempt, entry});
        }
        places_.erase(id);
        model::JobExit exit;
        exit.state = chance(60)   ? model::JobState::success
                     : chance(80) ? model::JobState::failed
                                  : model::JobState::cancelled;
        exit.end_reason = static_cast<model::EndReason>(pick(0, 8));
        handle(JobEnded{id, place.attempt, exit});
        if (chance(10) && !places_.contains(id)) handle(JobEnded{id, place.attempt, exit});  // told twice
    }

    RunId any_run() { return *std::next(active_.begin(), pick(0, static_cast<int>(active_.size()) - 1)); }
    JobId any_place() { return std::next(places_.begin(), pick(0, static_cast<int>(places_.size()) - 1))->first; }

    /// The daemon dies and another one goes on with what is stored.
    void restart() {
        ++restarts;
        make_core();
        timers_.clear();
        RunsResumed all;
        for (const auto& id : active_) {
            const auto& stored = stored_.at(id);
            RunAccepted each;
            each.content = {stored.run, stored.plan, {}, {}};
            each.resumed = true;
            each.last_seq = stored.last_seq;
            each.stops = stored.stops;
            all.runs.push_back(std::move(each));
        }
        const auto before = places_;
        paused_ = "starting";
        core_->handle(PauseChanged{paused_}, now_);
        const auto actions = take(core_->handle(std::move(all), now_));
        std::set<JobId> adopted, told;
        for (const auto& each : actions.adoptions)
            require(adopted.insert(each.spec.job).second, "adopted twice: " + each.spec.job.str());
        for (const auto& stop : actions.stops) told.insert(stop.job);
        for (const auto& [id, place] : before) {
            require(adopted.erase(id) == 1, "not adopted: " + place.key);
            require(!place.told || told.contains(id), "a stop was forgotten: " + place.key);
        }
        require(adopted.empty(), "something was adopted that did not run");
        handle(PauseChanged{paused_ = ""});
    }

    // ---- what must hold

    void handle(Event event) { take(core_->handle(std::move(event), now_)); }

    Actions take(Actions actions) {
        ++events;
        keep(actions);
        for (const auto& timer : actions.timers) timers_.emplace(timer.at, timer);
        for (const auto& stop : actions.stops)
            if (const auto place = places_.find(stop.job); place != places_.end()) place->second.told = true;
        for (const auto& start : actions.starts) check_start(start, actions);
        for (const auto& id : actions.ended) {
            require(active_.erase(id) == 1, "ended twice: " + id.str());
            for (const auto& job : stored_.at(id).run.jobs) {
                require(model::is_final(job.state), id.str() + " ended before " + job.key);
                require(!places_.contains(job.id), "a job of a run that is over has a place: " + job.key);
            }
        }
        check_locks();
        if (chance(10)) check_stored();
        if (chance(5)) check_explained();
        return actions;
    }

    void keep(const Actions& actions) {
        const auto& changes = actions.changes;
        for (const auto& added : changes.new_runs) {
            require(stored_.try_emplace(added.run.id, Stored{added.run, added.plan, {}, 0}).second, "stored twice");
            active_.insert(added.run.id);
        }
        for (const auto& run : changes.runs) {
            auto& stored = stored_.at(run.id).run;
            require(!model::is_final(stored.state), "a run changed after its end");
            auto parts = run;
            parts.stages = stored.stages;
            parts.jobs = stored.jobs;
            stored = parts;
        }
        for (const auto& change : changes.stages)
            for (auto& stage : stored_.at(change.run).run.stages)
                if (stage.name == change.stage.name) stage = change.stage;
        for (const auto& job : changes.jobs) {
            auto& jobs = stored_.at(job.run).run.jobs;
            const auto known = std::find_if(jobs.begin(), jobs.end(), [&](const auto& each) { return each.id == job.id; });
            if (known == jobs.end())
                jobs.push_back(job);
            else
                *known = job;
        }
        for (const auto& stop : changes.stops) {
            auto& stops = stored_.at(stop.run).stops;
            std::erase_if(stops, [&](const auto& each) { return each.job == stop.job; });
            stops.push_back(stop);
        }
        std::set<RunId> over;
        for (const auto& event : changes.events) {
            require(event.seq == ++stored_.at(event.run).last_seq, "events have a gap");
            require(!over.contains(event.run), "an event after a run's end");
            if (event.type == "run.state" && model::is_final(*from_text<model::RunState>(event.state))) over.insert(event.run);
        }
    }

    const model::PlannedJob& planned(const Stored& stored, const std::string& key) const {
        for (const auto& each : stored.plan.jobs)
            if (each.key == key) return each;
        throw std::runtime_error("no planned job " + key);
    }

    Place place_of(const RunId& id, const model::JobRun& job) const {
        const auto& stored = stored_.at(id);
        const auto& plan = planned(stored, job.key);
        Place place{job.attempt, demand_of(plan.job.resources), stored.plan.pipeline, stored.run.triggered_by, job.key, "", {}, id, false};
        place.priority = job.priority ? *job.priority : plan.job.priority.value_or(stored.run.priority);
        if (plan.job.concurrency) place.lock = group(stored, plan.job.concurrency->group, plan.matrix);
        return place;
    }

    std::string group(const Stored& stored, std::string text, const Value& matrix) const {
        const auto put = [&](const std::string& what, const std::string& value) {
            if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), value);
        };
        put("${{ run.number }}", std::to_string(stored.run.number));
        put("${{ run.id }}", stored.run.id.str());
        put("${{ params.x }}", number_text(stored.plan.params["x"].as_number()));
        put("${{ matrix.i }}", matrix.is_object() ? number_text(matrix["i"].as_number()) : "");
        return stored.plan.pipeline + "/" + text;
    }

    int held(const std::string& pipeline, const std::string& user) const {
        return static_cast<int>(std::count_if(places_.begin(), places_.end(), [&](const auto& each) {
            return each.second.pipeline == pipeline && (user.empty() || each.second.user == user);
        }));
    }

    void check_start(const zones::Assignment& start, const Actions& actions) {
        ++starts;
        require(paused_.empty(), "a start while paused");
        const auto& stored = stored_.at(start.spec.run);
        const auto job = std::find_if(stored.run.jobs.begin(), stored.run.jobs.end(),
                                      [&](const auto& each) { return each.id == start.spec.job; });
        require(job != stored.run.jobs.end() && job->state == model::JobState::scheduled, "started, but not stored as that");
        auto place = place_of(start.spec.run, *job);
        check_allowed(stored, *job);
        check_turn(place, actions);
        require(places_.emplace(job->id, place).second, "started twice: " + job->key);
        Demand used;
        for (const auto& [id, each] : places_) {
            used.cpu += each.demand.cpu;
            used.memory += each.demand.memory;
            used.gpu += each.demand.gpu;
        }
        require(static_cast<int>(places_.size()) <= capacity_.slots, "more jobs than slots");
        require(place.demand.cpu == 0 || used.cpu <= capacity_.cpu, "more cores taken than there are");
        require(place.demand.memory == 0 || used.memory <= capacity_.memory, "more memory taken than there is");
        require(place.demand.gpu == 0 || used.gpu <= capacity_.gpu, "more GPUs taken than there are");
    }

    void check_allowed(const Stored& stored, const model::JobRun& job) const {
        require(!job.not_before || *job.not_before <= now_, "started before its time: " + job.key);
        const auto& plan = planned(stored, job.key);
        const auto over = [&](const std::vector<model::Need>& needs) {
            for (const auto& need : needs)
                for (const auto& other : stored.run.jobs)
                    if (other.stage == need.stage && (need.job.empty() || planned(stored, other.key).base == need.stage + "." + need.job))
                        require(model::is_final(other.state), job.key + " started before " + other.key + " had ended");
        };
        over(plan.job.needs);
        for (const auto& stage : stored.plan.stages)
            if (stage.name == job.stage) over(stage.needs);
    }

    /// Without resources, who goes first is plain: the priority, the pipeline with the fewest places, its user likewise.
    void check_turn(const Place& started, const Actions& actions) {
        std::vector<Place> others;
        for (const auto& later : actions.starts) {
            const auto& jobs = stored_.at(later.spec.run).run.jobs;
            const auto job = std::find_if(jobs.begin(), jobs.end(), [&](const auto& each) { return each.id == later.spec.job; });
            if (!places_.contains(job->id)) others.push_back(place_of(later.spec.run, *job));
        }
        const auto ready = others.size();
        for (const auto& waiting : core_->queue()) {
            const auto told = core_->explain(waiting.id, now_);
            const auto& causes = told->jobs.at(0).causes;
            const bool is_ready = std::all_of(causes.begin(), causes.end(), [](const auto& cause) {
                return cause.kind == contract::CauseKind::capacity || cause.kind == contract::CauseKind::turn;
            });
            if (is_ready) others.push_back(place_of(waiting.run, waiting));
        }
        Demand free{capacity_.cpu, capacity_.memory, capacity_.gpu};
        for (const auto& [id, each] : places_) {
            free.cpu -= each.demand.cpu;
            free.memory -= std::min(free.memory, each.demand.memory);
            free.gpu -= each.demand.gpu;
        }
        const auto fits = [&](const Demand& d) {
            return (d.cpu == 0 || d.cpu <= free.cpu) && (d.memory == 0 || d.memory <= free.memory) && (d.gpu == 0 || d.gpu <= free.gpu);
        };
        const auto shares = [](const Demand& a, const Demand& b) {
            return (a.cpu > 0 && b.cpu > 0) || (a.memory > 0 && b.memory > 0) || (a.gpu > 0 && b.gpu > 0);
        };
        for (std::size_t i = 0; i < others.size(); ++i) {
            const auto& other = others[i];
            if (other.priority < started.priority && fits(other.demand)) {
                const bool held_back = std::any_of(others.begin() + static_cast<std::ptrdiff_t>(ready), others.end(), [&](const auto& each) {
                    return each.priority <= other.priority && !fits(each.demand) && shares(each.demand, other.demand);
                });
                require(held_back, started.key + " started before " + other.key + ", which has a higher priority and fits");
            }
            if (!plain_ || other.priority != started.priority) continue;
            const int mine = held(started.pipeline, ""), theirs = held(other.pipeline, "");
            require(mine <= theirs, "pipeline " + started.pipeline + " got a place, but " + other.pipeline + " has fewer");
            if (other.pipeline != started.pipeline) continue;
            require(held(started.pipeline, started.user) <= held(other.pipeline, other.user),
                    "user " + started.user + " got a place, but " + other.user + " has fewer");
        }
    }

    void check_locks() const {
        std::set<std::string> held;
        for (const auto& id : active_) {
            const auto& stored = stored_.at(id);
            if (stored.plan.concurrency && stored.run.state == model::RunState::running)
                require(held.insert(group(stored, stored.plan.concurrency->group, {})).second, "two runs hold a group");
        }
        for (const auto& [id, place] : places_)
            if (!place.lock.empty()) require(held.insert(place.lock).second, "a group is held twice: " + place.lock);
    }

    /// What is stored is what the core knows: so nothing is lost when it dies now.
    void check_stored() const {
        for (const auto& id : active_) {
            const auto* run = core_->run(id);
            require(run != nullptr, "the core does not know " + id.str());
            auto stored = stored_.at(id).run;
            const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
            auto jobs = run->jobs;
            std::sort(jobs.begin(), jobs.end(), by_id);
            std::sort(stored.jobs.begin(), stored.jobs.end(), by_id);
            require(jobs == stored.jobs, "jobs of " + id.str() + " are not stored as they are");
            require(run->stages == stored.stages && run->state == stored.state && run->message == stored.message &&
                        run->priority == stored.priority,
                    id.str() + " is not stored as it is");
        }
    }

    /// Whoever waits has a cause, and each cause is true.
    void check_explained() const {
        using Kind = contract::CauseKind;
        for (const auto& id : active_) {
            const auto told = core_->explain(id, now_);
            for (const auto& job : told->jobs) {
                const bool waits = job.verdict == contract::Verdict::waits || job.verdict == contract::Verdict::blocked;
                require(job.verdict == contract::Verdict::runs || !job.causes.empty(), job.key + " (" + job.state + ") has no cause");
                for (const auto& cause : job.causes) {
                    require(!cause.text.empty(), "a cause without words");
                    if (!waits) continue;
                    const auto& facts = cause.facts;
                    if (cause.kind == Kind::capacity)
                        require(facts["needed"].as_number() > facts["free"].as_number(), job.key + ": nothing is short");
                    if (cause.kind == Kind::limit)
                        require(facts["active"].as_number() >= facts["limit"].as_number(), job.key + ": below its limit");
                    if (cause.kind == Kind::turn) require(facts["ahead"].as_number() >= 1, job.key + ": nobody is ahead");
                    if (cause.kind == Kind::lock) require(!facts["holder"]["run"].as_string().empty(), "nobody holds it");
                    if (cause.kind == Kind::daemon) require(!paused_.empty(), "it is not paused");
                    if (cause.kind == Kind::need)
                        for (const auto& other : facts["jobs"].as_array())
                            require(!model::is_final(core_->job(JobId(other["id"].as_string()))->state), "a need that is over");
                }
            }
        }
    }

    std::mt19937 random_;
    bool plain_;
    Capacity capacity_;
    std::unique_ptr<Core> core_;
    Timestamp now_{Milliseconds{1'000'000}};
    std::map<RunId, Stored> stored_;
    std::set<RunId> active_;
    std::map<JobId, Place> places_;
    std::multimap<Timestamp, Timer> timers_;
    std::string paused_;
    int last_run_ = 0, last_job_ = 0;
};

}  // namespace cicd::scheduler::testing
