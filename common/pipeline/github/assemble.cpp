#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/model/action.hpp"
#include "common/pipeline/github/reader.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>
#include <map>
#include <set>

/// Jobs into stages. A called workflow becomes a stage named by the job that calls it: what that job needs and its
/// condition are the stage's, its inputs take the place of `inputs.x` in the jobs, and the outputs that the workflow
/// declares are the stage's.
namespace cicd::pipeline::github {
namespace {

constexpr std::size_t deepest_call = 10;
constexpr std::size_t most_calls = 100;

using Replacements = std::map<std::string, std::string>;

/// Where a workflow's jobs go, and what it was given.
struct Place {
    std::string stage;
    std::vector<std::string> chain;  ///< files, for circles
    std::string name, ref;           ///< of the repository that the workflow is from: owner/name; empty: the run's own
    std::string title;               ///< of the call
    std::optional<model::Matrix> matrix;
    model::OrExpression<bool> fail_fast{true, {}};
    std::optional<int> max_parallel;
    bool is_called = false, inherits_secrets = true;
    Replacements inputs, secrets;
};

void add_error(Front& front, const model::Mark& mark, std::string message, std::string suggestion = {}) {
    front.parsed.problems.push_back(
        {Severity::error, mark.file, mark.line, mark.column, mark.pointer, std::move(message), std::move(suggestion)});
}

/// Axes beside each other are a product, as a matrix around a matrix is.
void put_around(model::Job& job, const Place& place, Front& front) {
    if (!place.matrix) return;
    if (!job.matrix) {
        job.matrix = place.matrix;
        job.fail_fast = place.fail_fast;
        job.max_parallel = place.max_parallel;
        return;
    }
    const bool plain = place.matrix->expression.empty() && job.matrix->expression.empty() &&
                       place.matrix->include.empty() && place.matrix->include_expression.empty();
    if (plain) {
        job.matrix->axes.insert(job.matrix->axes.begin(), place.matrix->axes.begin(), place.matrix->axes.end());
        return;
    }
    job.unavailable = "it has a matrix, and so has the job that calls its workflow; the two cannot be multiplied";
    front.report.findings.push_back({Carried::unsupported, job.mark.file, job.mark.line, job.mark.column,
                                     "a matrix around a matrix", job.unavailable});
}

class Assembly {
public:
    Assembly(const FrontOptions& options, Front& front) : options_(options), front_(front) {}

    void put(Workflow workflow, const Place& place, std::vector<model::Need> needs, std::string condition) {
        model::Stage stage;
        stage.name = place.stage;
        stage.needs = std::move(needs);
        stage.condition = std::move(condition);
        stage.mark = workflow.pipeline.mark;
        const auto calls = name_calls(workflow, place);
        const auto replace = replacement(place, calls);
        stage.env = workflow.env;
        for (auto& [name, text] : stage.env) text = rewrite_text(text, replace);
        for (const auto& [name, text] : workflow.call_outputs)
            if (place.is_called) stage.outputs.emplace_back(name, rewrite_text(text, replace));
        check_needs(workflow);
        std::vector<JobDraft*> called;
        for (auto& draft : workflow.jobs) {
            rewrite_job(draft.job, replace);
            if (draft.call && read(*draft.call, place)) {
                called.push_back(&draft);
                continue;
            }
            stage.jobs.push_back(finish(draft, place, calls));
        }
        const auto at = front_.parsed.value.stages.size();
        front_.parsed.value.stages.push_back(std::move(stage));
        for (auto* draft : called) call(*draft, place, calls, replace);
        if (front_.parsed.value.stages[at].jobs.empty() && !called.empty())
            front_.parsed.value.stages.erase(front_.parsed.value.stages.begin() + static_cast<std::ptrdiff_t>(at));
    }

private:
    /// The file that is called: its path in the run's own repository, or owner/name/path@ref.
    static std::string file_of(const Call& call, const Place& place) {
        if (!call.uses.starts_with("./")) return call.uses;
        const auto path = call.uses.substr(2);
        return place.name.empty() ? path : place.name + "/" + path + "@" + place.ref;
    }

    static bool is_elsewhere(const Call& call, const Place& place) { return !place.name.empty() || !call.uses.starts_with("./"); }

    /// Its text; nothing where it cannot be looked at. What is missing in the run's own repository is an error.
    [[nodiscard]] std::optional<Result<std::string>> read(const Call& call, const Place& place) const {
        const auto& reader = is_elsewhere(call, place) ? options_.read_elsewhere : options_.read_file;
        if (!reader) return std::nullopt;
        auto text = reader(file_of(call, place));
        if (!text && is_elsewhere(call, place)) return std::nullopt;
        return text;
    }

