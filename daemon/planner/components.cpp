#include "common/base/text.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <map>
#include <set>

/// `uses: ./…`: the component's steps take the place of the call. Its inputs become the expressions given for them, its
/// step ids get the call's id in front, and what the call's outputs name is what the component says they are.
namespace cicd::planner {

namespace {

constexpr std::size_t deepest = 10;
constexpr std::size_t most_steps = 1000;

std::string joined_condition(const std::string& call, const std::string& inner) {
    const auto bare = [](const std::string& text) -> std::string {
        const auto stripped = std::string(trim(expr::strip_braces(trim(text))));
        if (stripped == "on_success") return "success()";
        if (stripped == "on_failure") return "failure()";
        if (stripped == "always") return "always()";
        return stripped;
    };
    if (call.empty() || call == "on_success") return inner;
    if (inner.empty() || inner == "on_success") return call;
    return "(" + bare(call) + ") && (" + bare(inner) + ")";
}

class Expansion {
public:
    Expansion(const PlanRequest& request, Problems& problems) : request_(request), problems_(problems) {}

    void job(model::Job& job) {
        std::vector<model::Step> steps;
        std::vector<std::string> chain;
        for (auto& step : job.steps) put(std::move(step), chain, steps);
        job.steps = std::move(steps);
        if (outputs_.empty()) return;
        const auto replace = [this](const auto& path) { return output(path); };
        for (auto& step : job.steps) rewrite_step(step, replace);
        for (auto& [name, text] : job.outputs) text = rewrite_text(text, replace);
    }

private:
    void put(model::Step step, std::vector<std::string>& chain, std::vector<model::Step>& into) {
        if (!step.uses.starts_with("./")) {
            if (into.size() == most_steps)
                add_problem(problems_, step.mark, "the components of this job expand to more than 1000 steps");
            if (into.size() < most_steps + 1) into.push_back(std::move(step));
            return;
        }
        if (std::find(chain.begin(), chain.end(), step.uses) != chain.end()) {
            add_problem(problems_, step.mark, "components use each other in a circle: " + join(chain, " → ") + " → " + step.uses);
            return;
        }
        if (chain.size() >= deepest) {
            add_problem(problems_, step.mark, "components are nested deeper than 10: " + join(chain, " → "));
            return;
        }
        const model::Component* component = load(step);
        if (!component) return;
        if (step.background)
            add_problem(problems_, step.mark, "a component of several steps cannot run in the background",
                        "write 'background: true' at its steps, in " + step.uses);
        chain.push_back(step.uses);
        call(step, *component, chain, into);
        chain.pop_back();
    }

    const model::Component* load(const model::Step& step) {
        const auto known = components_.find(step.uses);
        if (known != components_.end()) return known->second ? &*known->second : nullptr;
        auto& slot = components_[step.uses];
        const std::string path = step.uses.substr(2);
        if (!request_.read_file) {
            add_problem(problems_, step.mark, "'" + step.uses + "' cannot be read without a repository");
            return nullptr;
        }
        const auto text = request_.read_file(path);
        if (!text) {
            add_problem(problems_, step.mark, "uses '" + step.uses + "': " + text.error().message, text.error().hint);
            return nullptr;
        }
        auto parsed = pipeline::parse_component(*text, path);
        problems_.insert(problems_.end(), parsed.problems.begin(), parsed.problems.end());
        if (!parsed.ok()) return nullptr;
        slot = std::move(parsed.value);
        return &*slot;
    }

    /// Each input as an expression.
    std::map<std::string, std::string> inputs(const model::Step& step, const model::Component& component) {
        std::map<std::string, std::string> values;
        std::vector<std::string> names;
        for (const auto& input : component.inputs) {
            names.push_back(input.name);
            const auto given = std::find_if(step.with.begin(), step.with.end(),
                                            [&](const auto& pair) { return pair.first == input.name; });
            if (given == step.with.end()) {
                if (input.required && !input.default_value)
                    add_problem(problems_, step.mark, step.uses + " needs the input '" + input.name + "'",
                                "give it under 'with'");
                values[input.name] = as_expression(input.default_value.value_or(Value()));
                continue;
            }
            const Value& value = given->second;
            if (value.is_string() && expr::has_expression(value.as_string())) {
                values[input.name] = as_expression(value);
                continue;
            }
            std::string why;
            const auto typed = convert_parameter(input, value, why);
            if (!typed)
                add_problem(problems_, step.mark, "input '" + input.name + "' of " + step.uses + " " + why);
            values[input.name] = as_expression(typed.value_or(Value()));
        }
        for (const auto& [name, value] : step.with)
            if (std::find(names.begin(), names.end(), name) == names.end())
                add_problem(problems_, step.mark, step.uses + " has no input '" + name + "'",
                            did_you_mean(name, names).empty() && !names.empty() ? "its inputs: " + join(names, ", ")
                                                                                : did_you_mean(name, names));
        return values;
    }

