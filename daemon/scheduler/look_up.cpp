#include "daemon/scheduler/loop.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>

/// What is known of a job's inputs: read on the pool, told to the core as an event.
namespace cicd::scheduler {

namespace asio = async::asio;

namespace {

Result<InputsKnown> find_result(store::Store& store, const SchedulerOptions& options, InputsQuestion question) {
    Surroundings around;
    if (!question.spec.secrets.empty() && options.secret_versions) {
        CICD_TRY(around.secrets, options.secret_versions(question.spec.secrets, question.place));
    }
    around.host = host_identity();
    auto inputs = inputs_of(question, around);
    question.result.digest = inputs.digest;
    CICD_TRY(auto known, store.results(question.result));
    const auto kept = [&](const model::JobArtifact& artifact) { return options.is_kept && options.is_kept(artifact.digest); };
    const bool whole = known.same && std::all_of(known.same->artifacts.begin(), known.same->artifacts.end(), kept);
    InputsKnown answer{question.spec.job, question.attempt, decide_reuse(std::move(inputs), question, known, whole), {}};
    if (!answer.inputs.from.empty()) answer.same = std::move(known.same);
    return answer;
}

/// Where that cannot be told, the job simply runs.
InputsKnown answer_to(store::Store& store, const SchedulerOptions& options, const InputsQuestion& question) {
    std::string why;
    try {
        auto found = find_result(store, options, question);
        if (found) return std::move(*found);
        why = found.error().message;
    } catch (const std::exception& bug) {
        why = bug.what();
    }
    InputsKnown unknown{question.spec.job, question.attempt, {}, {}};
    unknown.inputs.decision = "not reused: " + why;
    return unknown;
}

}  // namespace

void Scheduler::look_up(InputsQuestion question) {
    asio::post(parts_.pool, [this, &store = parts_.store, options = options_, question = std::move(question),
                             alive = std::weak_ptr(alive_), io = parts_.io] {
        auto answer = answer_to(store, options, question);
        asio::post(io, [this, alive, answer = std::move(answer)]() mutable {
            if (!alive.expired()) submit(std::move(answer));
        });
    });
}

}  // namespace cicd::scheduler
