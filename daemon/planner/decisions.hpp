#pragma once

#include "common/expr/expression.hpp"
#include "common/pipeline/rewrite.hpp"
#include "daemon/planner/planner.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The parts of planning, one file each. Private to this folder.
namespace cicd::planner {

using Problems = std::vector<Diagnostic>;
void add_problem(Problems& problems, const model::Mark& mark, std::string message, std::string suggestion = {});

// parameters.cpp
/// Texts and defaults as values of their types; every problem is added.
Object resolve_parameters(const std::vector<model::Parameter>& parameters,
                          const std::vector<std::pair<std::string, std::string>>& given, Problems& problems);
/// The value as that type, from a text or as it is. Nothing: it does not fit, and `why` says so.
std::optional<Value> convert_parameter(const model::Parameter& parameter, const Value& given, std::string& why);

// images.cpp
/// With what is in `${{ }}`, where that can be evaluated.
Result<std::string> image_name(const std::string& name, const Object& contexts);
/// Where it says none: an image is run without an engine, which is faster and needs nothing, but for what only an engine does.
model::ExecutorKind executor_of(const model::Job& job);
/// Gives each image that runs the digest that it has now.
void pin_images(model::Plan& plan, const PlanRequest& request, Problems& problems);

// triggers.cpp
model::Reason decide_trigger(const model::Pipeline& pipeline, const model::Event& event);

// conditions.cpp
/// What a condition says before anything ran. `waits` names what it follows, for the reason's text.
Result<model::Reason> decide_condition(const std::string& condition, const Object& contexts, const std::string& waits);
/// Whether a text can be evaluated before the run: no needs, steps, job, runner, secrets and no run.id.
bool is_static(const std::string& text);
/// Evaluates a list of texts in order into an `env` context; nothing where one is not static.
std::optional<Object> static_env(const std::vector<const model::Texts*>& layers, const Object& contexts);

// concurrency.cpp
/// Puts the names of groups, and whether they cancel, in the place of expressions that are known now.
void resolve_concurrency(model::Concurrency& given, const Object& contexts, bool of_job, const model::Mark& mark,
                         Problems& problems);

// matrix.cpp
/// Every combination; nothing where an expression is not static (and `contexts` has no needs).
Result<std::optional<std::vector<Object>>> matrix_combinations(const model::Matrix& matrix, const Object& contexts,
                                                               bool needs_known);
/// Those that have, for each axis named, one of the values given for it, which are lines of one text.
std::vector<Object> choose_combinations(std::vector<Object> all, const std::vector<std::pair<std::string, std::string>>& wanted);
/// Why a job cannot run on this machine, by what its language asks for; nothing where it can, or where that is not known.
std::optional<std::string> place_refusal(const model::Job& job, const Object& contexts);
/// What the user's map says of a job's labels: no place, an image, or this machine whatever the label says otherwise.
void settle_labels(model::Job& job, const Object& contexts, const model::Texts& map);
/// One job for each combination.
std::vector<model::PlannedJob> expand_combinations(const model::PlannedJob& job, const std::vector<Object>& combinations);

using pipeline::as_expression;
using pipeline::for_each_text;
using pipeline::PathReplacement;
using pipeline::rewrite_expression;
using pipeline::rewrite_job;
using pipeline::rewrite_step;
using pipeline::rewrite_text;

// components.cpp
/// Puts the steps of the repository's own components in place of `uses: ./…`.
void expand_components(model::Job& job, const PlanRequest& request, Problems& problems);

// includes.cpp
void merge_includes(model::Pipeline& pipeline, const PlanRequest& request, Problems& problems);

// availability.cpp
/// Everything the definition asks for that cannot be executed yet.
void check_availability(const model::Pipeline& pipeline, const PlanRequest& request, Problems& problems,
                        model::Strings& notices);

// secrets.cpp
/// Calls back with the name of each secret that a text reads, or model::all_secrets. `bare`: the whole text is one
/// expression. What cannot be parsed reads nothing; whoever evaluates it says what is wrong.
void for_each_secret(const std::string& text, bool bare, const std::function<void(const std::string& name)>& found);

// selection.cpp
/// Skips what is not selected, given what is and what that needs.
void apply_selection(model::Plan& plan, const PlanRequest& request, Problems& problems);
/// `--from`: what is neither that stage nor after it counts as successful.
void apply_from(model::Plan& plan, const std::string& stage, Problems& problems);

}  // namespace cicd::planner
