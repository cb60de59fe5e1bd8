#include "common/pipeline/step_controls.hpp"

#include "common/base/text.hpp"

namespace cicd::pipeline {

void check_controls(Builder& b, const std::vector<model::Step>& steps) {
    std::vector<std::string> known;
    for (const auto& step : steps) {
        for (const auto& target : step.targets) {
            if (std::find(known.begin(), known.end(), target) != known.end()) continue;
            const bool there = std::any_of(steps.begin(), steps.end(), [&](const auto& one) { return one.id == target; });
            b.error_at(step.mark, "no step in the background before this one has the id '" + target + "'",
                       there ? "give that step 'background: true', and let it stand before this one" : did_you_mean(target, known));
        }
        if (step.background && !step.id.empty() && step.parallel == 0) known.push_back(step.id);
    }
}

}  // namespace cicd::pipeline
