#pragma once

#include "common/job/results.hpp"
#include "daemon/runner/performer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cicd::actions {

/// `cicd-results`, for actions that bundle the official toolkit: started with the first program of one, ended with the job.
class Results {
public:
    explicit Results(runner::JobAccess& job) : job_(job) {}
    ~Results() { stop(); }
    Results(const Results&) = delete;
    Results& operator=(const Results&) = delete;

    void start_once(int step);
    /// Before a program of step `step`: where it finds the service.
    void add_variables(int step, model::Texts& env);
    /// After a program: what it kept is the job's.
    void collect();
    /// Afterwards nothing more comes.
    void end();

private:
    Result<void> start();
    void tell();
    void stop();

    runner::JobAccess& job_;
    bool failed_ = false;
    int pid_ = 0;
    os::Fd changes_, known_;
    std::uint64_t collected_ = 0;
    std::vector<model::JobArtifact> told_;  ///< what both sides know
    std::string url_, token_;
};

}  // namespace cicd::actions
