#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <map>

/// Images: named as far as that is known now, pinned by what they are at this moment, so that all jobs of a run get the same.
namespace cicd::planner {

Result<std::string> image_name(const std::string& name, const Object& contexts) {
    if (!expr::has_expression(name)) return name;
    return expr::interpolate(name, {contexts, {}});
}

model::ExecutorKind executor_of(const model::Job& job) {
    if (job.executor) return *job.executor;
    if (!job.image) return model::ExecutorKind::sandbox;
    const bool needs_engine = !job.image->entrypoint.empty() || !job.image->credentials.empty() || job.resources.gpu.value_or(0) > 0;
    return needs_engine ? model::ExecutorKind::container : model::ExecutorKind::rootfs;
}

void pin_images(model::Plan& plan, const PlanRequest& request, Problems& problems) {
    std::map<std::pair<std::string, model::ExecutorKind>, Result<std::string>> known;
    for (auto& planned : plan.jobs) {
        auto& image = planned.job.image;
        if (!image || planned.reason.decision == model::Decision::skip || expr::has_expression(image->name)) continue;
        if (!request.pin_image) continue;
        const auto executor = planned.job.executor.value_or(model::ExecutorKind::rootfs);
        const std::pair key{image->name, executor};
        auto found = known.find(key);
        if (found == known.end()) found = known.emplace(key, request.pin_image(*image, executor)).first;
        if (found->second) {
            image->name = *found->second;
            continue;
        }
        // Once for each place, however many jobs a matrix makes of it.
        const auto& mark = planned.job.key_marks.find("image", planned.job.mark);
        const auto& error = found->second.error();
        const auto same = [&](const Diagnostic& d) { return d.message == error.message && d.file == mark.file && d.line == mark.line; };
        if (std::none_of(problems.begin(), problems.end(), same)) add_problem(problems, mark, error.message, error.hint);
    }
}

}  // namespace cicd::planner
