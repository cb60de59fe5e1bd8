#pragma once

#include "daemon/scheduler/retry.hpp"
#include "daemon/scheduler/step.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Why a run's jobs are where they are. Reads the graph, decides nothing, changes nothing.
namespace cicd::scheduler {

/// Of a run that is over, from what is stored of it.
contract::Explanation explain_over(model::Run run, model::Plan plan, const std::vector<model::RunEvent>& events,
                                   const JobId& only = {});

class Explainer {
public:
    /// `runs` and everything after it is what is around an active run; null for one that is over.
    struct Around {
        const Places& places;
        const Locks& locks;
        const std::string& pause_reason;
        const std::unordered_map<RunId, std::unique_ptr<RunNode>>& runs;
    };
    Explainer(RunNode& run, const Around* around, Timestamp now) : run_(run), around_(around), now_(now) {}

    [[nodiscard]] contract::Explanation run();
    [[nodiscard]] contract::Explanation job(int index);

private:
    using Causes = std::vector<contract::Cause>;

    contract::JobExplanation explain(int job);
    [[nodiscard]] contract::Verdict verdict() const;
    void of_run(Causes& causes);

    // explain.cpp: what waits
    void waits_for_needs(Causes& causes, int job);
    void waits_in_queue(Causes& causes, int job);
    void waits_for_lock(Causes& causes, const std::string& key, const Turn& turn);
    void waits_for_place(Causes& causes, int job);
    void waits_for_turn(Causes& causes, int job, unsigned missing);
    void paused(Causes& causes);
    contract::Cause shortage(unsigned resource, const Demand& demand);
    [[nodiscard]] contract::Cause unfinished(int target) const;

    // explain_end.cpp: what was skipped, what ended
    void skipped(Causes& causes, int job);
    void decided_by_plan(Causes& causes, const std::string& reason, const std::string& condition, int job);
    void decided_by_needs(Causes& causes, int job);
    void judged(Causes& causes, const std::string& condition, const Status& status, const std::vector<int>& needs,
                int job);
    [[nodiscard]] contract::Cause ended_need(int target) const;
    void ended(Causes& causes, int job);
    void stopped(Causes& causes, int job);
    void compared(Causes& causes, int index);
    void repeated(Causes& causes, int job);

    [[nodiscard]] Object contexts(int job);

    RunNode& run_;
    const Around* around_;
    Timestamp now_;
    // looked up once for all jobs
    std::optional<std::vector<Places::Waiting>> order_;
    std::optional<std::vector<JobRef>> placed_;
    std::map<int, contract::Cause> unfinished_, ended_needs_;
};

}  // namespace cicd::scheduler
