#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <map>

/// Images: named as far as that is known now, pinned by what they are at this moment, so that all jobs of a run get the same.
namespace cicd::planner {

Result<std::string> image_name(const std::string& name, const Object& contexts) {
    if (!expr::has_expression(name)) return name;
    return expr::interpolate(name, {contexts, {}});
}

namespace {

class Pinning {
public:
    Pinning(const PlanRequest& request, Problems& problems) : request_(request), problems_(problems) {}

    void pin(std::string& name, const model::Image& image, const model::Mark& mark) {
        if (expr::has_expression(name)) return;
        auto found = known_.find(name);
        if (found == known_.end()) found = known_.emplace(name, request_.pin_image(image)).first;
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
    std::map<std::string, Result<std::string>> known_;
};

}  // namespace

void pin_images(model::Plan& plan, const PlanRequest& request, Problems& problems) {
    if (!request.pin_image) return;
    Pinning pinning(request, problems);
    for (auto& planned : plan.jobs) {
        if (planned.reason.decision == model::Decision::skip) continue;
        auto& job = planned.job;
        if (job.image) pinning.pin(job.image->name, *job.image, job.key_marks.find("image", job.mark));
        for (auto& service : job.services) {
            model::Image image;
            image.name = service.image;
            if (!service.image.empty()) pinning.pin(service.image, image, service.mark);
        }
    }
}

}  // namespace cicd::planner
