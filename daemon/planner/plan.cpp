#include "common/base/text.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace cicd::planner {

namespace {

using model::Decision;
using model::Reason;

constexpr std::array<std::string_view, 4> status_calls{"always(", "failure(", "success(", "cancelled("};

std::string need_text(const model::Need& need) { return need.job.empty() ? need.stage : need.stage + "." + need.job; }

std::string list_needs(const std::vector<model::Need>& needs) {
    std::vector<std::string> names;
    for (const auto& need : needs) names.push_back(need_text(need));
    return join(names, ", ");
}

Object git_context(const model::Plan& plan) {
    const auto& source = plan.source;
    const auto& event = plan.event;
    const std::string branch = event.branch.empty() ? source.branch : event.branch;
    const std::string tag = event.tag.empty() ? source.tag : event.tag;
    Object git;
    git.set("commit", source.commit);
    git.set("sha", source.commit);
    git.set("shortCommit", source.commit.substr(0, 7));
    git.set("tree", source.tree);
    git.set("branch", tag.empty() ? branch : "");
    git.set("tag", tag);
    std::string ref = tag.empty() ? (branch.empty() ? "" : "refs/heads/" + branch) : "refs/tags/" + tag;
    if (event.pull_request > 0) ref = "refs/pull/" + std::to_string(event.pull_request) + "/head";
    git.set("ref", ref);
    git.set("refName", tag.empty() ? branch : tag);
    git.set("message", source.message);
    git.set("author", source.author);
    git.set("authorEmail", source.author_email);
    git.set("repository", source.repository);
    git.set("name", source.name);
    git.set("base", event.base_branch.empty() ? source.base_commit : event.base_branch);
    git.set("dirty", source.dirty);
    git.set("pullRequest", event.pull_request > 0 ? Value(event.pull_request) : Value());
    return git;
}

class Planner {
public:
    Planner(const model::Pipeline& pipeline, const PlanRequest& request) : pipeline_(pipeline), request_(request) {}

    Result<model::Plan> make() {
        merge_includes(pipeline_, request_, problems_);
        if (!problems_.empty()) return pipeline::as_error(problems_);
        head();
        place_vars();
        if (pipeline_.dialect == model::Dialect::native)
            for (auto& stage : pipeline_.stages)
                for (auto& job : stage.jobs) expand_components(job, request_, problems_);
        check_availability(pipeline_, request_, problems_, plan_.notices);
        if (problems_.empty()) graph();
        if (problems_.empty()) concurrency();
        if (problems_.empty()) apply_selection(plan_, request_, problems_);
        if (problems_.empty()) apply_from(plan_, request_.from_stage, problems_);
        if (!problems_.empty()) return pipeline::as_error(problems_);
        follow_skips();
        if (plan_.trigger.decision == Decision::skip) skip_everything();
        pin_images(plan_, request_, problems_);
        if (!problems_.empty()) return pipeline::as_error(problems_);
        return std::move(plan_);
    }

private:
    void head() {
        plan_.dialect = pipeline_.dialect;
        plan_.actions = request_.actions;
        // Outermost: what is given for the run does not replace what the pipeline says.
        pipeline_.env.insert(pipeline_.env.begin(), request_.env.begin(), request_.env.end());
        plan_.pipeline = pipeline_.name;
        plan_.event = request_.event;
        plan_.source = request_.source;
        plan_.trigger = decide_trigger(pipeline_, request_.event);
        plan_.params = Value(resolve_parameters(pipeline_.parameters, request_.params, problems_));
        plan_.timeout = pipeline_.timeout;
        plan_.priority = pipeline_.priority.value_or(model::Priority::normal);
        plan_.shared_workspace = pipeline_.shared_workspace;
        plan_.notifications = pipeline_.notifications;
    }

