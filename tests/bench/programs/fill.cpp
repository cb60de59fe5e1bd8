#include "daemon/store/store.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <string_view>

/// cicd-bench-fill STATE.DB COUNT: puts so many ended runs of one stage and one job into a state file, through the store
/// itself, so that what a daemon does with many stored runs can be measured.
namespace {

using namespace cicd;

constexpr int in_one_transaction = 1000;
constexpr auto apart = std::chrono::seconds(60);

store::NewRun ended_run(store::Store& store, int number, Timestamp created) {
    const auto started = created + Milliseconds(3);
    const auto ended = started + Milliseconds(20 + number % 500);
    const bool failed = number % 20 == 0;
    store::NewRun item;
    auto& run = item.run;
    run.id = store.next_run_id();
    run.pipeline = "filled-" + std::to_string(number % 10);
    run.state = failed ? model::RunState::failed : model::RunState::success;
    run.triggered_by = "bench";
    run.source.repository = "/srv/repositories/filled";
    run.source.name = "filled";
    run.source.branch = number % 3 == 0 ? "main" : "feature/" + std::to_string(number % 50);
    run.source.commit = std::string(40, static_cast<char>('a' + number % 6));
    run.source.message = "Change " + std::to_string(number);
    run.event.branch = run.source.branch;
    run.created_time = created;
    run.start_time = started;
    run.end_time = ended;
    run.stages.push_back({"build", failed ? model::StageState::failed : model::StageState::success, started, ended, {}});

    model::JobRun job;
    job.id = store.next_job_id();
    job.run = run.id;
    job.key = "build.build";
    job.name = job.stage = "build";
    job.state = failed ? model::JobState::failed : model::JobState::success;
    job.created_time = job.queued_time = created;
    job.start_time = started;
    job.end_time = ended;
    job.exit_code = failed ? 1 : 0;
    job.end_reason = model::EndReason::exit;
    job.outputs = Object();
    model::StepRun step;
    step.name = "make";
    step.state = failed ? model::StepState::failed : model::StepState::success;
    step.start_time = started;
    step.end_time = ended;
    step.exit_code = job.exit_code;
    job.steps.push_back(step);
    run.jobs.push_back(job);

    item.plan.pipeline = run.pipeline;
    item.plan.source = run.source;
    item.plan.event = run.event;
    item.plan.params = Object();
    item.plan.stages.push_back({.name = "build"});
    item.definition = "name: " + run.pipeline + "\nstages:\n  - {name: build, commands: [make]}\n";
    return item;
}

void add_events(const model::Run& run, std::vector<model::RunEvent>& events) {
    std::int64_t seq = 0;
    const auto add = [&](const char* type, Timestamp time, std::string_view state) -> model::RunEvent& {
        auto& event = events.emplace_back();
        event.seq = ++seq;
        event.run = run.id;
        event.time = time;
        event.type = type;
        event.state = state;
        return event;
    };
    add("run.state", *run.created_time, "queued");
    add("run.state", *run.start_time, "running");
    const auto& job = run.jobs.front();
    for (const auto& [time, state] : {std::pair{*job.start_time, std::string_view("running")},
                                      std::pair{*job.end_time, to_text(job.state)}}) {
        auto& event = add("job.state", time, state);
        event.job = job.id;
        event.job_key = job.key;
        event.stage = job.stage;
    }
    add("run.state", *run.end_time, to_text(run.state));
}

int fill(const char* file, int count) {
    auto store = store::Store::open(file);
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().message.c_str());
        return 1;
    }
    auto created = SystemClock().now() - count * apart;
    for (int done = 0; done < count;) {
        store::Changes changes;
        for (const int end = std::min(count, done + in_one_transaction); done < end; ++done) {
            created += apart;
            changes.new_runs.push_back(ended_run(**store, done, created));
            add_events(changes.new_runs.back().run, changes.events);
        }
        if (const auto applied = (*store)->apply(changes); !applied) {
            std::fprintf(stderr, "%s\n", applied.error().message.c_str());
            return 1;
        }
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    int runs = 0;
    const std::string_view number = count == 3 ? arguments[2] : "";
    if (std::from_chars(number.data(), number.data() + number.size(), runs).ec != std::errc() || runs < 0) {
        std::fputs("usage: cicd-bench-fill STATE.DB COUNT\n", stderr);
        return 2;
    }
    try {
        return fill(arguments[1], runs);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-bench-fill: %s\n", error.what());
        return 1;
    }
}
