#include "common/base/text.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>

/// The one table of what the language has and the engine does not execute yet. Each line goes when its feature comes.
namespace cicd::planner {

namespace {

template <class T>
struct Lack {
    const char* what;
    bool (*asked)(const T&);
    const char* instead = "";
};

constexpr Lack<model::Job> job_lacks[] = {
    {"image.entrypoint", [](const model::Job& j) { return j.image && !j.image->entrypoint.empty(); }, "steps start their own shell; the image's entrypoint is not run"},
    {"image.credentials", [](const model::Job& j) { return j.image && !j.image->credentials.empty(); }},
    {"executor: container", [](const model::Job& j) { return j.executor == model::ExecutorKind::container; }, "leave 'executor' out: the image then runs without an engine"},
    {"services", [](const model::Job& j) { return !j.services.empty(); }, "start what the job needs in a step"},
    {"cache", [](const model::Job& j) { return !j.cache.empty(); }},
    {"artifacts", [](const model::Job& j) { return !j.artifacts.empty(); }, "'workspace: shared' hands files to later jobs"},
    {"volumes", [](const model::Job& j) { return !j.volumes.empty(); }},
    {"reports", [](const model::Job& j) { return j.reports.has_value(); }},
    {"environment of a job", [](const model::Job& j) { return !j.environment.empty(); }},
    {"zone", [](const model::Job& j) { return j.zone.has_value(); }, "jobs run on this machine"},
    {"resources.gpu", [](const model::Job& j) { return j.resources.gpu.value_or(0) > 0 || !j.resources.gpu_type.empty(); }},
    {"reuse", [](const model::Job& j) { return j.reuse; }},
    {"labels of a job", [](const model::Job& j) { return !j.labels.empty(); }},
};

constexpr Lack<model::Stage> stage_lacks[] = {
    {"environment of a stage", [](const model::Stage& s) { return !s.environment.empty(); }},
};

class Check {
public:
    Check(const PlanRequest& request, Problems& problems, model::Strings& notices)
        : request_(request), problems_(problems), notices_(notices) {}

    void pipeline(const model::Pipeline& pipeline) {
        for (const auto& include : pipeline.includes)
            if (include.path.empty())
                lack(include.mark, "include of a template", "include a file by its path");
        for (const auto& trigger : pipeline.triggers) this->trigger(trigger);
        const auto& told = pipeline.notifications;
        if (!told.on_start.empty() || !told.on_success.empty() || !told.on_failure.empty() || !told.on_cancelled.empty() ||
            !told.on_blocked.empty())
            notices_.push_back("notifications are not sent yet");
        for (const auto& [name, text] : pipeline.env) secrets(text, pipeline.mark, "", false);
        for (const auto& stage : pipeline.stages) this->stage(stage);
    }

private:
    void lack(const model::Mark& mark, const std::string& what, const std::string& instead = {}) {
        // The front end gives a stage's settings to each of its jobs: say it once for each place.
        const auto message = "not available yet: " + what;
        const auto same = [&](const Diagnostic& d) {
            return d.message == message && d.file == mark.file && d.line == mark.line && d.column == mark.column;
        };
        if (std::none_of(problems_.begin(), problems_.end(), same)) add_problem(problems_, mark, message, instead);
    }

    void trigger(const model::Trigger& trigger) {
        const bool fired_elsewhere = trigger.type == model::TriggerType::schedule ||
                                     trigger.type == model::TriggerType::webhook ||
                                     trigger.type == model::TriggerType::pipeline;
        if (fired_elsewhere && trigger.enabled)
            notices_.push_back("the daemon does not fire " + std::string(to_text(trigger.type)) + " triggers yet (line " +
                               std::to_string(trigger.mark.line) + ")");
    }

    void stage(const model::Stage& stage) {
        stage_ = stage.name;
        for (const auto& each : stage_lacks)
            if (each.asked(stage)) lack(stage.key_marks.find(key_of(each.what), stage.mark), each.what, each.instead);
        if (stage.gate) lack(stage.key_marks.find("gate", stage.mark), "gate");
        if (stage.deploy) lack(stage.key_marks.find("deploy", stage.mark), "deploy");
        for (const auto& [name, text] : stage.env) secrets(text, stage.mark, stage.name, false);
        for (const auto& job : stage.jobs) this->job(job);
    }