    /// `vars.NAME` is known now: its value takes its place, so that it need not travel with the run.
    void place_vars() {
        std::map<std::string, std::string> vars(request_.vars.begin(), request_.vars.end());
        Object context;
        for (const auto& [name, text] : vars) context.set(name, text);
        const auto replace = [&](const std::vector<std::string>& path) -> std::optional<std::string> {
            if (path.size() > 2 || to_lower(path[0]) != "vars") return std::nullopt;
            if (path.size() == 1) return as_expression(Value(context));
            const auto found = vars.find(path[1]);
            return found == vars.end() ? "null" : as_expression(Value(found->second));
        };
        const auto env = [&](model::Texts& texts) {
            for (auto& [name, text] : texts) text = rewrite_text(text, replace);
        };
        env(pipeline_.env);
        if (pipeline_.concurrency) place(*pipeline_.concurrency, replace);
        for (auto& stage : pipeline_.stages) {
            env(stage.env);
            stage.condition = expr::has_expression(stage.condition) ? rewrite_text(stage.condition, replace)
                                                                    : rewrite_expression(stage.condition, replace);
            for (auto& job : stage.jobs) {
                rewrite_job(job, replace);
                if (job.concurrency) place(*job.concurrency, replace);
            }
        }
        plan_.env = pipeline_.env;
    }

    static void place(model::Concurrency& given, const PathReplacement& replace) {
        given.group = rewrite_text(given.group, replace);
        given.cancel_in_progress.expression = rewrite_text(given.cancel_in_progress.expression, replace);
    }

    void concurrency() {
        if (pipeline_.concurrency) {
            auto contexts = contexts_;
            if (auto env = static_env({&pipeline_.env}, contexts)) contexts.set("env", std::move(*env));
            plan_.concurrency = pipeline_.concurrency;
            resolve_concurrency(*plan_.concurrency, contexts, false,
                                pipeline_.key_marks.find("concurrency", pipeline_.mark), problems_);
        }
        for (auto& planned : plan_.jobs) {
            if (!planned.job.concurrency || planned.expand_later) continue;
            const auto& mark = planned.job.key_marks.find("concurrency", planned.job.mark);
            for (const auto& stage : pipeline_.stages)
                if (stage.name == planned.stage)
                    resolve_concurrency(*planned.job.concurrency, contexts_for(stage, &planned.job, planned.matrix), true,
                                        mark, problems_);
            if (plan_.concurrency && plan_.concurrency->group == planned.job.concurrency->group)
                add_problem(problems_, mark, "job '" + planned.key + "' would wait for its own run: the pipeline holds the "
                            "concurrency group '" + plan_.concurrency->group + "'", "give the job a group of its own");
        }
    }

    void graph() {
        contexts_ = run_contexts(plan_);
        std::string previous;
        for (const auto& stage : pipeline_.stages) {
            model::PlannedStage planned;
            planned.name = stage.name;
            if (stage.needs)
                planned.needs = *stage.needs;
            else if (!previous.empty())
                planned.needs = {model::Need{previous, "", stage.mark}};
            planned.condition = stage.condition;
            planned.parallel = stage.parallel;
            planned.fail_fast = stage.fail_fast;
            planned.timeout = stage.timeout;
            planned.env = stage.env;
            planned.environment = stage.environment;
            planned.outputs = stage.outputs;
            planned.reason = decide(stage.condition, list_needs(planned.needs), stage, nullptr, {}, stage.mark);
            for (const auto& job : stage.jobs) add_job(job, stage, planned);
            previous = stage.name;
            plan_.stages.push_back(std::move(planned));
        }
    }

    Object contexts_for(const model::Stage& stage, const model::Job* job, const Value& matrix) {
        Object contexts = contexts_;
        contexts.set("matrix", matrix);
        std::vector<const model::Texts*> layers{&pipeline_.env, &stage.env};
        if (job) layers.push_back(&job->env);
        if (auto env = static_env(layers, contexts)) contexts.set("env", std::move(*env));
        return contexts;
    }

    Reason decide(const std::string& condition, const std::string& waits, const model::Stage& stage,
                  const model::Job* job, const Value& matrix, const model::Mark& mark) {
        const auto contexts = contexts_for(stage, job, matrix);
        if (!contexts.contains("env") && to_lower(condition).find("env") != std::string::npos)
            return {Decision::later, "condition '" + condition + "' reads variables that are known only later"};
        auto reason = decide_condition(condition, contexts, waits);
        if (reason) return *reason;
        add_problem(problems_, mark, "condition '" + condition + "': " + reason.error().message, reason.error().hint);
        return {};
    }

