#include "common/base/text.hpp"
#include "daemon/runner/job.hpp"

#include <algorithm>
#include <utility>

/// Steps in the background. Each works with what there was when it began; what it left is the job's once it was waited for.
namespace cicd::runner {
namespace {

/// As many as GitHub runs at the same time; more wait for one of them.
constexpr int most_behind = 10;

}  // namespace

void Job::send_off(int index, const Context& before, bool may_fail) {
    if (performer_ && !spec_.steps[static_cast<std::size_t>(index)].uses.empty()) performer_->share(index);
    auto& one = *background_.emplace_back(std::make_unique<Background>(
        Background{.index = index, .may_fail = may_fail,
                   .local = {.context = context_, .path = local_.path, .learned = {}, .step = index}, .path_before = local_.path.size()}));
    one.errand = std::make_unique<Errand>([this, &one, before] { work(one, before); }, [this, &one] { std::swap(local_, one.local); });
    context_ = before;
    one.errand->go_on();
}

void Job::work(Background& one, const Context& before) {
    const auto step = static_cast<std::uint32_t>(one.index);
    supervisor_->await([&] { return running_behind_ < most_behind || supervisor_->stop_of(step); });
    if (const auto stop = supervisor_->stop_of(step)) {
        one.end = {.state = model::StepState::cancelled, .reason = stop->reason, .message = stop->message};
        return tell_end(one.index, one.end, false);
    }
    ++running_behind_;
    begin_step(one.index);
    one.end = perform(one.index, spec_.steps[static_cast<std::size_t>(one.index)], before, false);
    --running_behind_;
    if (one.cancelled && one.end.state == model::StepState::failed) {
        one.end.state = model::StepState::cancelled;
        one.end.reason = model::EndReason::cancelled;
    }
    one.may_fail = one.may_fail && one.end.forgivable;
    tell_end(one.index, one.end, one.may_fail && one.end.state == model::StepState::failed);
}

std::vector<Job::Background*> Job::targets_of(const model::Step& step) {
    std::vector<Background*> targets;
    for (const auto& one : background_) {
        const auto& behind = spec_.steps[static_cast<std::size_t>(one->index)];
        const bool named = std::find(step.targets.begin(), step.targets.end(), behind.id) != step.targets.end();
        const bool meant = step.control == model::StepControl::wait_all || (step.parallel > 0 ? behind.parallel == step.parallel : named);
        if (meant && !one->counted) targets.push_back(one.get());
    }
    return targets;
}

void Job::await(const std::vector<Background*>& all) {
    supervisor_->await([&] { return std::all_of(all.begin(), all.end(), [](const auto* one) { return one->errand->is_over(); }); });
}

bool Job::count(Background& one, bool may_fail) {
    one.counted = true;
    const auto added = one.local.path.size() - std::min(one.local.path.size(), one.path_before);
    learn(one.local.learned, {});
    local_.path.insert(local_.path.begin(), one.local.path.begin(), one.local.path.begin() + static_cast<std::ptrdiff_t>(added));
    const bool forgiven = one.may_fail && one.end.state == model::StepState::failed;
    count_end(one.index, one.end, forgiven || may_fail);
    return one.end.state != model::StepState::failed || forgiven;
}

/// It waits whatever has failed before: a step in the background may need the end of the job's others.
void Job::control_step(int index) {
    const auto& step = spec_.steps[static_cast<std::size_t>(index)];
    const auto may_fail = context_.truth(step.continue_on_error);
    begin_step(index);
    const auto targets = targets_of(step);
    const bool cancels = step.control == model::StepControl::cancel;
    for (auto* one : targets) {
        if (!cancels || one->errand->is_over()) continue;
        one->cancelled = true;
        supervisor_->end_step(static_cast<std::uint32_t>(one->index),
                              {model::EndReason::cancelled, "ended by step '" + exit_.steps[static_cast<std::size_t>(index)].name + "'"});
    }
    await(targets);
    StepEnd end{.exit_code = 0};
    std::vector<std::string> failed;
    for (auto* one : targets) {
        // One that had failed before it was to be cancelled lets the job fail when that ends, as GitHub does it.
        if (cancels && one->end.state == model::StepState::failed) continue;
        if (!count(*one, may_fail && *may_fail)) failed.push_back(title(one->index));
    }
    if (!failed.empty()) end = {.state = model::StepState::failed, .message = "failed: " + join(failed, ", "), .exit_code = 1};
    if (!may_fail) end = failure(index, may_fail.error());
    end_step(index, end, may_fail && *may_fail);
}

void Job::finish_background() {
    std::vector<Background*> left;
    for (const auto& one : background_)
        if (!one->counted) left.push_back(one.get());
    await(left);
    for (auto* one : left) count(*one, false);
}

}  // namespace cicd::runner