    using Calls = std::map<std::string, std::string>;  ///< id of a job that calls → its stage

    Calls name_calls(const Workflow& workflow, const Place& place) {
        Calls calls;
        for (const auto& draft : workflow.jobs) {
            if (!draft.call || !read(*draft.call, place)) continue;
            std::string name = place.is_called ? place.stage + "__" + draft.job.name : draft.job.name;
            if (name == only_stage) name += "__called";
            while (!stages_.insert(name).second) name += "_";
            calls[draft.job.name] = name;
        }
        return calls;
    }

    /// What expressions of this workflow mean in the one pipeline that all become.
    PathReplacement replacement(const Place& place, const Calls& calls) {
        return [&place, calls](const std::vector<std::string>& path) -> std::optional<std::string> {
            if (path.size() != 2) return std::nullopt;
            const auto root = to_lower(path[0]), name = to_lower(path[1]);
            if (root == "needs" && place.is_called) {
                const auto stage = calls.find(path[1]);
                return stage == calls.end() ? std::nullopt : std::optional("needs." + stage->second);
            }
            if (!place.is_called) return std::nullopt;
            if (root == "inputs") {
                const auto found = place.inputs.find(name);
                return found == place.inputs.end() ? "null" : found->second;
            }
            if (root == "secrets" && !place.inherits_secrets && name != "github_token") {
                const auto found = place.secrets.find(name);
                return found == place.secrets.end() ? "null" : found->second;
            }
            return std::nullopt;
        };
    }

    model::Need need_of(const std::string& name, const Place& place, const Calls& calls, const model::Mark& mark) {
        const auto stage = calls.find(name);
        if (stage != calls.end()) return {stage->second, "", mark};
        return {place.stage, name, mark};
    }

    model::Job finish(JobDraft& draft, const Place& place, const Calls& calls) {
        auto& job = draft.job;
        for (const auto& name : draft.needs) job.needs.push_back(need_of(name, place, calls, job.mark));
        if (draft.call) cannot_call(draft, place);
        if (!place.title.empty()) job.title = place.title + " / " + (job.title.empty() ? job.name : job.title);
        put_around(job, place, front_);
        return std::move(job);
    }

    /// Mostly a workflow of another repository: nothing here has it.
    void cannot_call(JobDraft& draft, const Place& place) {
        const bool elsewhere = is_elsewhere(*draft.call, place);
        std::string why;
        if (elsewhere && options_.read_elsewhere)
            if (const auto text = options_.read_elsewhere(file_of(*draft.call, place)); !text) why = ": " + text.error().message;
        draft.job.unavailable = "it calls " + draft.call->uses + (elsewhere ? ", a workflow of another repository, which is not fetched" + why : ", which was not looked at");
        if (draft.job.steps.empty()) draft.job.steps.push_back({.uses = draft.call->uses, .mark = draft.call->mark});
        front_.report.findings.push_back({Carried::manual, draft.call->mark.file, draft.call->mark.line, draft.call->mark.column,
                                          draft.call->uses,
                                          elsewhere ? "the workflow of another repository is not fetched; the job is skipped" + why : "the workflow that is called was not looked at"});
    }

