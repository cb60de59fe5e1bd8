#include "daemon/planner/containers.hpp"

#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/model/mount.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>

namespace cicd::planner {
namespace {

class Settling {
public:
    Settling(const PrepareOptions& options, std::string file, bool takes_out)
        : options_(options), file_(std::move(file)), takes_out_(takes_out) {}

    void job(model::Job& job) {
        const auto& mark = job.key_marks.find("container", job.key_marks.find("image", job.mark));
        // Labels may give it an image, by the configuration.
        const bool has_place = job.image || !options_.labels.empty();
        if (job.image) container(job.image->options, "container", mark, true);
        for (auto& service : job.services) container(service.options, "services." + service.name, service.mark, has_place);
    }
    std::vector<pipeline::Finding> take() { return std::move(findings_); }

private:
    void find(const model::Mark& mark, std::string what, std::string reason) {
        findings_.push_back({pipeline::Carried::unsupported, mark.file.empty() ? file_ : mark.file, mark.line, mark.column, std::move(what), std::move(reason)});
    }

    void container(model::ContainerOptions& options, const std::string& what, const model::Mark& mark, bool has_place) {
        folders(options, what, mark);
        if (!options.need_engine()) return;
        const auto names = needing(options);
        if (!has_place)
            find(mark, what + " " + names, "only beside a job that has a container itself, as an engine makes them together");
        else if (const auto& why = no_engine(); takes_out_ && why)
            find(mark, what + " " + names, "only a container engine gives it, and there is none: " + *why +
                                               (options.login.empty() ? "" : "; the image has to be on this machine, or to be had without a login"));
        else
            return;
        if (!takes_out_) return;
        options.login.clear();
        options.volumes.clear();
        options.ulimits.clear();
    }

    /// What only the run can tell is looked at when the container is made.
    void folders(model::ContainerOptions& options, const std::string& what, const model::Mark& mark) {
        const auto is_refused = [&](const std::string& text) {
            const auto mount = model::parse_mount(text);
            if (expr::has_expression(text) || !mount || !mount->is_folder() || model::is_below(mount->source, options_.mountable)) return false;
            find(mark, what + " volume " + text, "folders of this machine are mounted only where its config.yaml allows it: volumes: [" + mount->source + "]");
            return takes_out_;
        };
        std::erase_if(options.volumes, is_refused);
    }

    static std::string needing(const model::ContainerOptions& options) {
        model::Strings names;
        if (!options.login.empty()) names.emplace_back("credentials");
        if (!options.volumes.empty()) names.emplace_back("volumes");
        if (!options.ulimits.empty()) names.emplace_back("ulimits");
        return join(names, ", ");
    }

    const std::optional<std::string>& no_engine() {
        if (!asked_) no_engine_ = options_.why_no_engine ? options_.why_no_engine() : std::nullopt;
        asked_ = true;
        return no_engine_;
    }

    const PrepareOptions& options_;
    std::string file_;
    bool takes_out_, asked_ = false;
    std::optional<std::string> no_engine_;
    std::vector<pipeline::Finding> findings_;
};

}  // namespace

std::vector<pipeline::Finding> settle_containers(model::Pipeline& pipeline, const PrepareOptions& options, const std::string& file) {
    Settling settling(options, file, pipeline.dialect != model::Dialect::native);
    for (auto& stage : pipeline.stages)
        for (auto& job : stage.jobs)
            if (job.unavailable.empty()) settling.job(job);
    return settling.take();
}

}  // namespace cicd::planner
