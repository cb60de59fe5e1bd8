#include "cli/render/run_progress.hpp"

#include "cli/render/text.hpp"
#include "common/base/enum_text.hpp"
#include "common/pipeline/front.hpp"

#include <algorithm>

namespace cicd::cli::render {
namespace {

// Sets the state and the times that follow from it.
template <class Part, class State>
void enter(Part& part, State state, Timestamp time, bool started) {
    part.state = state;
    if (started && !part.start_time) part.start_time = time;
    if (is_final(state)) part.end_time = time;
}

}  // namespace

void RunProgress::replace(model::Run run) {
    run_ = std::move(run);
    places_.clear();
    for (std::size_t i = 0; i < run_.jobs.size(); ++i) places_.emplace(run_.jobs[i].id.str(), i);
}

const model::JobRun* RunProgress::find_job(const JobId& id) const {
    const auto found = places_.find(id.str());
    return found == places_.end() ? nullptr : &run_.jobs[found->second];
}

model::JobRun& RunProgress::job(const model::RunEvent& event) {
    if (!event.job.empty()) {
        if (const auto found = places_.find(event.job.str()); found != places_.end()) return run_.jobs[found->second];
    } else {
        for (auto& known : run_.jobs)
            if (known.key == event.job_key) return known;
    }
    // A matrix that was expanded while the run was under way.
    auto& fresh = run_.jobs.emplace_back();
    fresh.id = event.job;
    fresh.run = event.run;
    fresh.key = event.job_key;
    fresh.stage = event.stage;
    fresh.name =
        event.job_key.starts_with(event.stage + ".") ? event.job_key.substr(event.stage.size() + 1) : event.job_key;
    places_.emplace(fresh.id.str(), run_.jobs.size() - 1);
    return fresh;
}

void RunProgress::apply(const model::RunEvent& event) {
    if (event.type == "run.state") {
        if (const auto state = from_text<model::RunState>(event.state))
            enter(run_, *state, event.time, *state == model::RunState::running);
        if (!event.message.empty()) run_.message = event.message;
    } else if (event.type == "stage.state") {
        const auto state = from_text<model::StageState>(event.state);
        for (auto& stage : run_.stages)
            if (stage.name == event.stage && state)
                enter(stage, *state, event.time, *state == model::StageState::running);
    } else if (event.type == "job.state") {
        apply_job(event);
    } else if (event.type == "step.state" && event.step) {
        apply_step(event);
    }
}

void RunProgress::apply_job(const model::RunEvent& event) {
    auto& part = job(event);
    const auto state = from_text<model::JobState>(event.state);
    if (!state) return;
    if (event.attempt > part.attempt) {
        part.attempt = event.attempt;
        part.steps.clear();
        part.start_time.reset();
        part.end_time.reset();
        tails_.erase(part.id.str());
    }
    enter(part, *state, event.time, *state == model::JobState::running);
    part.exit_code = event.exit_code;
    part.end_reason = event.end_reason;
    part.message = event.message;
    part.allow_failure = part.allow_failure || event.allow_failure;
}

void RunProgress::apply_step(const model::RunEvent& event) {
    auto& part = job(event);
    const auto state = from_text<model::StepState>(event.state);
    if (!state) return;
    auto step =
        std::find_if(part.steps.begin(), part.steps.end(), [&](const auto& s) { return s.index == *event.step; });
    if (step == part.steps.end()) {
        step = part.steps.insert(step, model::StepRun{});
        step->index = *event.step;
    }
    if (!event.name.empty()) step->name = event.name;
    enter(*step, *state, event.time, *state == model::StepState::running);
    step->exit_code = event.exit_code;
    step->end_reason = event.end_reason;
    step->message = event.message;
}

void RunProgress::apply(const contract::LogEntry& entry) {
    auto& tails = tails_[entry.job.str()];
    auto& tail = tails[entry.step];
    tail.push_back(entry.text);
    for (const std::string_view label : {"Error: ", "Warning: ", "Notice: "}) annotated_ = annotated_ || entry.text.starts_with(label);
    if (tail.size() > tail_lines) tail.pop_front();
    // Of a step that ended well nothing is needed once the next one writes.
    if (const auto* known = find_job(entry.job); known && tails.size() > 1)
        for (const auto& step : known->steps)
            if (step.index < entry.step && step.state == model::StepState::success) tails.erase(step.index);
}

std::string label_of(const model::JobRun& job) {
    return job.stage == job.name || job.stage == pipeline::only_stage ? job.name : job.stage + "/" + job.name;
}

std::string RunProgress::job_label(const JobId& id, std::string_view key) const {
    const auto* known = find_job(id);
    return known ? label_of(*known) : std::string(key);
}

std::string RunProgress::step_beside_others(const JobId& id, int index) const {
    constexpr std::size_t most = 32;
    const auto* known = find_job(id);
    if (!known) return "";
    const auto is_service = [](const model::StepRun& step) { return step.name.starts_with("service:"); };
    const auto step = std::find_if(known->steps.begin(), known->steps.end(), [&](const auto& each) { return each.index == index; });
    if (step == known->steps.end() || !step->start_time || is_service(*step)) return "";
    const auto before = [](const std::optional<Timestamp>& start, const std::optional<Timestamp>& end) { return start && (!end || *start < *end); };
    for (const auto& other : known->steps)
        if (&other != &*step && !is_service(other) && before(other.start_time, step->end_time) && before(step->start_time, other.end_time))
            return fit(as_one_line(step->name), most);
    return "";
}

std::vector<std::string> RunProgress::last_lines(const JobId& job, int step) const {
    std::vector<std::string> lines;
    const auto found = tails_.find(job.str());
    if (found == tails_.end()) return lines;
    for (const auto& [index, tail] : found->second)
        if (step < 0 || index == step) lines.insert(lines.end(), tail.begin(), tail.end());
    if (lines.size() > tail_lines) lines.erase(lines.begin(), lines.end() - tail_lines);
    return lines;
}

const model::StepRun* failed_step(const model::JobRun& job) {
    const model::StepRun* found = nullptr;
    for (const auto& step : job.steps) {
        if (step.state != model::StepState::failed) continue;
        found = &step;
        if (job.message.starts_with("step '" + step.name + "': ")) break;  // others may have failed after it
    }
    return found;
}

std::string end_text(const model::JobRun& job) {
    if (!job.end_reason) return job.message.empty() ? std::string(to_text(job.state)) : job.message;
    std::string text;
    switch (*job.end_reason) {
        case model::EndReason::exit:
            text = job.exit_code ? "exit code " + std::to_string(*job.exit_code) : "it exited";
            break;
        case model::EndReason::signal:
            text = "ended by a signal";
            if (job.exit_code) text += " (exit code " + std::to_string(*job.exit_code) + ")";
            break;
        case model::EndReason::timeout:
            text = "timeout";
            break;
        case model::EndReason::oom:
            text = "out of memory";
            break;
        case model::EndReason::cancelled:
            text = "cancelled";
            break;
        case model::EndReason::superseded:
            text = "superseded by a newer run";
            break;
        case model::EndReason::lost:
            text = "lost: its runner died";
            break;
        case model::EndReason::infra:
            text = "its place could not be prepared";
            break;
        case model::EndReason::policy:
            text = "forbidden by a policy";
            break;
    }
    // The message may tell it already, and more: "step 'make': exit code 2".
    if (job.message.find(text) != std::string::npos) return job.message;
    if (!job.message.empty()) text += ": " + job.message;
    return text;
}

std::string failure_text(const model::JobRun& job) {
    const auto* step = failed_step(job);
    if (!step || job.end_reason != model::EndReason::exit || !job.exit_code) return end_text(job);
    constexpr std::size_t most_of_name = 48;
    auto text = "exit code " + std::to_string(*job.exit_code) + " in step " + std::to_string(step->index + 1);
    if (!step->name.empty())
        text += " '" + fit(as_one_line(step->name.substr(0, step->name.find('\n'))), most_of_name) + "'";
    return text;
}

}  // namespace cicd::cli::render
