#include "common/model/states.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace cicd;
using namespace cicd::model;

namespace {

template <class State>
bool may(State from, State to) {
    return transition(from, to).has_value();
}

/// Every state that can be reached from `from`, in any number of steps.
template <class State>
std::set<State> reachable(State from) {
    std::set<State> found{from};
    for (std::size_t before = 0; before != found.size();) {
        before = found.size();
        for (const auto& [a, unused] : EnumText<State>::table)
            for (const auto& [b, also_unused] : EnumText<State>::table)
                if (found.count(a) && may(a, b)) found.insert(b);
    }
    return found;
}

}  // namespace

TEST_CASE("every state can be reached, and none goes to itself") {
    CHECK(reachable(RunState::created).size() == EnumText<RunState>::table.size());
    CHECK(reachable(StageState::pending).size() == EnumText<StageState>::table.size());
    CHECK(reachable(JobState::created).size() == EnumText<JobState>::table.size());
    CHECK(reachable(StepState::pending).size() == EnumText<StepState>::table.size());
    CHECK(reachable(PipelineState::draft).size() == EnumText<PipelineState>::table.size());
    for (const auto& entry : EnumText<RunState>::table) CHECK_FALSE(may(entry.first, entry.first));
    for (const auto& entry : EnumText<JobState>::table) CHECK_FALSE(may(entry.first, entry.first));
    for (const auto& entry : EnumText<StageState>::table) CHECK_FALSE(may(entry.first, entry.first));
    for (const auto& entry : EnumText<StepState>::table) CHECK_FALSE(may(entry.first, entry.first));
}

TEST_CASE("a job runs through its states, and a failed one may be tried again") {
    CHECK(may(JobState::created, JobState::queued));
    CHECK(may(JobState::queued, JobState::scheduled));
    CHECK(may(JobState::scheduled, JobState::running));
    CHECK(may(JobState::running, JobState::success));
    CHECK(may(JobState::running, JobState::queued));
    CHECK(may(JobState::scheduled, JobState::queued));
    CHECK_FALSE(may(JobState::created, JobState::running));
    CHECK_FALSE(may(JobState::success, JobState::running));
    CHECK_FALSE(may(JobState::archived, JobState::running));
}

TEST_CASE("an ended run goes on only by being queued again") {
    for (const auto ended : {RunState::success, RunState::failed, RunState::cancelled}) {
        CHECK(is_final(ended));
        for (const auto& [to, text] : EnumText<RunState>::table)
            CHECK_MESSAGE(may(ended, to) == (to == RunState::queued), text);
    }
    CHECK_FALSE(is_final(RunState::blocked));
}

TEST_CASE("a step that has ended stays as it is") {
    for (const auto& [from, from_text_] : EnumText<StepState>::table) {
        if (!is_final(from)) continue;
        for (const auto& [to, to_text_] : EnumText<StepState>::table) CHECK_FALSE(may(from, to));
    }
}

TEST_CASE("a refused transition is a conflict that names both states") {
    const auto refused = transition(RunState::success, RunState::running);
    REQUIRE(refused.has_error());
    CHECK(refused.error().kind == ErrorKind::conflict);
    CHECK(refused.error().message == "a run that is success cannot become running");
}

TEST_CASE("states have one text each, and it reads back") {
    for (const auto& [state, text] : EnumText<JobState>::table) {
        CHECK(to_text(state) == text);
        CHECK(from_text<JobState>(text) == state);
    }
    CHECK_FALSE(from_text<JobState>("Running"));
    CHECK(all_texts<StepState>() == "pending, running, success, failed, cancelled, skipped");
}
