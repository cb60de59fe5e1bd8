#pragma once

#include "common/model/job_spec.hpp"
#include "common/model/run.hpp"
#include "common/model/secret.hpp"
#include "daemon/store/store.hpp"

#include <string>

/// `reuse: true`: a job whose inputs were seen to succeed has that result. Pure, but for the questions that are asked of
/// others: what a job is compared by, and what comes of it.
namespace cicd::scheduler {

/// Asked once all that a job needs has ended.
struct InputsQuestion {
    int attempt = 1;
    model::JobSpec spec;
    model::Strings references;  ///< of its texts (planner::references_of)
    model::Source source;
    model::SecretPlace place;
    store::NewResult result;    ///< whose it would be; without a digest
    bool may_reuse = true;
};

/// What is outside of the plan.
struct Surroundings {
    model::Texts secrets;  ///< a version of each that the job is given
    std::string host;      ///< of what a job sees of the machine; empty where it sees nothing of it
};

/// The parts and their digests: tree, steps, env, settings, values, matrix, image, artifacts, secrets, host.
model::JobInputs inputs_of(const InputsQuestion& question, const Surroundings& around);

/// Which parts are not the same: "steps and env".
std::string differences(const model::JobInputs& now, const model::JobInputs& before);

/// Completes the inputs by what came of them. `kept` tells whether all content of a result is still there.
model::JobInputs decide_reuse(model::JobInputs inputs, const InputsQuestion& question, const store::KnownResults& known, bool kept);

/// Pull requests have results of their own: what one of them made is nobody else's.
std::string result_scope(const model::Event& event);

/// What a job of that executor sees of this machine: /usr and what is installed there, by inode and time. Cheap.
std::string host_identity();

}  // namespace cicd::scheduler
