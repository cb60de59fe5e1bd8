#include "daemon/runner/storage.hpp"

#include "common/base/time.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace cicd::runner {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = SteadyTime::clock;

/// Below so little free space jobs that fill the disk are ended, before the daemon itself cannot write any more.
constexpr std::uint64_t reserve = 64 << 20;
constexpr std::uint64_t fastest_write = 4'000'000;  ///< bytes in a millisecond
constexpr std::size_t deepest = 400;
constexpr auto slice = microseconds(2000);
constexpr auto unhurried = std::chrono::hours(1);
constexpr auto pause = milliseconds(8);

Clock::duration time_to_write(std::uint64_t bytes, milliseconds least, milliseconds most) {
    return std::clamp(milliseconds(static_cast<std::int64_t>(bytes / fastest_write)), least, most);
}

std::optional<std::uint64_t> free_space(const std::filesystem::path& path) {
    struct statfs facts {};
    if (::statfs(path.c_str(), &facts) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(facts.f_bavail) * static_cast<std::uint64_t>(facts.f_bsize);
}

}  // namespace

struct DiskUse::Level {
    std::unique_ptr<DIR, int (*)(DIR*)> folder{nullptr, ::closedir};
    os::Fd closed;    ///< a folder that its owner may not read: this one's path, and
    mode_t mode = 0;  ///< what its rights were before

    Level() = default;
    Level(Level&&) = default;
    Level& operator=(Level&&) = default;
    ~Level() {
        if (closed) (void)::chmod(path(closed).c_str(), mode);
    }
    static std::string path(const os::Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

    /// Nothing is hidden by taking away one's own right to look. Through descriptors, so that no link leads elsewhere.
    bool open(int parent, const char* name, mode_t rights) {
        constexpr int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        os::Fd fd(::openat(parent, name, O_RDONLY | flags));
        if (::geteuid() != 0 && (rights & 0500) != 0500) {
            closed = os::Fd(::openat(parent, name, O_PATH | flags));
            mode = rights & 07777;
            if (!closed || ::chmod(path(closed).c_str(), mode | 0700) != 0) return false;
            fd = os::Fd(::open(path(closed).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        }
        if (!fd) return false;
        folder.reset(::fdopendir(fd.release()));
        return folder != nullptr;
    }
};

DiskUse::DiskUse(const std::filesystem::path& folder) {
    Level top;
    if (top.open(AT_FDCWD, folder.c_str(), 0700)) levels_.push_back(std::move(top));
}
DiskUse::~DiskUse() {
    // Inner folders first: their rights are set by way of the outer ones.
    while (!levels_.empty()) levels_.pop_back();
}
DiskUse::DiskUse(DiskUse&&) noexcept = default;
DiskUse& DiskUse::operator=(DiskUse&&) noexcept = default;

bool DiskUse::go_on(microseconds budget) {
    const auto end = Clock::now() + budget;
    for (int count = 1; !levels_.empty(); ++count) {
        if (count % 64 == 0 && Clock::now() >= end) return false;
        const auto& top = levels_.back().folder;
        const dirent* entry = ::readdir(top.get());
        if (!entry) {
            levels_.pop_back();
            continue;
        }
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        struct stat facts {};
        if (::fstatat(::dirfd(top.get()), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
        bytes_ += static_cast<std::uint64_t>(facts.st_blocks) * 512;
        if (!S_ISDIR(facts.st_mode)) continue;
        Level inner;
        if (levels_.size() >= deepest) too_deep_ = true;
        else if (inner.open(::dirfd(top.get()), entry->d_name, facts.st_mode)) levels_.push_back(std::move(inner));
    }
    return true;
}

Storage::Storage(const model::JobSpec& spec, std::filesystem::path job_directory)
    : limit_(spec.limits.storage), job_directory_(std::move(job_directory)), counted_(spec.workspace), due_(Clock::now()) {
    if (!spec.workspace_layers.empty()) {
        // Else what is written elsewhere lies beside it.
        if (!spec.root && spec.services.empty() && spec.system == model::SystemMode::standard) counted_ /= "upper";
    } else if (limit_) {
        DiskUse now(counted_);
        while (!now.go_on(unhurried)) {}
        before_ = now.bytes();
    }
}

/// /tmp and the home are in the sandbox's root, which is a tmpfs.
std::uint64_t Storage::in_memory() const {
    struct statfs facts {};
    constexpr long tmpfs_magic = 0x01021994;
    if (seen_.empty() || ::statfs((seen_ / "..").c_str(), &facts) != 0 || facts.f_type != tmpfs_magic) return 0;
    return static_cast<std::uint64_t>(facts.f_blocks - facts.f_bfree) * static_cast<std::uint64_t>(facts.f_bsize);
}

std::optional<std::string> Storage::check(SteadyTime now) {
    if (now < due_) return std::nullopt;
    if (!running_) {
        const auto left = free_space(job_directory_);
        free_ = left.value_or(~std::uint64_t{0});
        short_of_space_ = free_ < reserve;
        if (!limit_ && !short_of_space_) {
            due_ = now + time_to_write(free_ - reserve, milliseconds(250), milliseconds(60'000));
            return std::nullopt;
        }
        running_.emplace(counted_);
        started_ = now;
    }
    if (!running_->go_on(slice)) {
        due_ = Clock::now() + pause;
        return std::nullopt;
    }
    const auto use = std::move(*running_);
    running_.reset();
    if (use.too_deep()) return "its files cannot be counted: folders are nested deeper than " + std::to_string(deepest);
    const auto written = use.bytes() - std::min(use.bytes(), before_) + in_memory();
    const auto room = std::min(limit_ ? *limit_ - std::min(*limit_, written) : free_, free_ - std::min(free_, reserve));
    const auto cost = Clock::now() - started_;
    due_ = Clock::now() + std::max<Clock::duration>(20 * cost, time_to_write(room, milliseconds(100), milliseconds(10'000)));
    return judge(written);
}

std::optional<std::string> Storage::check_now() {
    if (!limit_) return std::nullopt;
    running_.reset();
    DiskUse use(counted_);
    while (!use.go_on(unhurried)) {}
    return judge(use.bytes() - std::min(use.bytes(), before_) + in_memory());
}

std::optional<std::string> Storage::judge(std::uint64_t written) {
    // A file that was cut off at its limit has just this size.
    if (limit_ && written >= *limit_)
        return "wrote " + humanize_size(written) + ", and may write " + humanize_size(*limit_) + " (resources.storage)";
    struct stat log {};
    const auto logged = ::stat((job_directory_ / "log").c_str(), &log) == 0 ? static_cast<std::uint64_t>(log.st_size) : 0;
    if (!short_of_space_ || written + logged < reserve) return std::nullopt;
    return "only " + humanize_size(free_) + " are free on the disk of " + job_directory_.string() + ", and this job wrote " +
           humanize_size(written + logged);
}

}  // namespace cicd::runner
