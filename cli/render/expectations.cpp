#include "cli/render/expectations.hpp"

#include <algorithm>

namespace cicd::cli::render {
namespace {

using Durations = std::vector<Milliseconds>;
using DurationsByName = std::map<std::string, Durations, std::less<>>;
using Medians = std::map<std::string, Milliseconds, std::less<>>;

std::optional<Milliseconds> median(Durations durations) {
    if (durations.empty()) return std::nullopt;
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>((durations.size() - 1) / 2);
    std::nth_element(durations.begin(), middle, durations.end());
    return *middle;
}

Medians medians(const DurationsByName& all) {
    Medians found;
    for (const auto& [name, durations] : all)
        if (const auto middle = median(durations)) found.emplace(name, *middle);
    return found;
}

template <class Part>
std::optional<Milliseconds> taken(const Part& part) {
    if (!part.start_time || !part.end_time) return std::nullopt;
    return std::max(Milliseconds(0), *part.end_time - *part.start_time);
}

std::optional<Milliseconds> find(const Medians& known, std::string_view name) {
    const auto found = known.find(name);
    return found == known.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<Milliseconds> Expectations::stage(std::string_view name) const {
    return find(stages, name);
}
std::optional<Milliseconds> Expectations::job(std::string_view key) const {
    return find(jobs, key);
}

Expectations expectations_from(const std::vector<model::Run>& past) {
    Durations runs;
    DurationsByName stages, jobs;
    for (const auto& run : past) {
        if (run.state == model::RunState::success)
            if (const auto duration = taken(run)) runs.push_back(*duration);
        for (const auto& stage : run.stages)
            if (stage.state == model::StageState::success)
                if (const auto duration = taken(stage)) stages[stage.name].push_back(*duration);
        for (const auto& job : run.jobs)
            if (job.state == model::JobState::success)
                if (const auto duration = taken(job)) jobs[job.key].push_back(*duration);
    }
    return {median(std::move(runs)), medians(stages), medians(jobs)};
}

}  // namespace cicd::cli::render
