#pragma once

#include "common/contract/requests.hpp"
#include "common/model/run.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace cicd::cli::render {

/// A run as far as its events have told it. Pure: what is drawn of it is somebody else's.
class RunProgress {
public:
    explicit RunProgress(model::Run run) : run_(std::move(run)) {}

    void apply(const model::RunEvent& event);
    /// Remembers the last lines of each job's step.
    void apply(const contract::LogEntry& entry);
    /// What the daemon says in the end; the remembered lines stay.
    void replace(model::Run run) { run_ = std::move(run); }

    [[nodiscard]] const model::Run& run() const { return run_; }
    /// "test/unit (3.9)", or the key where the job is not known.
    [[nodiscard]] std::string job_label(const JobId& id, std::string_view key) const;
    /// The last lines (at most 10) that the step wrote; of the whole job for step -1.
    [[nodiscard]] std::vector<std::string> last_lines(const JobId& job, int step) const;

private:
    model::JobRun& job(const model::RunEvent& event);

    model::Run run_;
    std::map<JobId, std::deque<std::pair<int, std::string>>> tails_;
};

/// The step that made the job fail; null where none did.
const model::StepRun* failed_step(const model::JobRun& job);
/// "exit code 7", "signal 9", "ended after its timeout", …: why a job ended as it did.
std::string end_text(const model::JobRun& job);

}  // namespace cicd::cli::render
