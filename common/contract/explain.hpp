#pragma once

#include "common/base/enum_text.hpp"
#include "common/base/ids.hpp"
#include "common/base/value.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

/// GET /runs/{id}/explain and /jobs/{id}/explain: why something waits, was skipped, is blocked or ran again. A cause is a
/// fact that can be checked; taking it away changes the decision.
namespace cicd::contract {

enum class CauseKind {
    trigger,     ///< the event and its filters
    selection,   ///< it was not asked for (--stage, --job, --from)
    parameters,  ///< the stage's or job's `when` over parameters, decided by the plan
    condition,   ///< facts: condition, values {name: value}
    need,        ///< facts: need, state, jobs [{id, key, state}]
    lock,        ///< a concurrency group. facts: group, holder {run, job}, position
    capacity,    ///< facts: resource (slots|cpu|memory|gpu), needed, free, capacity, holders [job]
    turn,        ///< somebody goes first. facts: ahead (count), first {job, priority}, rule (priority|fairness|order)
    limit,       ///< maxParallel. facts: limit, active
    backoff,     ///< a retry waits. facts: attempt, until, endReason of the attempt before
    time,        ///< notBefore. facts: until
    daemon,      ///< it takes no work: disk, shutdown. facts: reason
    stop,        ///< cancelled, superseded, timed out, failFast. facts: by, reason
    outcome,     ///< how it ended. facts: endReason, exitCode, step
    retry,       ///< it ran again. facts: attempt, of, endReason
    reuse,       ///< what came of comparing its inputs. facts: digest, parts, from
};

struct Cause {
    CauseKind kind = CauseKind::need;
    std::string text;    ///< one sentence with names and numbers
    Value facts;         ///< object
    std::string remedy;  ///< what would change it; a command where there is one
    bool operator==(const Cause&) const = default;
};

enum class Verdict { waits, runs, skipped, blocked, rerun, ended };

struct JobExplanation {
    JobId job;
    std::string key, state;
    Verdict verdict = Verdict::waits;
    std::vector<Cause> causes;  ///< all that hold now; without any of them it would be decided otherwise
    bool operator==(const JobExplanation&) const = default;
};

struct Explanation {
    RunId run;
    std::string state;
    Verdict verdict = Verdict::waits;
    std::vector<Cause> causes;         ///< of the run as a whole
    std::vector<JobExplanation> jobs;  ///< of a job: just that one
    bool operator==(const Explanation&) const = default;
};

}  // namespace cicd::contract

namespace cicd {
template <>
struct EnumText<contract::CauseKind> {
    using E = contract::CauseKind;
    static constexpr std::array table{
        std::pair{E::trigger, std::string_view{"trigger"}},     std::pair{E::selection, std::string_view{"selection"}},
        std::pair{E::parameters, std::string_view{"parameters"}}, std::pair{E::condition, std::string_view{"condition"}},
        std::pair{E::need, std::string_view{"need"}},           std::pair{E::lock, std::string_view{"lock"}},
        std::pair{E::capacity, std::string_view{"capacity"}},   std::pair{E::turn, std::string_view{"turn"}},
        std::pair{E::limit, std::string_view{"limit"}},         std::pair{E::backoff, std::string_view{"backoff"}},
        std::pair{E::time, std::string_view{"time"}},           std::pair{E::daemon, std::string_view{"daemon"}},
        std::pair{E::stop, std::string_view{"stop"}},           std::pair{E::outcome, std::string_view{"outcome"}},
        std::pair{E::retry, std::string_view{"retry"}},         std::pair{E::reuse, std::string_view{"reuse"}}};
};
template <>
struct EnumText<contract::Verdict> {
    using E = contract::Verdict;
    static constexpr std::array table{
        std::pair{E::waits, std::string_view{"waits"}},     std::pair{E::runs, std::string_view{"runs"}},
        std::pair{E::skipped, std::string_view{"skipped"}}, std::pair{E::blocked, std::string_view{"blocked"}},
        std::pair{E::rerun, std::string_view{"rerun"}},     std::pair{E::ended, std::string_view{"ended"}}};
};
}  // namespace cicd