    void add_job(const model::Job& job, const model::Stage& stage, const model::PlannedStage& planned_stage) {
        model::PlannedJob planned;
        planned.base = planned.key = stage.name + "." + job.name;
        planned.name = job.name;
        planned.stage = stage.name;
        planned.job = job;
        std::vector<model::PlannedJob> jobs;
        if (job.matrix) {
            const auto combinations = matrix_combinations(*job.matrix, contexts_for(stage, &job, {}), false);
            if (!combinations) {
                add_problem(problems_, job.mark, combinations.error().message, combinations.error().hint);
                return;
            }
            if (*combinations) {
                if ((*combinations)->empty())
                    add_problem(problems_, job.mark, "the matrix of '" + planned.base + "' has no combinations");
                auto chosen = choose_combinations(std::move(**combinations), request_.matrix);
                jobs = expand_combinations(planned, chosen);
                if (chosen.empty()) planned.reason = {Decision::skip, "no combination of its matrix is chosen"};
            } else {
                planned.expand_later = true;
            }
        }
        if (jobs.empty()) jobs.push_back(planned);
        for (auto& each : jobs) {
            if (!request_.labels.empty() && knows_labels(each)) settle_labels(each.job, contexts_for(stage, &each.job, each.matrix), request_.labels);
            name_image(each, stage);
            give_title(each, stage);
            if (each.reason.decision != Decision::skip) each.reason = reason_of(each, stage, planned_stage);
            plan_.jobs.push_back(std::move(each));
        }
    }

    void give_title(model::PlannedJob& planned, const model::Stage& stage) {
        const auto& title = planned.job.title;
        if (title.empty() || planned.expand_later || !is_static(title)) return;
        const auto text = expr::interpolate(title, {contexts_for(stage, &planned.job, planned.matrix), {}});
        if (!text || trim(*text).empty()) return;
        const bool tells_all = planned.matrix.is_null() || title.find("matrix.") != std::string::npos;
        planned.name = *text + (tells_all ? "" : planned.name.substr(planned.job.name.size()));
    }

    static bool knows_labels(const model::PlannedJob& planned) {
        const auto& labels = planned.job.runs_on;
        return !planned.expand_later && std::all_of(labels.begin(), labels.end(), is_static);
    }

    std::optional<std::string> refusal(const model::PlannedJob& planned, const model::Stage& stage) {
        if (!knows_labels(planned) && planned.job.unavailable.empty()) return std::nullopt;
        return place_refusal(planned.job, contexts_for(stage, &planned.job, planned.matrix));
    }

    void name_image(model::PlannedJob& planned, const model::Stage& stage) {
        auto& job = planned.job;
        if (!job.image) return;
        job.executor = executor_of(job);
        // What only the run can tell is put in when the job starts.
        if (planned.expand_later || !is_static(job.image->name)) return;
        auto name = image_name(job.image->name, contexts_for(stage, &job, planned.matrix));
        if (name && trim(*name).empty() && pipeline_.dialect != model::Dialect::native) {  // for some combinations there is none
            job.image.reset();
            job.executor.reset();
            return;
        }
        if (name) job.image->name = std::move(*name);
        else add_problem(problems_, job.key_marks.find("image", job.mark), "image: " + name.error().message, name.error().hint);
    }

    Reason reason_of(const model::PlannedJob& job, const model::Stage& stage, const model::PlannedStage& planned_stage) {
        if (planned_stage.reason.decision == Decision::skip)
            return {Decision::skip, "its stage is skipped: " + planned_stage.reason.text};
        auto needs = planned_stage.needs;
        needs.insert(needs.end(), job.job.needs.begin(), job.job.needs.end());
        auto reason = decide(job.job.condition, list_needs(needs), stage, &job.job, job.matrix, job.job.mark);
        if (reason.decision == Decision::skip) return reason;
        if (pipeline_.dialect != model::Dialect::native)
            if (auto refused = refusal(job, stage)) return {Decision::skip, std::move(*refused)};
        const bool plain = job.job.condition.empty() || job.job.condition == "on_success";
        if (plain && !stage.condition.empty()) reason = planned_stage.reason;
        if (job.expand_later && reason.decision == Decision::run)
            return {Decision::later, "its matrix depends on results of " + list_needs(needs)};
        return reason;
    }

