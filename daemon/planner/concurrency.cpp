#include "common/base/text.hpp"
#include "daemon/planner/decisions.hpp"

/// Concurrency groups by name. What is not known yet (the run's number; a job's needs) is left for the scheduler.
namespace cicd::planner {

namespace {

Result<bool> as_flag(const std::string& expression, const Object& contexts) {
    CICD_TRY(const auto value, expr::evaluate(expr::strip_braces(trim(expression)), {contexts, {}}));
    return expr::is_truthy(value);
}

}  // namespace

void resolve_concurrency(model::Concurrency& given, const Object& contexts, bool of_job, const model::Mark& mark,
                         Problems& problems) {
    const auto known_text = [&](const std::string& text) {
        if (is_static(text)) return true;
        if (of_job) return false;
        // Of a pipeline nothing but the run's own id and number comes later.
        Object later = contexts, run = contexts.find("run")->as_object();
        run.set("id", "run-0");
        run.set("number", 0);
        later.set("run", run);
        if (const auto tried = expr::interpolate(text, {later, {}}); !tried)
            add_problem(problems, mark, "concurrency: " + tried.error().message,
                        "a pipeline's group can read params, vars, git, run and plain env");
        return false;
    };
    if (known_text(given.group)) {
        const auto name = expr::interpolate(given.group, {contexts, {}});
        if (!name)
            add_problem(problems, mark, "concurrency: " + name.error().message, name.error().hint);
        else if (trim(*name).empty())
            add_problem(problems, mark, "concurrency: the group '" + given.group + "' has an empty name here",
                        "write a part that is never empty, such as deploy-${{ git.refName }}");
        else
            given.group = *name;
    }
    auto& flag = given.cancel_in_progress;
    if (flag.expression.empty() || !known_text(flag.expression)) return;
    const auto value = as_flag(flag.expression, contexts);
    if (!value) return add_problem(problems, mark, "cancelInProgress: " + value.error().message, value.error().hint);
    flag = {*value, {}};
}

}  // namespace cicd::planner
