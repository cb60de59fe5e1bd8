#pragma once

#include "common/base/enum_text.hpp"
#include "common/base/result.hpp"

/// States of the entities and the one place that says which change into which. The tables are those of the
/// product's specification; `transition` refuses everything else with a conflict that names both states.
namespace cicd::model {

enum class RunState { created, queued, running, blocked, success, failed, cancelled };
enum class StageState { pending, running, success, partial, failed, skipped, cancelled };
enum class JobState { created, queued, scheduled, running, success, failed, cancelled, skipped, archived };
enum class StepState { pending, running, success, failed, cancelled, skipped };
enum class PipelineState { draft, active, disabled, archived };

Result<RunState> transition(RunState from, RunState to);
Result<StageState> transition(StageState from, StageState to);
/// A failed attempt that is retried goes back to `queued`; so does a `scheduled` job whose place could not be had.
Result<JobState> transition(JobState from, JobState to);
Result<StepState> transition(StepState from, StepState to);
Result<PipelineState> transition(PipelineState from, PipelineState to);

constexpr bool is_final(RunState s) {
    return s == RunState::success || s == RunState::failed || s == RunState::cancelled;
}
constexpr bool is_final(StageState s) { return s != StageState::pending && s != StageState::running; }
constexpr bool is_final(JobState s) {
    return s == JobState::success || s == JobState::failed || s == JobState::cancelled || s == JobState::skipped ||
           s == JobState::archived;
}
constexpr bool is_final(StepState s) { return s != StepState::pending && s != StepState::running; }

}  // namespace cicd::model

namespace cicd {
template <>
struct EnumText<model::RunState> {
    using E = model::RunState;
    static constexpr std::array table{
        std::pair{E::created, std::string_view{"created"}},    std::pair{E::queued, std::string_view{"queued"}},
        std::pair{E::running, std::string_view{"running"}},    std::pair{E::blocked, std::string_view{"blocked"}},
        std::pair{E::success, std::string_view{"success"}},    std::pair{E::failed, std::string_view{"failed"}},
        std::pair{E::cancelled, std::string_view{"cancelled"}}};
};
template <>
struct EnumText<model::StageState> {
    using E = model::StageState;
    static constexpr std::array table{
        std::pair{E::pending, std::string_view{"pending"}}, std::pair{E::running, std::string_view{"running"}},
        std::pair{E::success, std::string_view{"success"}}, std::pair{E::partial, std::string_view{"partial"}},
        std::pair{E::failed, std::string_view{"failed"}},   std::pair{E::skipped, std::string_view{"skipped"}},
        std::pair{E::cancelled, std::string_view{"cancelled"}}};
};
template <>
struct EnumText<model::JobState> {
    using E = model::JobState;
    static constexpr std::array table{
        std::pair{E::created, std::string_view{"created"}},     std::pair{E::queued, std::string_view{"queued"}},
        std::pair{E::scheduled, std::string_view{"scheduled"}}, std::pair{E::running, std::string_view{"running"}},
        std::pair{E::success, std::string_view{"success"}},     std::pair{E::failed, std::string_view{"failed"}},
        std::pair{E::cancelled, std::string_view{"cancelled"}}, std::pair{E::skipped, std::string_view{"skipped"}},
        std::pair{E::archived, std::string_view{"archived"}}};
};
template <>
struct EnumText<model::StepState> {
    using E = model::StepState;
    static constexpr std::array table{
        std::pair{E::pending, std::string_view{"pending"}}, std::pair{E::running, std::string_view{"running"}},
        std::pair{E::success, std::string_view{"success"}}, std::pair{E::failed, std::string_view{"failed"}},
        std::pair{E::cancelled, std::string_view{"cancelled"}}, std::pair{E::skipped, std::string_view{"skipped"}}};
};
template <>
struct EnumText<model::PipelineState> {
    using E = model::PipelineState;
    static constexpr std::array table{std::pair{E::draft, std::string_view{"draft"}},
                                      std::pair{E::active, std::string_view{"active"}},
                                      std::pair{E::disabled, std::string_view{"disabled"}},
                                      std::pair{E::archived, std::string_view{"archived"}}};
};
}  // namespace cicd
