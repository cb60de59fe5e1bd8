#include "common/base/text.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <optional>

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

constexpr const char* group_name = "the name of a concurrency group";

class Check {
public:
    Check(const PlanRequest& request, Problems& problems, model::Strings& notices)
        : request_(request), problems_(problems), notices_(notices) {}

    void pipeline(const model::Pipeline& pipeline) {
        foreign_ = pipeline.dialect != model::Dialect::native;
        for (const auto& include : pipeline.includes)
            if (include.path.empty())
                lack(include.mark, "include of a template", "include a file by its path");
        if (!foreign_)
            for (const auto& trigger : pipeline.triggers) this->trigger(trigger);
        const auto& told = pipeline.notifications;
        if (!told.on_start.empty() || !told.on_success.empty() || !told.on_failure.empty() || !told.on_cancelled.empty() ||
            !told.on_blocked.empty())
            notices_.push_back("notifications are not sent yet");
        for (const auto& [name, text] : pipeline.env) secrets(text, pipeline.mark, "", "", false);
        if (pipeline.concurrency)
            no_secrets(pipeline.concurrency->group, pipeline.key_marks.find("concurrency", pipeline.mark), group_name, false);
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
        for (const auto& [name, text] : stage.env) secrets(text, stage.mark, stage.name, stage.environment, false);
        no_secrets(stage.condition, stage.key_marks.find("condition", stage.mark), "a stage's condition", true);
        environment_ = stage.environment;
        for (const auto& job : stage.jobs) this->job(job);
    }

    void job(const model::Job& job) {
        for (const auto& each : job_lacks)
            if (each.asked(job) && !goes_without(each, job))
                lack(job.key_marks.find(key_of(each.what), job.mark), each.what, each.instead);
        if (job.executor == model::ExecutorKind::host && !request_.allow_host_executor)
            add_problem(problems_, job.key_marks.find("executor", job.mark), "job '" + job.name + "' asks for the host executor, which is not allowed here",
                        "write `executors: {host: true}` in your own config.yaml; the job then runs without isolation");
        limits(job);
        paths(job);
        image(job);
        for (const auto& step : job.steps)
            if (!foreign_ && !step.uses.empty() && !step.uses.starts_with("./"))
                lack(step.mark, "component '" + step.uses + "'", "write the commands as 'run', or a component of your own: ./.cicd/components/x.yaml");
        job_secrets(job);
    }

    /// A job of another language can run without what it only tells others by.
    bool goes_without(const Lack<model::Job>& lack, const model::Job& job) {
        if (!foreign_) return false;
        if (!job.unavailable.empty() || std::string_view(lack.what) == "services") return true;  // it is skipped
        if (std::string_view(lack.what) != "environment of a job") return false;
        notice("not available yet: environments; jobs that name one run without its variables, secrets and approvals");
        return true;
    }

