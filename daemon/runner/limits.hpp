#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/os/cgroup.hpp"
#include "daemon/os/spawn.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace cicd::runner {

/// So many processes and threads a job may have that says nothing else: enough for any build, too few to take a machine.
constexpr int default_pids = 4096;

/// What holds a job: a control group where one can be made, else limits of its processes. This process stays outside.
class Limits {
public:
    static Limits open(const model::JobSpec& spec);
    Limits(Limits&&) = default;
    Limits& operator=(Limits&&) = delete;
    /// Ends what is left in the group and removes it.
    ~Limits();

    /// Of a container: its engine holds it. `watch` finds what counts it, by one of its processes.
    static Limits of_engine(const model::JobSpec& spec) { return Limits(spec.limits); }
    void watch(int pid) { group_ = os::Group::of_process(pid); }

    /// Before the job's first process is started. `counted`: it gets a user namespace, in which its processes count.
    void put_on(os::SpawnOptions& options, bool counted) const;
    /// What declared limits are not held, and why; empty: all are.
    [[nodiscard]] const std::string& weakness() const { return weakness_; }

    /// The whole job's, where the group knows it better than `known`.
    [[nodiscard]] model::Usage usage(model::Usage known) const;
    /// Once for each time that the kernel killed for want of memory since it was asked last: peak and limit.
    std::optional<std::string> take_oom();
    void kill_all() const;

private:
    explicit Limits(const model::JobLimits& declared) : declared_(declared) {}

    model::JobLimits declared_;
    std::optional<os::Group> group_;
    std::string weakness_;
    std::int64_t oom_kills_ = 0;
};

}  // namespace cicd::runner
