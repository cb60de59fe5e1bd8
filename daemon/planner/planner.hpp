#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"
#include "common/model/plan.hpp"
#include "common/model/secret.hpp"
#include "common/pipeline/front.hpp"

#include <functional>
#include <string>
#include <vector>

/// pipeline + event → plan, with the reason for every decision. Pure.
namespace cicd::planner {

struct PlanRequest {
    model::Event event;
    model::Source source;
    std::vector<std::pair<std::string, std::string>> params;  ///< texts, converted to the parameter's type
    std::vector<std::pair<std::string, std::string>> vars;
    std::vector<std::pair<std::string, std::string>> env;     ///< below the pipeline's own
    std::vector<std::pair<std::string, std::string>> matrix;  ///< only combinations with one of the values given for an axis
    std::vector<std::pair<std::string, std::string>> actions; ///< see model::Plan
    std::vector<std::string> stages, jobs;                    ///< selection; empty: everything
    std::string from_stage;                                   ///< what is not this stage or after it counts as successful
    bool allow_host_executor = false;                         ///< the user's configuration allows it
    std::string memory_weakness, cpu_weakness;                ///< why a limit does not hold exactly here; or empty
    bool may_copy_system = false;                             ///< this machine's system can be a job's own, as the daemon is root's
    std::function<std::string()> users_weakness;              ///< why a writable system has but one user here, and what to do; or empty
    std::string way_out_weakness;                             ///< why a network of its own has no way out here; or empty
    /// Reads a file of the repository at the planned revision, for `uses: ./…` and `include`.
    std::function<Result<std::string>(const std::string& path)> read_file;
    /// The secrets that exist for the run, asked where a text reads one: a missing one fails the plan. Not set: nobody can
    /// tell, and a notice says so.
    std::function<Result<std::vector<model::KnownSecret>>()> secrets;
    /// Where jobs go whose language names a place by labels: label → "machine", "none" or an image.
    model::Texts labels = {};
    /// An image's name with its digest, so that all jobs of the run get the same; absent: it stays as it is named.
    std::function<Result<std::string>(const model::Image& image, model::ExecutorKind executor)> pin_image;
};

/// Fails (kind invalid, code PIPELINE_006, with problems) where a parameter is wrong, a need is missing, an expression
/// cannot be evaluated, or the definition asks for something that is not available yet.
Result<model::Plan> make_plan(const model::Pipeline& pipeline, const PlanRequest& request);

/// Expands a matrix whose values only became known when the needs had ended. `contexts` holds `needs`.
Result<std::vector<model::PlannedJob>> expand_matrix(const model::PlannedJob& job, const Object& contexts);

/// Whether a trigger lets the event through, with the filter that decided.
model::Reason match_trigger(const model::Trigger& trigger, const model::Event& event);

/// Whether a job that is skipped for this reason is taken for one that succeeded, with empty outputs.
bool counts_as_successful(const model::Reason& reason);

/// The names of the secrets that a job's texts read, model::all_secrets among them where one is read by a computed name.
model::Strings secrets_of(const model::Texts& pipeline_env, const model::Texts& stage_env, const model::Job& job);

/// The paths that a job's texts read, such as "params.level" or "needs.build.outputs.version"; a computed index ends a path.
/// Those of its own steps, of `env` and of secrets are left out.
model::Strings references_of(const model::Texts& pipeline_env, const model::Texts& stage_env, const model::Job& job);

/// The contexts that do not change during a run: params, vars, git, run, inputs, and those of the pipeline's dialect.
Object run_contexts(const model::Plan& plan, const pipeline::RunFacts& facts = {});

}  // namespace cicd::planner
