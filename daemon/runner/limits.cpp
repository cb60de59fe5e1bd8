#include "daemon/runner/limits.hpp"

#include "common/base/text.hpp"
#include "common/base/time.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace cicd::runner {
namespace {

/// Of several victims the kernel takes a job's process before the daemon, a runner or somebody's editor.
constexpr int victim_score = 500;

}  // namespace

Limits Limits::open(const model::JobSpec& spec) {
    Limits limits(spec.limits);
    const auto& declared = spec.limits;
    auto group = os::Group::create(spec.job.str() + "-" + std::to_string(spec.attempt),
                                   {declared.memory, declared.pids.value_or(default_pids), declared.cpu});
    if (group) {
        limits.group_ = std::move(*group);
        if (declared.cpu && !limits.group_->limits_cpu())
            limits.weakness_ = "cpu is not limited: " + os::limits_weakness("cpu");
        return limits;
    }
    std::vector<std::string> weak;
    if (declared.memory) weak.push_back("memory is limited for each process, not for the job");
    if (declared.pids && spec.executor == model::ExecutorKind::host) weak.push_back("pids is not limited");
    if (declared.cpu) weak.push_back("cpu is not limited");
    if (!weak.empty()) limits.weakness_ = join(weak, ", ") + ": " + group.error().message;
    return limits;
}

Limits::~Limits() {
    if (group_) group_->remove();
}

void Limits::put_on(os::SpawnOptions& options, bool counted) const {
    options.oom_score = victim_score;
    // One file larger than the job may write is refused at once, before anybody measures. Of the rest: see Storage.
    if (declared_.storage) options.limits.emplace_back(RLIMIT_FSIZE, *declared_.storage);
    if (group_) {
        options.groups = group_->entries();
        return;
    }
    // RLIMIT_AS would stop whoever reserves addresses that it never uses, as Go, Java and sanitizers do.
    if (declared_.memory) options.limits.emplace_back(RLIMIT_DATA, *declared_.memory);
    if (counted) options.limits.emplace_back(RLIMIT_NPROC, declared_.pids.value_or(default_pids));
}

model::Usage Limits::usage(model::Usage known) const {
    if (!group_) return known;
    const auto used = group_->usage();
    // The group also counts what nobody waited for, and the place itself.
    if (used.cpu_us) known.cpu_ms = std::max(known.cpu_ms, *used.cpu_us / 1000);
    if (used.peak_memory) known.peak_memory = *used.peak_memory;
    return known;
}

std::optional<std::string> Limits::take_oom() {
    if (!group_) return std::nullopt;
    const auto used = group_->usage();
    if (used.oom_kills <= oom_kills_) return std::nullopt;
    oom_kills_ = used.oom_kills;
    const auto peak = humanize_size(static_cast<std::uint64_t>(used.peak_memory.value_or(0)));
    if (declared_.memory) return "killed: used " + peak + " of " + humanize_size(*declared_.memory);
    return "killed: the machine ran out of memory; the job used " + peak;
}

void Limits::kill_all() const {
    if (group_) group_->kill_all();
}

}  // namespace cicd::runner