    void call(const model::Step& step, const model::Component& component, std::vector<std::string>& chain,
              std::vector<model::Step>& into) {
        const auto given = inputs(step, component);
        const std::string id = step.id.empty() ? "_call" + std::to_string(++calls_) : step.id;
        std::set<std::string> ids;
        for (const auto& inner : component.steps)
            if (!inner.id.empty()) ids.insert(inner.id);
        const auto replace = [&](const std::vector<std::string>& path) -> std::optional<std::string> {
            const std::string root = to_lower(path[0]);
            if (root == "inputs" && path.size() == 2) {
                const auto found = given.find(path[1]);
                return found == given.end() ? "null" : found->second;
            }
            if (root == "steps" && path.size() == 2 && ids.contains(path[1])) return "steps." + id + "__" + path[1];
            return std::nullopt;
        };
        std::string last;
        for (model::Step inner : component.steps) {
            rewrite_step(inner, replace);
            if (inner.id.empty()) inner.id = "_step" + std::to_string(++steps_);
            inner.id = last = id + "__" + inner.id;
            for (auto& target : inner.targets) target = id + "__" + target;
            adopt(inner, step, component, replace);
            put(std::move(inner), chain, into);
        }
        for (const auto& [name, text] : component.outputs) outputs_[id][name] = as_expression(Value(rewrite_text(text, replace)));
        last_step_[id] = last;
        outputs_[id];
    }

    /// What the call says for all of the component's steps.
    static void adopt(model::Step& inner, const model::Step& step, const model::Component& component,
                      const PathReplacement& replace) {
        const std::string call = step.name.empty() ? component.name : step.name;
        if (!call.empty()) inner.name = inner.name.empty() ? call : call + ": " + inner.name;
        inner.condition = joined_condition(step.condition, inner.condition);
        if (step.continue_on_error.value) inner.continue_on_error.value = true;
        if (!step.continue_on_error.expression.empty() && inner.continue_on_error.expression.empty())
            inner.continue_on_error.expression = step.continue_on_error.expression;
        if (step.timeout && (!inner.timeout || *step.timeout < *inner.timeout)) inner.timeout = step.timeout;
        if (inner.working_directory.empty()) inner.working_directory = step.working_directory;
        if (inner.shell.empty()) inner.shell = step.shell;
        model::Texts env = step.env;
        for (const auto& [name, text] : component.env) env.emplace_back(name, rewrite_text(text, replace));
        env.insert(env.end(), inner.env.begin(), inner.env.end());
        inner.env = std::move(env);
    }

    /// `steps.CALL.outputs.NAME` as the component defines it; `steps.CALL.outcome` is that of its last step.
    std::optional<std::string> output(const std::vector<std::string>& path) {
        if (path.size() < 3 || to_lower(path[0]) != "steps") return std::nullopt;
        const auto call = outputs_.find(path[1]);
        if (call == outputs_.end()) return std::nullopt;
        if (path[2] != "outputs") return path.size() == 3 ? std::optional("steps." + last_step_[path[1]] + "." + path[2]) : std::nullopt;
        if (path.size() != 4) return std::nullopt;
        const auto found = call->second.find(path[3]);
        if (found == call->second.end()) return "null";
        // An output may be that of a call further in.
        return rewrite_expression(found->second, [this](const auto& inner) { return output(inner); });
    }

    const PlanRequest& request_;
    Problems& problems_;
    std::map<std::string, std::optional<model::Component>> components_;
    std::map<std::string, std::map<std::string, std::string>> outputs_;
    std::map<std::string, std::string> last_step_;
    int calls_ = 0, steps_ = 0;
};

}  // namespace

void expand_components(model::Job& job, const PlanRequest& request, Problems& problems) {
    if (std::none_of(job.steps.begin(), job.steps.end(), [](const auto& step) { return step.uses.starts_with("./"); }))
        return;
    Expansion(request, problems).job(job);
}

}  // namespace cicd::planner
