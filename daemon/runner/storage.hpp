#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/runner/output.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cicd::runner {

/// Adds up what files below a folder take on disk, a few at a time, so that nobody waits for it.
class DiskUse {
public:
    explicit DiskUse(const std::filesystem::path& folder);
    ~DiskUse();
    DiskUse(DiskUse&&) noexcept;
    DiskUse& operator=(DiskUse&&) noexcept;
    /// True once all is counted.
    bool go_on(std::chrono::microseconds budget);
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    /// Folders are nested deeper than can be followed: what is below them is not in `bytes`.
    [[nodiscard]] bool too_deep() const { return too_deep_; }

private:
    struct Level;
    std::vector<Level> levels_;
    std::uint64_t bytes_ = 0;
    bool too_deep_ = false;
};

/// Watches how much a job writes. Project quotas would be exact, but need a mount option that few systems have and rights
/// that few users have; a tmpfs would turn disk into memory. So the job's own files are counted (with overlays: just what
/// it wrote), at the pace in which the fastest disk could fill what is left, for at most a twentieth of a CPU. What a
/// writer gains between two counts is bounded by RLIMIT_FSIZE for one file and by the reserve for all of them.
class Storage {
public:
    Storage(const model::JobSpec& spec, std::filesystem::path job_directory);
    /// Once the place is ready: the workspace as the job sees it, beside which /tmp and the home are found.
    void found(const std::filesystem::path& workspace) { seen_ = workspace; }
    [[nodiscard]] SteadyTime due() const { return due_; }
    /// Goes on counting; why the job has to end, once it has.
    std::optional<std::string> check(SteadyTime now);
    /// At the end of a step: counts to the end. Nothing where no limit was declared.
    std::optional<std::string> check_now();

private:
    std::optional<std::string> judge(std::uint64_t written);
    [[nodiscard]] std::uint64_t in_memory() const;

    std::optional<std::uint64_t> limit_;
    std::filesystem::path job_directory_, counted_, seen_;
    std::uint64_t before_ = 0;  ///< what was in the workspace when the job got it
    std::optional<DiskUse> running_;
    SteadyTime started_, due_;
    bool short_of_space_ = false;
    std::uint64_t free_ = 0;
};

}  // namespace cicd::runner
