#include "common/base/text.hpp"
#include "common/pipeline/front.hpp"
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
    {"volumes", [](const model::Job& j) { return !j.volumes.empty(); }},
    {"reports", [](const model::Job& j) { return j.reports.has_value(); }},
    {"zone", [](const model::Job& j) { return j.zone.has_value(); }, "jobs run on this machine"},
    {"resources.gpu", [](const model::Job& j) { return executor_of(j) != model::ExecutorKind::container && (j.resources.gpu.value_or(0) > 0 || !j.resources.gpu_type.empty()); }, "run it in a container: executor: container, with an image"},
    {"labels of a job", [](const model::Job& j) { return !j.labels.empty(); }},
};

constexpr const char* group_name = "the name of a concurrency group";

class Check {
public:
    Check(const PlanRequest& request, Problems& problems, model::Strings& notices)
        : request_(request), problems_(problems), notices_(notices) {}

    void pipeline(const model::Pipeline& pipeline) {
        dialect_ = pipeline.dialect;
        foreign_ = dialect_ != model::Dialect::native;
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
        shared_workspace_ = pipeline.shared_workspace;
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
        environment(stage.environment, stage.key_marks.find("environment", stage.mark));
        if (stage.gate) lack(stage.key_marks.find("gate", stage.mark), "gate");
        if (stage.deploy) lack(stage.key_marks.find("deploy", stage.mark), "deploy");
        for (const auto& [name, text] : stage.env) secrets(text, stage.mark, stage.name, stage.environment, false);
        no_secrets(stage.condition, stage.key_marks.find("condition", stage.mark), "a stage's condition", true);
        environment_ = stage.environment;
        for (const auto& job : stage.jobs) this->job(job);
    }

    void job(const model::Job& job) {
        for (const auto& each : job_lacks)
            if (each.asked(job) && !goes_without(job))
                lack(job.key_marks.find(key_of(each.what), job.mark), each.what, each.instead);
        if (job.executor == model::ExecutorKind::host && !request_.allow_host_executor)
            add_problem(problems_, job.key_marks.find("executor", job.mark), "job '" + job.name + "' asks for the host executor, which is not allowed here",
                        "write `executors: {host: true}` in your own config.yaml; the job then runs without isolation");
        if (job.reuse && shared_workspace_)
            add_problem(problems_, job.key_marks.find("reuse", job.mark), "job '" + job.name + "' cannot be reused: what it leaves in the shared workspace would be missing",
                        "leave 'reuse' out, or 'workspace: shared', and hand files on as artifacts");
        if (job.environment != environment_) environment(job.environment, job.key_marks.find("environment", job.mark));
        limits(job);
        paths(job);
        image(job);
        services(job);
        if (job.system == model::SystemMode::writable) writable(job);
        for (const auto& step : job.steps)
            if (step.uses == "build/docker" && !foreign_) build(step);
            else if (!foreign_ && !step.uses.empty() && !step.uses.starts_with("./"))
                lack(step.mark, "component '" + step.uses + "'", "write the commands as 'run', or a component of your own: ./.cicd/components/x.yaml");
        job_secrets(job);
    }

    /// The machine's container engine builds, outside of the job's place.
    void build(const model::Step& step) {
        static const model::Strings inputs{"context", "file", "tags", "args", "target", "push", "login"};
        const auto given = [&](const char* name) {
            return std::any_of(step.with.begin(), step.with.end(), [&](const auto& one) { return one.first == name; });
        };
        for (const auto& [name, value] : step.with)
            if (std::find(inputs.begin(), inputs.end(), name) == inputs.end())
                add_problem(problems_, step.mark, "build/docker has no input '" + name + "'",
                            did_you_mean(name, inputs).empty() ? "its inputs: " + join(inputs, ", ") : did_you_mean(name, inputs));
        if (given("push") && !given("tags")) add_problem(problems_, step.mark, "build/docker has nothing to push", "give it 'tags'");
    }

    /// It decides whose secrets a job is given: everybody shall see which it is.
    void environment(const std::string& name, const model::Mark& mark) {
        if (!expr::has_expression(name)) return;
        if (foreign_) return notice("the environment '" + name + "' is not written out: its secrets and variables are not given");
        add_problem(problems_, mark, "the environment '" + name + "' is not written out", "write its name, in a stage or job of its own for each");
    }

