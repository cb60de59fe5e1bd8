#include "common/job/runner_files.hpp"

#include "common/codec/json.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace cicd::job {
namespace {

/// Field 22 of /proc/self/stat; the name before it may hold spaces and parentheses.
std::string own_start_time() {
    const auto stat = read_whole("/proc/self/stat", 4096);
    if (!stat || !*stat) return "0";
    auto at = (*stat)->rfind(')');
    for (int field = 2; field < 22 && at != std::string::npos; ++field) at = (*stat)->find(' ', at + 1);
    if (at == std::string::npos) return "0";
    return (*stat)->substr(at + 1, (*stat)->find(' ', at + 1) - at - 1);
}

}  // namespace

Result<File> lock_for_runner(const Paths& paths) {
    File file(::open(paths.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!file.is_open()) return system_error("open", paths.lock());
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(file.fd(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return conflict("JOB_007", "another runner already has the job in " + paths.root.string());
        return system_error("lock", paths.lock());
    }
    return file;
}

Result<RunnerLock> RunnerLock::take(const Paths& paths, File given) {
    File file = std::move(given);
    if (!file.is_open()) {
        CICD_TRY(file, lock_for_runner(paths));
    }
    if (::access(paths.pid().c_str(), F_OK) == 0)
        return conflict("JOB_007", "the job in " + paths.root.string() + " has been run before",
                        "a further attempt needs a job directory of its own");
    CICD_CHECK(write_atomically(paths.pid(), std::to_string(::getpid()) + " " + own_start_time() + "\n"));
    return RunnerLock(std::move(file));
}

Result<JournalWriter> JournalWriter::open(const Paths& paths) {
    CICD_TRY(auto file, open_for_append(paths.journal()));
    return JournalWriter(std::move(file), paths.journal());
}

Result<void> JournalWriter::append(const model::JournalEntry& entry) {
    std::string line = codec::to_json(codec::encode(entry)) + "\n";
    iovec piece{line.data(), line.size()};
    return write_all(file_.fd(), std::span(&piece, 1), path_);
}

}  // namespace cicd::job
