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
    const bool needs_engine = !job.image->entrypoint.empty() || !job.image->credentials.empty() || job.resources.gpu.value_or(0) > 0 ||
                              job.image->options.need_engine() ||
                              std::any_of(job.services.begin(), job.services.end(), [](const auto& service) { return service.options.need_engine(); });
    return needs_engine ? model::ExecutorKind::container : model::ExecutorKind::rootfs;
}

namespace {

class Pinning {
public:
    Pinning(const PlanRequest& request, Problems& problems) : request_(request), problems_(problems) {}

    void pin(std::string& name, const model::Image& image, model::ExecutorKind executor, const model::Mark& mark) {
        if (expr::has_expression(name)) return;
        const std::pair key{name, executor};
        auto found = known_.find(key);
        if (found == known_.end()) found = known_.emplace(key, request_.pin_image(image, executor)).first;
        if (found->second) {
            name = *found->second;
            return;
        }
        // Once for each place, however many jobs a matrix makes of it.
        const auto& error = found->second.error();
        const auto same = [&](const Diagnostic& d) { return d.message == error.message && d.file == mark.file && d.line == mark.line; };
        if (std::none_of(problems_.begin(), problems_.end(), same)) add_problem(problems_, mark, error.message, error.hint);
    }

private:
    const PlanRequest& request_;
    Problems& problems_;
    std::map<std::pair<std::string, model::ExecutorKind>, Result<std::string>> known_;
};

}  // namespace

void pin_images(model::Plan& plan, const PlanRequest& request, Problems& problems) {
    if (!request.pin_image) return;
    Pinning pinning(request, problems);
    for (auto& planned : plan.jobs) {
        if (planned.reason.decision == model::Decision::skip) continue;
        auto& job = planned.job;
        const auto executor = job.executor.value_or(model::ExecutorKind::rootfs);
        if (job.image) pinning.pin(job.image->name, *job.image, executor, job.key_marks.find("image", job.mark));
        for (auto& service : job.services) {
            model::Image image;
            image.name = service.image;
            image.options.login = service.options.login;
            const auto by = executor == model::ExecutorKind::container ? executor : model::ExecutorKind::rootfs;
            if (!service.image.empty()) pinning.pin(service.image, image, by, service.mark);
        }
    }
}

}  // namespace cicd::planner
