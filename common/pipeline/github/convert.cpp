#include "common/pipeline/github/convert.hpp"

#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/github/actions.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>

namespace cicd::pipeline::github {
namespace {

const std::map<std::string, std::string>& counterparts() {
    static const std::map<std::string, std::string> known{
        {"sha", "git.commit"},       {"ref", "git.ref"},           {"ref_name", "git.refName"},   {"head_ref", "git.branch"},
        {"base_ref", "git.base"},    {"event_name", "run.event"},  {"run_id", "run.id"},          {"run_number", "run.number"},
        {"run_attempt", "run.attempt"}, {"actor", "run.actor"},    {"triggering_actor", "run.actor"}, {"repository", "git.name"},
        {"workflow", "run.pipeline"}, {"token", "secrets.GITHUB_TOKEN"}};
    return known;
}

bool is_variable(const std::string& name) {
    return !name.empty() && (std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_') &&
           std::all_of(name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

std::string input(const model::Step& step, std::string_view name) {
    for (const auto& [given, value] : step.with)
        if (to_lower(given) == name) return expr::to_display_text(value);
    return "";
}

model::Strings lines_of(const std::string& text) {
    model::Strings lines;
    for (const auto& line : split(text, '\n'))
        if (!trim(line).empty()) lines.emplace_back(trim(line));
    return lines;
}

/// Unlike the literal, it may be asked for members.
constexpr const char* nothing = "fromJSON('null')";

class Conversion {
public:
    Conversion(Report& report, std::string file) : report_(report), file_(std::move(file)) {}

    void pipeline(model::Pipeline& pipeline) {
        pipeline.dialect = model::Dialect::native;
        for (const auto& parameter : pipeline.parameters) parameters_.insert(parameter.name);
        for (const auto& stage : pipeline.stages)
            for (const auto& [name, text] : stage.outputs) outputs_[stage.name][name] = text;
        triggers(pipeline);
        for (auto& stage : pipeline.stages) this->stage(stage);
        if (pipeline.concurrency) concurrency(*pipeline.concurrency);
    }

private:
    void tell(Carried kind, const model::Mark& mark, std::string what, std::string reason) {
        Finding finding{kind, mark.file.empty() ? file_ : mark.file, mark.line, mark.column, std::move(what), std::move(reason)};
        if (std::find(report_.findings.begin(), report_.findings.end(), finding) == report_.findings.end())
            report_.findings.push_back(std::move(finding));
    }

    void triggers(model::Pipeline& pipeline) {
        std::vector<model::Trigger> kept;
        bool manual = false;
        for (auto& trigger : pipeline.triggers) {
            const auto event = std::exchange(trigger.id, {});
            switch (trigger.type) {
                case model::TriggerType::push:
                case model::TriggerType::pull_request:
                case model::TriggerType::schedule:
                    if (event == "pull_request_target") tell(Carried::approximated, trigger.mark, event, "it is started as by pull_request");
                    kept.push_back(std::move(trigger));
                    break;
                case model::TriggerType::manual:
                    if (event == "workflow_call") tell(Carried::approximated, trigger.mark, event, "it is started by hand; to call it, include its file");
                    if (!std::exchange(manual, true)) kept.push_back(std::move(trigger));
                    break;
                case model::TriggerType::webhook:
                case model::TriggerType::pipeline:
                    tell(Carried::unsupported, trigger.mark, "on: " + event, "nothing of ours starts by it");
                    break;
            }
        }
        pipeline.triggers = std::move(kept);
    }

    void env(model::Texts& texts, const model::Mark& mark) {
        std::erase_if(texts, [&](auto& pair) {
            if (is_variable(pair.first)) return false;
            tell(Carried::unsupported, mark, "env " + pair.first, "names of variables are letters, digits and _");
            return true;
        });
    }

    void concurrency(model::Concurrency& given) {
        given.group = rewrite_text(given.group, replace_);
        given.cancel_in_progress.expression = rewrite_text(given.cancel_in_progress.expression, replace_);
    }

    void stage(model::Stage& stage) {
        stage.condition = rewrite_expression(stage.condition, replace_);
        for (auto& [name, text] : stage.env) text = rewrite_text(text, replace_);
        env(stage.env, stage.mark);
        stage.outputs.clear();
        for (auto& job : stage.jobs) this->job(job);
    }

    void job(model::Job& job) {
        mark_ = job.mark;
        if (job.description.empty() && !job.title.empty() && !expr::has_expression(job.title)) job.description = job.title;
        job.title.clear();
        const bool literal = std::none_of(job.runs_on.begin(), job.runs_on.end(), [](const auto& text) { return expr::has_expression(text); });
        auto refused = job.unavailable.empty() && literal ? label_refusal(model::Dialect::github, job.runs_on) : std::optional(job.unavailable);
        if (!literal) tell(Carried::approximated, job.mark, "runs-on of " + job.name, "every combination runs on this machine");
        if (refused && !refused->empty()) {
            tell(Carried::unsupported, job.mark, "job " + job.name, *refused);
            job.condition = "false";
        }
        job.runs_on.clear();
        job.unavailable.clear();
        job.empty_workspace = false;
        if (!std::exchange(job.timeout_minutes, {}).empty()) tell(Carried::unsupported, job.mark, "timeout-minutes", "a timeout is no expression here");
        if (!std::exchange(job.environment, {}).empty()) tell(Carried::manual, job.mark, "environment of " + job.name, "set it up and name it in a stage");
        std::vector<model::Step> steps;
        for (auto& step : job.steps) this->step(job, std::move(step), steps);
        job.steps = std::move(steps);
        if (job.steps.empty()) job.steps.push_back({.name = "nothing is left to do", .run = "true"});
        rewrite_job(job, replace_);
        if (job.concurrency) concurrency(*job.concurrency);
        env(job.env, job.mark);
    }

    void step(model::Job& job, model::Step step, std::vector<model::Step>& into) {
        if (!std::exchange(step.timeout_minutes, {}).empty()) tell(Carried::unsupported, step.mark, "timeout-minutes", "a timeout is no expression here");
        env(step.env, step.mark);
        if (step.uses.empty()) {
            into.push_back(std::move(step));
            return;
        }
        const auto found = find_action(step.uses);
        if (found.kind == ActionKind::native && native(job, step, found.name, into)) {
            // Something may wait for it.
            if (step.background && !step.id.empty())
                into.push_back({.id = step.id, .name = "what the job does itself", .run = "true", .background = true, .parallel = step.parallel});
            return;
        }
        if (found.kind != ActionKind::remote) tell(Carried::unsupported, step.mark, step.uses, "write its commands as 'run', or a component of your own");
        model::Step placeholder;
        placeholder.id = step.id;
        placeholder.name = "not converted: " + step.uses;
        placeholder.run = "echo 'not converted: " + step.uses + "' >&2";
        placeholder.condition = step.condition;
        placeholder.background = step.background;
        placeholder.parallel = step.parallel;
        into.push_back(std::move(placeholder));
    }

    bool native(model::Job& job, const model::Step& step, const std::string& name, std::vector<model::Step>& into) {
        if (name == "actions/checkout") {
            if (!input(step, "repository").empty() || !input(step, "path").empty()) return false;
            if (!input(step, "ref").empty()) tell(Carried::approximated, step.mark, "actions/checkout", "jobs begin in a checkout of the run's own revision");
            return true;
        }
        if (name == "actions/upload-artifact") {
            model::Artifact artifact;
            artifact.name = input(step, "name").empty() ? "artifact" : input(step, "name");
            for (const auto& line : lines_of(input(step, "path")))
                if (line.starts_with('!')) artifact.exclude.push_back(line.substr(1));
                else artifact.paths.push_back(line);
            if (step.condition.find("always") != std::string::npos) artifact.when = model::ArtifactWhen::always;
            else if (step.condition.find("failure") != std::string::npos) artifact.when = model::ArtifactWhen::on_failure;
            job.artifacts.push_back(std::move(artifact));
            tell(Carried::approximated, step.mark, name, "artifacts are saved when the job has ended");
            return true;
        }
        if (name == "actions/download-artifact") {
            tell(Carried::approximated, step.mark, name, "artifacts of needed jobs are there from the start, where they were");
            return true;
        }
        if (name.starts_with("actions/cache")) {
            model::Cache cache;
            cache.key = input(step, "key");
            cache.paths = lines_of(input(step, "path"));
            cache.restore_keys = lines_of(input(step, "restore-keys"));
            if (name.ends_with("/restore")) cache.policy = "pull";
            if (name.ends_with("/save")) cache.policy = "push";
            job.cache.push_back(std::move(cache));
            tell(Carried::approximated, step.mark, name, "caches are put back before the first step");
            return true;
        }
        static const std::map<std::string, std::string> tools{
            {"actions/setup-node", "echo \"node-version=$(node --version)\" | tee -a \"$CICD_OUTPUT\"\n"},
            {"actions/setup-python", "command -v python >/dev/null || { mkdir -p ~/.local/bin; ln -s \"$(command -v python3)\" ~/.local/bin/python; echo ~/.local/bin >> \"$CICD_PATH\"; }\n"
                                     "echo \"python-version=$(python3 -c 'import platform; print(platform.python_version())')\" | tee -a \"$CICD_OUTPUT\"\n"},
            {"actions/setup-go", "go version"}, {"actions/setup-java", "java -version"}};
        const auto tool = tools.find(name);
        if (tool == tools.end()) return false;
        into.push_back({.id = step.id, .name = step.name, .run = tool->second, .condition = step.condition, .mark = step.mark});
        tell(Carried::approximated, step.mark, name, "what the machine or the job's image has is used");
        return true;
    }

    /// A path of the workflow's contexts as ours say it.
    std::optional<std::string> replaced(const std::vector<std::string>& path) {
        const auto root = to_lower(path[0]);
        if (root == "needs" && path.size() == 3 && to_lower(path[2]) == "result")
            return "(needs." + path[1] + ".result == 'failed' && 'failure' || needs." + path[1] + ".result)";
        if (root == "needs" && path.size() == 4 && to_lower(path[2]) == "outputs") return output(path[1], path[3]);
        if (root == "inputs" && path.size() == 2 && !parameters_.contains(path[1])) return nothing;
        if (root != "github" || path.size() == 1) return std::nullopt;
        const auto name = to_lower(path[1]);
        if (name == "event" && path.size() == 4 && to_lower(path[2]) == "inputs" && parameters_.contains(path[3])) return "params." + path[3];
        if (name == "event" && path.size() == 4 && to_lower(path[2]) == "pull_request" && to_lower(path[3]) == "number") return "git.pullRequest";
        if (name == "event_name" && path.size() == 2)
            return "(run.event == 'manual' && 'workflow_dispatch' || run.event)";
        const auto found = counterparts().find(name);
        if (found != counterparts().end() && path.size() == 2) return found->second;
        if (path.size() > 2 && name != "event") return std::nullopt;
        if (name == "event" && path.size() < 3) return std::nullopt;
        tell(Carried::unsupported, mark_, join(path, "."), "nothing of ours tells it; it is null");
        return nothing;
    }

    std::optional<std::string> output(const std::string& stage, const std::string& name) {
        const auto declared = outputs_.find(stage);
        if (declared == outputs_.end()) return std::nullopt;
        const auto found = declared->second.find(name);
        if (found == declared->second.end()) return "null";
        return rewrite_expression(as_expression(Value(found->second)), [&](const auto& inner) -> std::optional<std::string> {
            if (inner.size() != 1 || to_lower(inner[0]) != "jobs") return std::nullopt;
            return "needs." + stage + ".jobs";
        });
    }

    Report& report_;
    std::string file_;
    model::Mark mark_;
    std::set<std::string> parameters_;
    std::map<std::string, std::map<std::string, std::string>> outputs_;
    PathReplacement replace_ = [this](const std::vector<std::string>& path) { return replaced(path); };
};

}  // namespace

void convert(model::Pipeline& pipeline, Report& report, const std::string& file) { Conversion(report, file).pipeline(pipeline); }

}  // namespace cicd::pipeline::github
