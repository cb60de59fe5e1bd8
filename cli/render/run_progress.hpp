#pragma once

#include "cli/render/expectations.hpp"
#include "common/contract/requests.hpp"
#include "common/model/run.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cicd::cli::render {

/// A run as far as its events have told it. Pure: what is drawn of it is somebody else's.
class RunProgress {
public:
    /// How many of a step's last lines are kept for the summary.
    static constexpr std::size_t tail_lines = 15;

    explicit RunProgress(model::Run run) { replace(std::move(run)); }

    void apply(const model::RunEvent& event);
    /// Remembers the last lines of each job's steps.
    void apply(const contract::LogEntry& entry);
    /// What the daemon says in the end; the remembered lines stay.
    void replace(model::Run run);
    void expect(Expectations expectations) { expected_ = std::move(expectations); }
    void set_cancelling() { cancelling_ = true; }

    [[nodiscard]] const model::Run& run() const { return run_; }
    [[nodiscard]] const Expectations& expected() const { return expected_; }
    /// Somebody here asked for it, and it has not ended yet.
    [[nodiscard]] bool cancelling() const { return cancelling_ && !is_final(run_.state); }
    /// Steps may have made annotations, of which events do not tell: each has its line in the log.
    [[nodiscard]] bool annotated() const { return annotated_; }
    /// Null where it is not known.
    [[nodiscard]] const model::JobRun* find_job(const JobId& id) const;
    /// "test/unit (3.9)", or the key where the job is not known.
    [[nodiscard]] std::string job_label(const JobId& id, std::string_view key) const;
    /// Its name where another step of its job ran at the same time; services count as none.
    [[nodiscard]] std::string step_beside_others(const JobId& id, int index) const;
    /// The last lines that the step wrote; of the whole job for step -1.
    [[nodiscard]] std::vector<std::string> last_lines(const JobId& job, int step) const;

private:
    using Tails = std::map<int, std::deque<std::string>>;  ///< by step

    model::JobRun& job(const model::RunEvent& event);
    void apply_job(const model::RunEvent& event);
    void apply_step(const model::RunEvent& event);

    model::Run run_;
    Expectations expected_;
    bool cancelling_ = false, annotated_ = false;
    std::unordered_map<std::string, std::size_t> places_;  ///< of jobs in the run, by id
    std::unordered_map<std::string, Tails> tails_;         ///< by the job's id
};

/// "build", where stage and job are called alike; else "test/unit (3.9)".
std::string label_of(const model::JobRun& job);
/// The step that made the job fail; null where none did.
const model::StepRun* failed_step(const model::JobRun& job);
/// "exit code 7", "signal 9", "ended after its timeout", …: why a job ended as it did.
std::string end_text(const model::JobRun& job);
/// The same for one line: "exit code 7 in step 2 'make'", however long the command is.
std::string failure_text(const model::JobRun& job);

}  // namespace cicd::cli::render
