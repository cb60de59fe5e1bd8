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
    /// Visible to followers at once, durable after the next `sync`.
    Result<void> append(const model::JournalEntry& entry);
    Result<void> sync();

private:
    JournalWriter(File file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}
    File file_;
    std::filesystem::path path_;
    bool dirty_ = false;
};

}  // namespace cicd::job
