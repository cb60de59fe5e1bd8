#pragma once

#include "common/job/file.hpp"
#include "common/job/job_directory.hpp"

/// What only the runner does to a job directory.
namespace cicd::job {

/// Proof that this process is the job's runner, for as long as it lives. Children do not inherit it.
class RunnerLock {
public:
    /// Refused where another runner holds the lock, or where one has been here before: nothing runs twice.
    static Result<RunnerLock> take(const Paths& paths);

private:
    explicit RunnerLock(File file) : file_(std::move(file)) {}
    File file_;
};

class JournalWriter {
public:
    static Result<JournalWriter> open(const Paths& paths);
    /// Visible to followers at once. What the daemon has stored of it is durable, no more.
    Result<void> append(const model::JournalEntry& entry);

private:
    JournalWriter(File file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}
    File file_;
    std::filesystem::path path_;
};

}  // namespace cicd::job