    void call(JobDraft& draft, const Place& place, const Calls& calls, const PathReplacement& replace) {
        const auto& call = *draft.call;
        const auto path = file_of(call, place);
        const auto& mark = call.mark;
        if (std::find(place.chain.begin(), place.chain.end(), path) != place.chain.end())
            return add_error(front_, mark, "workflows call each other in a circle: " + join(place.chain, " → ") + " → " + path);
        if (place.chain.size() > deepest_call || ++count_ > most_calls)
            return add_error(front_, mark, "workflows call each other too often, or deeper than ten levels");
        const auto text = read(call, place).value_or(not_found("PIPELINE_001", "it is not there any more"));
        if (!text) return add_error(front_, mark, "uses '" + call.uses + "': " + text.error().message, text.error().hint);
        auto workflow = load_workflow(*text, path, front_.parsed.problems, front_.report);
        const bool callable = std::any_of(workflow.pipeline.triggers.begin(), workflow.pipeline.triggers.end(),
                                          [](const model::Trigger& trigger) { return trigger.id == "workflow_call"; });
        if (!callable) add_error(front_, mark, "'" + call.uses + "' cannot be called: it has no 'on: workflow_call'");
        if (workflow.pipeline.concurrency)
            front_.report.findings.push_back({Carried::approximated, path, 1, 1, "concurrency of a called workflow",
                                              "only the group of the calling workflow is held"});
        Place inner;
        inner.stage = calls.at(draft.job.name);
        inner.chain = place.chain;
        inner.chain.push_back(path);
        inner.name = place.name;
        inner.ref = place.ref;
        if (!call.uses.starts_with("./")) {
            const auto named = model::find_action(call.uses);
            inner.name = named.name;
            inner.ref = named.ref;
        }
        inner.title = (place.title.empty() ? "" : place.title + " / ") + (draft.job.title.empty() ? draft.job.name : draft.job.title);
        inner.matrix = draft.job.matrix ? draft.job.matrix : place.matrix;
        inner.fail_fast = draft.job.fail_fast;
        inner.max_parallel = draft.job.max_parallel;
        inner.is_called = true;
        inner.inherits_secrets = call.inherits_secrets && place.inherits_secrets;
        give_inputs(call, workflow, inner, replace);
        for (const auto& [name, value] : call.secrets)
            inner.secrets[to_lower(name)] = as_expression(Value(rewrite_text(value, replace)));
        std::vector<model::Need> needs;
        for (const auto& name : draft.needs) needs.push_back(need_of(name, place, calls, draft.job.mark));
        put(std::move(workflow), inner, std::move(needs), draft.job.condition);
    }

    void give_inputs(const Call& call, const Workflow& workflow, Place& inner, const PathReplacement& replace) {
        std::vector<std::string> names;
        for (const auto& input : workflow.call_inputs) {
            names.push_back(input.name);
            const auto given = std::find_if(call.with.begin(), call.with.end(), [&](const auto& pair) {
                return to_lower(pair.first) == to_lower(input.name);
            });
            auto& expression = inner.inputs[to_lower(input.name)];
            if (given != call.with.end()) {
                Value value = given->second;
                if (value.is_string()) value = Value(rewrite_text(value.as_string(), replace));
                expression = as_expression(value);
                continue;
            }
            if (input.required && !input.default_value)
                add_error(front_, call.mark, "'" + call.uses + "' needs the input '" + input.name + "'", "give it under 'with'");
            expression = as_expression(input.default_value.value_or(Value()));
        }
        for (const auto& [name, value] : call.with) {
            const auto same = [&, &given = name](const std::string& known) { return to_lower(known) == to_lower(given); };
            if (std::none_of(names.begin(), names.end(), same))
                add_error(front_, call.mark, "'" + call.uses + "' has no input '" + name + "'", did_you_mean(name, names));
        }
    }

    void check_needs(const Workflow& workflow) {
        std::vector<std::string> names;
        for (const auto& draft : workflow.jobs) names.push_back(draft.job.name);
        for (const auto& draft : workflow.jobs)
            for (const auto& need : draft.needs)
                if (std::find(names.begin(), names.end(), need) == names.end())
                    add_error(front_, draft.job.mark, "job '" + draft.job.name + "' needs '" + need + "', but there is no such job",
                              did_you_mean(need, names));
        std::map<std::string, int> states;
        std::vector<std::string> path;
        for (const auto& draft : workflow.jobs) visit(workflow, draft, states, path);
    }

    /// Depth first; what is still open when it is met again closes a circle.
    void visit(const Workflow& workflow, const JobDraft& draft, std::map<std::string, int>& states,
               std::vector<std::string>& path) {
        enum { unseen, open, done };
        int& state = states[draft.job.name];
        if (state == done) return;
        path.push_back(draft.job.name);
        if (state == open) {
            const auto first = std::find(path.begin(), path.end(), draft.job.name);
            add_error(front_, draft.job.mark, "jobs need each other in a circle: " +
                                                  join(std::vector<std::string>(first, path.end()), " → "));
        } else {
            state = open;
            for (const auto& need : draft.needs)
                for (const auto& other : workflow.jobs)
                    if (other.job.name == need) visit(workflow, other, states, path);
            states[draft.job.name] = done;
        }
        path.pop_back();
    }

    const FrontOptions& options_;
    Front& front_;
    std::set<std::string> stages_{std::string(only_stage)};
    std::size_t count_ = 0;
};

}  // namespace

void assemble(Workflow workflow, const FrontOptions& options, Front& front) {
    auto& pipeline = front.parsed.value;
    pipeline = std::move(workflow.pipeline);
    workflow.pipeline = {};
    workflow.pipeline.mark = pipeline.mark;
    Place place;
    place.stage = only_stage;
    Assembly(options, front).put(std::move(workflow), place, {}, "");
}

}  // namespace cicd::pipeline::github