    /// A job of another language that is skipped anyway lacks nothing.
    [[nodiscard]] bool goes_without(const model::Job& job) const { return foreign_ && !job.unavailable.empty(); }

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
        const auto executor = executor_of(job);
        const auto& mark = job.key_marks.find("executor", job.mark);
        if (job.image && (executor == model::ExecutorKind::sandbox || executor == model::ExecutorKind::host))
            add_problem(problems_, mark, "job '" + job.name + "' has an image, which the executor '" +
                        std::string(to_text(executor)) + "' does not use", "leave 'executor' or 'image' out");
        const bool needs_image = executor == model::ExecutorKind::rootfs || executor == model::ExecutorKind::container;
        if (!job.image && needs_image)
            add_problem(problems_, mark, "job '" + job.name + "' has no image for the executor '" + std::string(to_text(executor)) + "'", "name one with 'image'");
        if (!job.image || executor == model::ExecutorKind::container) return;
        const auto& image_mark = job.key_marks.find("image", job.mark);
        const bool needs = job.image->options.need_engine() ||
                           std::any_of(job.services.begin(), job.services.end(), [](const auto& service) { return service.options.need_engine(); });
        if (needs)
            add_problem(problems_, image_mark, "job '" + job.name + "' has options of containers that only an engine gives: login, volumes or ulimits",
                        "run it by a container engine: executor: container");
        for (const auto& [key, text] : {std::pair{"entrypoint", &job.image->entrypoint}, std::pair{"credentials", &job.image->credentials}})
            if (!text->empty())
                add_problem(problems_, image_mark, "job '" + job.name + "' has image." + key + ", which the executor '" +
                            std::string(to_text(executor)) + "' does not use", "run it by a container engine: executor: container");
    }

    void writable(const model::Job& job) {
        const auto& mark = job.key_marks.find("system", job.mark);
        if (job.executor == model::ExecutorKind::host)
            add_problem(problems_, mark, "job '" + job.name + "' asks for a writable system and for the host executor, which has none of its own",
                        "leave 'executor' or 'system' out");
        else if (!job.image && !request_.may_copy_system)
            add_problem(problems_, mark, "job '" + job.name + "' asks for a writable copy of this machine's system, which only a daemon of root can make",
                        "give it an image (cicdctl image build NAME makes one), or run cicdd as root");
        else if (!request_.may_copy_system && !job.services.empty())
            notice("a writable system beside services has only one user here, root, as the daemon is an ordinary user's: packages whose files belong to others cannot be installed");
        else if (const auto why = request_.may_copy_system || !request_.users_weakness ? std::string() : request_.users_weakness(); !why.empty())
            notice("a writable system has only one user here, root: packages whose files belong to others cannot be installed, as " + why);
        if (job.image && !job.image->user.empty() && job.image->user != "root" && job.image->user != "0")
            add_problem(problems_, mark, "job '" + job.name + "' is to be '" + job.image->user + "' in its image, but root in a writable system",
                        "leave 'user' out, and use sudo -u " + job.image->user);
    }

    void services(const model::Job& job) {
        if (job.services.empty()) return;
        const auto& mark = job.key_marks.find("services", job.mark);
        if (job.executor == model::ExecutorKind::host)
            add_problem(problems_, mark, "job '" + job.name + "' has services, and a job of the host executor has no network of its own",
                        "run it in the sandbox or in an image");
        for (const auto& service : job.services)
            for (const auto& port : service.ports)
                if (const auto [ours, theirs] = ends_of(port); ours == theirs)
                    continue;
                else if (foreign_)
                    notice("service '" + service.name + "' is at port " + theirs + ", not " + ours + ": a job and its services share one network");
                else
                    add_problem(problems_, service.mark, "service '" + service.name + "' is to be seen at port " + ours + " instead of " + theirs,
                                "a job and its services share one network: reach it at localhost:" + theirs);
        const bool by_engine = executor_of(job) == model::ExecutorKind::container;
        if (!by_engine && job.network != model::NetworkMode::none && !request_.way_out_weakness.empty())
            notice("jobs with services reach nothing but these here: " + request_.way_out_weakness);
    }

    /// "8080:80", "127.0.0.1:8080:80/tcp", "80": the port outside, and the service's own.
    static std::pair<std::string, std::string> ends_of(const std::string& port) {
        const auto parts = split(port.substr(0, port.find('/')), ':');
        return {parts.size() > 1 ? parts[parts.size() - 2] : parts.back(), parts.back()};
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
            if (!pipeline::is_given_secret(dialect_, name)) notice("the secret '" + name + "' is empty: it is not set (cicdctl secret set " + name + ")");
            return;
        }
        const auto guess = did_you_mean(name, names);
        add_problem(problems_, mark, message, guess.empty() ? "set it: cicdctl secret set " + name : guess);
    }

    const PlanRequest& request_;
    Problems& problems_;
    model::Strings& notices_;
    bool shared_workspace_ = false;
    std::string stage_, environment_;
    model::Dialect dialect_ = model::Dialect::native;
    bool foreign_ = false;  ///< written in another language, in which what is missing is empty
    std::optional<Result<std::vector<model::KnownSecret>>> known_;
};

}  // namespace

void check_availability(const model::Pipeline& pipeline, const PlanRequest& request, Problems& problems,
                        model::Strings& notices) {
    Check(request, problems, notices).pipeline(pipeline);
}

}  // namespace cicd::planner
