#pragma once

#include "common/job/file.hpp"
#include "common/job/job_directory.hpp"

/// What only the runner does to a job directory, and who starts it on its behalf.
namespace cicd::job {

/// Locks the job directory, close-on-exec. It is locked as long as any copy of the descriptor is open, so who starts a runner
/// does this and passes the descriptor on: then there is no moment at which a runner is under way and the directory looks
/// as if there were none. Refused (kind conflict) where it is locked.
Result<File> lock_for_runner(const Paths& paths);

/// Proof that this process is the job's runner, for as long as it lives. Programs that it starts do not inherit it.
class RunnerLock {
public:
    /// `given`: what lock_for_runner gave who started us, or nothing. Refused where another runner holds the lock, or where
    /// one has been here before: nothing runs twice.
    static Result<RunnerLock> take(const Paths& paths, File given = {});

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