    void job_secrets(const model::Job& job) {
        const auto& environment = job.environment.empty() ? environment_ : job.environment;
        // What the daemon evaluates knows no values: it would take them for empty.
        no_secrets(job.condition, job.key_marks.find("condition", job.mark), "a job's condition", true);
        no_secrets(job.allow_failure.expression, job.key_marks.find("allowFailure", job.mark), "allowFailure", true);
        if (job.concurrency)
            no_secrets(job.concurrency->group, job.key_marks.find("concurrency", job.mark), group_name, false);
        if (job.image && !job.image->credentials.empty())
            secret(job.image->credentials, job.key_marks.find("image", job.mark), stage_, environment);
        for_each_text(job, [&](const std::string& text, const model::Mark& mark, bool bare) {
            if (&text != &job.condition && &text != &job.allow_failure.expression) secrets(text, mark, stage_, environment, bare);
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
            notice(std::string(what) + " limit cannot be enforced exactly here: " + why + "; " + instead);
        };
        const auto& asked = job.resources;
        tell(asked.memory.has_value(), "memory", request_.memory_weakness, "it holds for each process, not for the job");
        tell(asked.cpu.has_value(), "cpu", request_.cpu_weakness, "jobs share the CPUs as all processes do");
    }

    /// What is kept lies in the workspace; caches may also hold what is in the job's own home.
    void paths(const model::Job& job) {
        const auto look = [&](const model::Mark& mark, std::string_view path, bool home, bool has_home) {
            if (expr::has_expression(path)) return;
            if (path.starts_with('!')) path.remove_prefix(1);
            const auto parts = split(path, '/');
            if (path.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end())
                add_problem(problems_, mark, "path '" + std::string(path) + "' leads out of the workspace",
                            home ? "write it relative to the workspace, or as ~/…" : "write it relative to the workspace");
            else if (home && path.starts_with('~') && !has_home)
                add_problem(problems_, mark, "path '" + std::string(path) + "' is in the home, and a job of the host executor has none of its own",
                            "run it in the sandbox, or keep the files in the workspace");
        };
        for (const auto& artifact : job.artifacts)
            for (const auto* list : {&artifact.paths, &artifact.exclude})
                for (const auto& path : *list) look(artifact.mark, path, false, false);
        for (const auto& cache : job.cache)
            for (const auto& path : cache.paths) look(cache.mark, path, true, job.executor != model::ExecutorKind::host);
    }

    /// The key that a line of the table is about: "resources.gpu" and "executor: container" begin with it.
    static std::string_view key_of(std::string_view what) {
        return what.substr(0, what.find_first_of(".: "));
    }

    void no_secrets(const std::string& text, const model::Mark& mark, const char* where, bool bare) {
        for_each_secret(text, bare, [&](const std::string&) {
            add_problem(problems_, mark, std::string("secrets cannot be read in ") + where,
                        "read them in a step's env, or in a step's condition");
        });
    }

    void secrets(const std::string& text, const model::Mark& mark, const std::string& stage, const std::string& environment,
                 bool bare) {
        for_each_secret(text, bare, [&](const std::string& name) {
            if (name != model::all_secrets) secret(name, mark, stage, environment);
        });
    }

    void notice(const std::string& text) {
        if (std::find(notices_.begin(), notices_.end(), text) == notices_.end()) notices_.push_back(text);
    }

    void secret(const std::string& name, const model::Mark& mark, const std::string& stage, const std::string& environment) {
        if (!request_.secrets) {
            return notice("secrets are not checked: only the daemon knows which there are");
        }
        if (!known_) {
            known_ = request_.secrets();
            if (!*known_) add_problem(problems_, mark, known_->error().message, known_->error().hint);
        }
        if (!*known_) return;
        model::Strings names;
        for (const auto& each : **known_) {
            if (!each.environment.empty() && each.environment != environment) continue;
            if (to_lower(each.name) == to_lower(name)) return;
            names.push_back(each.name);
        }
        const auto message = "missing secret '" + name + "'" + (stage.empty() ? "" : " in stage '" + stage + "'");
        const auto same = [&](const Diagnostic& d) { return d.message == message && d.line == mark.line; };
        if (std::any_of(problems_.begin(), problems_.end(), same)) return;
        if (foreign_) {
            if (to_lower(name) != "github_token") notice("the secret '" + name + "' is empty: it is not set (cicdctl secret set " + name + ")");
            return;
        }
        const auto guess = did_you_mean(name, names);
        add_problem(problems_, mark, message, guess.empty() ? "set it: cicdctl secret set " + name : guess);
    }

    const PlanRequest& request_;
    Problems& problems_;
    model::Strings& notices_;
    std::string stage_, environment_;
    bool foreign_ = false;  ///< written in another language, in which what is missing is empty
    std::optional<Result<std::vector<model::KnownSecret>>> known_;
};

}  // namespace

void check_availability(const model::Pipeline& pipeline, const PlanRequest& request, Problems& problems,
                        model::Strings& notices) {
    Check(request, problems, notices).pipeline(pipeline);
}

}  // namespace cicd::planner