    void job(const model::Job& job) {
        for (const auto& each : job_lacks)
            if (each.asked(job)) lack(job.key_marks.find(key_of(each.what), job.mark), each.what, each.instead);
        if (job.executor == model::ExecutorKind::host && !request_.allow_host_executor)
            add_problem(problems_, job.key_marks.find("executor", job.mark), "job '" + job.name + "' asks for the host executor, which is not allowed here",
                        "write `executors: {host: true}` in your own config.yaml; the job then runs without isolation");
        limits(job);
        image(job);
        for (const auto& step : job.steps)
            if (!step.uses.empty() && !step.uses.starts_with("./"))
                lack(step.mark, "component '" + step.uses + "'", "write the commands as 'run', or a component of your own: ./.cicd/components/x.yaml");
        for_each_text(job, [this](const std::string& text, const model::Mark& mark, bool bare) {
            secrets(text, mark, stage_, bare);
        });
    }

    void image(const model::Job& job) {
        const auto executor = job.executor.value_or(job.image ? model::ExecutorKind::rootfs : model::ExecutorKind::sandbox);
        const auto& mark = job.key_marks.find("executor", job.mark);
        if (job.image && (executor == model::ExecutorKind::sandbox || executor == model::ExecutorKind::host))
            add_problem(problems_, mark, "job '" + job.name + "' has an image, which the executor '" +
                        std::string(to_text(executor)) + "' does not use", "leave 'executor' or 'image' out");
        if (!job.image && executor == model::ExecutorKind::rootfs)
            add_problem(problems_, mark, "job '" + job.name + "' has no image for the executor 'rootfs'", "name one with 'image'");
    }

    void limits(const model::Job& job) {
        const auto tell = [&](bool declared, const char* what, const std::string& why, const char* instead) {
            if (!declared || why.empty()) return;
            const auto notice = std::string(what) + " limit cannot be enforced exactly here: " + why + "; " + instead;
            if (std::find(notices_.begin(), notices_.end(), notice) == notices_.end()) notices_.push_back(notice);
        };
        const auto& asked = job.resources;
        tell(asked.memory.has_value(), "memory", request_.memory_weakness, "it holds for each process, not for the job");
        tell(asked.cpu.has_value(), "cpu", request_.cpu_weakness, "jobs share the CPUs as all processes do");
    }

    /// The key that a line of the table is about: "resources.gpu" and "executor: container" begin with it.
    static std::string_view key_of(std::string_view what) {
        return what.substr(0, what.find_first_of(".: "));
    }

    void secrets(const std::string& text, const model::Mark& mark, const std::string& stage, bool bare) {
        if (text.find("secrets") == std::string::npos && text.find("SECRETS") == std::string::npos) return;
        const auto visit = [&](const std::vector<std::string>& path) -> std::optional<std::string> {
            if (to_lower(path[0]) != "secrets" || path.size() > 2) return std::nullopt;
            if (path.size() < 2) return path[0];
            const auto& known = request_.secrets;
            if (std::find(known.begin(), known.end(), path[1]) != known.end())
                lack(mark, "secrets (secrets." + path[1] + ")");
            else
                add_problem(problems_, mark, "missing secret '" + path[1] + "'" + (stage.empty() ? "" : " in stage '" + stage + "'"),
                            did_you_mean(path[1], known).empty() ? "secrets are not available yet" : did_you_mean(path[1], known));
            return path[0];
        };
        static_cast<void>(bare && !expr::has_expression(text) ? rewrite_expression(text, visit) : rewrite_text(text, visit));
    }

    const PlanRequest& request_;
    Problems& problems_;
    model::Strings& notices_;
    std::string stage_;
};

}  // namespace

void check_availability(const model::Pipeline& pipeline, const PlanRequest& request, Problems& problems,
                        model::Strings& notices) {
    Check(request, problems, notices).pipeline(pipeline);
}

}  // namespace cicd::planner