    /// What needs something that will certainly be skipped is skipped with it, as the scheduler would find in the end.
    /// A stage that is skipped by its own condition does not hold up the stages after it; a skipped job does hold up
    /// the jobs that name it, and so does a stage that was itself held up.
    void follow_skips() {
        const auto survives = [](const std::string& condition) {
            if (condition == "always" || condition == "on_failure") return true;
            const auto lower = to_lower(condition);
            return std::any_of(status_calls.begin(), status_calls.end(), [&](auto call) { return lower.find(call) != std::string::npos; });
        };
        std::set<std::string> held;
        const auto skipped = [&](const model::Need& need) {
            if (need.job.empty()) return held.contains(need.stage);
            bool any = false;
            for (const auto& job : plan_.jobs) {
                if (job.base != need.stage + "." + need.job) continue;
                if (job.reason.decision != Decision::skip || counts_as_successful(job.reason)) return false;
                any = true;
            }
            return any;
        };
        for (bool changed = true; changed;) {
            changed = false;
            for (auto& stage : plan_.stages) {
                if (stage.reason.decision == Decision::skip || survives(stage.condition)) continue;
                const auto need = std::find_if(stage.needs.begin(), stage.needs.end(), skipped);
                if (need == stage.needs.end()) continue;
                stage.reason = {Decision::skip, "needs stage " + need_text(*need) + ", which is skipped"};
                held.insert(stage.name);
                changed = true;
                for (auto& job : plan_.jobs)
                    if (job.stage == stage.name && job.reason.decision != Decision::skip && !survives(job.job.condition))
                        job.reason = stage.reason;
            }
            for (auto& job : plan_.jobs) {
                if (job.reason.decision == Decision::skip || survives(job.job.condition)) continue;
                const auto need = std::find_if(job.job.needs.begin(), job.job.needs.end(), skipped);
                if (need == job.job.needs.end()) continue;
                job.reason = {Decision::skip, "needs " + need_text(*need) + ", which is skipped"};
                changed = true;
                const bool all = std::all_of(plan_.jobs.begin(), plan_.jobs.end(), [&](const model::PlannedJob& other) {
                    return other.stage != job.stage || other.reason.decision == Decision::skip;
                });
                if (all) held.insert(job.stage);
            }
        }
    }

    void skip_everything() {
        const Reason reason{Decision::skip, "the event does not start the pipeline: " + plan_.trigger.text};
        for (auto& stage : plan_.stages) stage.reason = reason;
        for (auto& job : plan_.jobs) job.reason = reason;
    }

    model::Pipeline pipeline_;
    const PlanRequest& request_;
    model::Plan plan_;
    Problems problems_;
    Object contexts_;
};

}  // namespace

Object run_contexts(const model::Plan& plan, const pipeline::RunFacts& facts) {
    Object run;
    if (!facts.id.empty()) {
        run.set("id", facts.id);
        run.set("number", static_cast<double>(facts.number));
        run.set("triggeredBy", facts.actor);
    }
    run.set("pipeline", plan.pipeline);
    run.set("event", std::string(to_text(plan.event.type)));
    run.set("actor", plan.event.actor);
    run.set("attempt", 1);
    const Value params = plan.params.is_object() ? plan.params : Value(Object{});
    Object contexts;
    contexts.set("params", params);
    contexts.set("inputs", params);
    contexts.set("vars", Value(Object{}));
    contexts.set("git", Value(git_context(plan)));
    contexts.set("run", Value(std::move(run)));
    for (const auto& [name, value] : pipeline::dialect_contexts(plan, facts)) contexts.set(name, value);
    return contexts;
}

Result<model::Plan> make_plan(const model::Pipeline& pipeline, const PlanRequest& request) {
    return Planner(pipeline, request).make();
}

}  // namespace cicd::planner
