#include "daemon/objects/partial.hpp"

#include "daemon/objects/caches.hpp"
#include "daemon/objects/sha256.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cicd::objects {
namespace {

namespace fs = std::filesystem;

constexpr auto kept = std::chrono::hours(24);

fs::path folder_of(const fs::path& state) { return state / "uploads"; }

/// Open and locked; empty with errno EWOULDBLOCK where somebody else has it.
os::Fd open_locked(const fs::path& path, int flags) {
    for (struct stat facts {};;) {
        // It has become an object already, which nobody may change.
        if (::lstat(path.c_str(), &facts) == 0 && facts.st_nlink > 1) (void)::unlink(path.c_str());
        os::Fd file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return {};
        // Whoever had it may just have finished it.
        if (::fstat(file.get(), &facts) == 0 && facts.st_nlink == 1) return file;
    }
}

}  // namespace

Result<PartialUpload> PartialUpload::open(const fs::path& state, const std::string& what) {
    const auto folder = folder_of(state);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return os::last_error("cannot create " + folder.string());
    auto path = folder / sha256_of(boot_id() + "\n" + what);
    auto file = open_locked(path, O_RDWR | O_CREAT);
    if (!file && errno == EWOULDBLOCK) return conflict("ARTIFACT_008", "this upload is being sent already", "try again in a moment");
    struct stat facts {};
    if (!file || ::fstat(file.get(), &facts) != 0) return os::last_error("cannot open " + path.string());
    return PartialUpload(std::move(path), std::move(file), static_cast<std::uint64_t>(facts.st_size));
}

Result<void> PartialUpload::go_on_at(std::uint64_t offset) {
    if (offset > size_)
        return conflict("ARTIFACT_008", "only " + std::to_string(size_) + " bytes of this upload have come, not " + std::to_string(offset),
                        "ask without 'offset' where to go on");
    if (::ftruncate(file_.get(), static_cast<off_t>(offset)) != 0) return os::last_error("cannot go on with " + path_.string());
    size_ = offset;
    return {};
}

Result<void> PartialUpload::add(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("cannot write " + path_.string());
        bytes.remove_prefix(static_cast<std::size_t>(n));
        size_ += static_cast<std::uint64_t>(n);
    }
    return {};
}

void PartialUpload::remove() { (void)::unlink(path_.c_str()); }

void sweep_partial_uploads(const fs::path& state, Timestamp now) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_of(state), ignored)) {
        struct stat facts {};
        if (::lstat(entry.path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
        const Timestamp touched{std::chrono::seconds(facts.st_mtim.tv_sec)};
        // One that is being sent is locked.
        if (now - touched > kept && open_locked(entry.path(), O_RDWR)) (void)::unlink(entry.path().c_str());
    }
}

}  // namespace cicd::objects
