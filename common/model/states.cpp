#include "common/model/states.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace cicd::model {
namespace {

template <class State>
using Edge = std::pair<State, State>;

template <class State>
Result<State> check(std::span<const Edge<State>> edges, std::string_view entity, State from, State to) {
    if (std::find(edges.begin(), edges.end(), Edge<State>{from, to}) != edges.end()) return to;
    return conflict("CICD_409", "a " + std::string(entity) + " that is " + std::string(to_text(from)) +
                                    " cannot become " + std::string(to_text(to)));
}

}  // namespace

Result<RunState> transition(RunState from, RunState to) {
    using enum RunState;
    static constexpr Edge<RunState> edges[] = {
        {created, queued},   {created, cancelled}, {created, failed},   {queued, running},    {queued, cancelled},
        {queued, failed},    {queued, success},    {queued, blocked},   {running, blocked},   {running, success},
        {running, failed},   {running, cancelled}, {blocked, running},  {blocked, failed},    {blocked, cancelled},
        {success, queued},   {failed, queued},     {cancelled, queued},  // a retry of the same run
    };
    return check<RunState>(edges, "run", from, to);
}

Result<StageState> transition(StageState from, StageState to) {
    using enum StageState;
    static constexpr Edge<StageState> edges[] = {
        {pending, running},  {pending, skipped}, {pending, cancelled}, {running, success},   {running, partial},
        {running, failed},   {running, skipped}, {running, cancelled}, {success, pending},   {partial, pending},
        {failed, pending},   {skipped, pending}, {cancelled, pending},  // a retry of the same run
    };
    return check<StageState>(edges, "stage", from, to);
}

Result<JobState> transition(JobState from, JobState to) {
    using enum JobState;
    static constexpr Edge<JobState> edges[] = {
        {created, queued},      {created, skipped},  {created, cancelled},  {created, failed},
        {queued, scheduled},    {queued, cancelled}, {queued, skipped},     {queued, failed},
        {queued, success},  // its result is known (reuse)
        {scheduled, running},   {scheduled, queued}, {scheduled, cancelled}, {scheduled, failed},
        {scheduled, success},   {running, success},  {running, failed},     {running, cancelled},
        {running, queued},      {success, archived}, {failed, archived},    {cancelled, archived},
        {skipped, archived},    {failed, created},   {cancelled, created},  {skipped, created},
        {success, created},  // a retry of the same run
    };
    return check<JobState>(edges, "job", from, to);
}

Result<StepState> transition(StepState from, StepState to) {
    using enum StepState;
    static constexpr Edge<StepState> edges[] = {
        {pending, running}, {pending, skipped},   {pending, cancelled}, {running, success},
        {running, failed},  {running, cancelled}, {running, skipped},  {pending, failed},
    };
    return check<StepState>(edges, "step", from, to);
}

Result<PipelineState> transition(PipelineState from, PipelineState to) {
    using enum PipelineState;
    static constexpr Edge<PipelineState> edges[] = {
        {draft, active},    {draft, archived},    {active, disabled},  {active, archived},
        {disabled, active}, {disabled, archived}, {archived, active},
    };
    return check<PipelineState>(edges, "pipeline", from, to);
}

}  // namespace cicd::model
