#include "daemon/zones/workspace_method.hpp"

#include "daemon/os/enclosure.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/spawn.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

namespace cicd::zones {
namespace {

namespace fs = std::filesystem;

/// A folder for a trial, which goes with it.
class Trial {
public:
    explicit Trial(const fs::path& state) {
        std::error_code ignored;
        fs::create_directories(state, ignored);
        std::string name = (state / ".trial-XXXXXX").string();
        if (::mkdtemp(name.data())) path_ = name;
    }
    ~Trial() {
        if (!path_.empty()) (void)os::remove_all(path_);
    }
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

/// The real thing: the runner in a sandbox with nothing but an overlay. Empty: it works; else why not.
std::string try_overlay(const fs::path& folder, const fs::path& runner) {
    if (std::getenv("CICD_BWRAP")) return "$CICD_BWRAP asks for bubblewrap, which cannot mount overlays";
    for (const char* name : {"lower", "workspace", "workspace/upper", "workspace/work"}) {
        std::error_code failure;
        if (!fs::create_directory(folder / name, failure)) return "cannot create folders in " + folder.string();
    }
    if (folder.string().find_first_of(",:\\") != std::string::npos)
        return "the state directory's path holds a comma, a colon or a backslash";
    const auto workspace = (folder / "workspace").string();
    using Kind = os::Enclosure::Kind;
    os::Enclosure enclosure;
    enclosure.program = runner.string();
    enclosure.hostname = "ci";
    enclosure.entries.push_back({Kind::proc, "/proc"});
    enclosure.entries.push_back({.kind = Kind::overlay, .target = "/workspace",
                                 .source = "lowerdir=" + (folder / "lower").string() + ",upperdir=" + workspace +
                                           "/upper,workdir=" + workspace + "/work,userxattr,volatile",
                                 .mounted_on = workspace});
    os::SpawnOptions options;
    options.argv = {runner.string(), "--version"};
    options.env.emplace();
    options.cwd = "/workspace";
    options.enclosure = &enclosure;
    const auto pid = os::spawn(options);
    if (!pid) return pid.error().message;
    int status = 0;
    while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "" : "a program in it does not run";
}

std::string try_reflink(const fs::path& folder) {
    const os::Fd from(::open((folder / "from").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const os::Fd to(::open((folder / "to").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!from || !to || ::write(from.get(), "x", 1) != 1) return "cannot write to " + folder.string();
    return ::ioctl(to.get(), FICLONE, from.get()) == 0 ? "" : "the file system shares no data between files";
}

WorkspaceMethodFound find_method(const fs::path& state, const fs::path& runner) {
    const char* wanted = std::getenv("CICD_WORKSPACE");
    if (wanted)
        if (const auto method = from_text<WorkspaceMethod>(wanted)) return {*method, "$CICD_WORKSPACE says so"};
    const Trial trial(state);
    if (trial.path().empty()) return {WorkspaceMethod::copy, "cannot write to " + state.string()};
    const auto overlay = try_overlay(trial.path(), runner);
    if (overlay.empty()) return {WorkspaceMethod::overlay, ""};
    const auto reflink = try_reflink(trial.path());
    if (reflink.empty()) return {WorkspaceMethod::reflink, "no overlay: " + overlay};
    return {WorkspaceMethod::copy, "no overlay: " + overlay + "; no reflink: " + reflink};
}

Result<void> copy_file(int from, int to, const char* name, const struct stat& facts, const std::string& path) {
    const os::Fd source(::openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    const os::Fd target(::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!source || !target) return os::last_error("cannot copy " + path);
    if (::ioctl(target.get(), FICLONE, source.get()) != 0) {
        std::array<char, 1 << 16> buffer{};
        for (off_t done = 0; done < facts.st_size;) {
            const ssize_t n = ::read(source.get(), buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0 || ::write(target.get(), buffer.data(), static_cast<std::size_t>(n)) != n)
                return os::last_error("cannot copy " + path);
            done += n;
        }
    }
    const std::array<timespec, 2> times{facts.st_atim, facts.st_mtim};
    if (::fchmod(target.get(), facts.st_mode & 07777) != 0 || ::futimens(target.get(), times.data()) != 0)
        return os::last_error("cannot copy " + path);
    return {};
}

Result<void> copy_folder(int from, int to, const std::string& path) {
    const int listing = ::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(listing < 0 ? nullptr : ::fdopendir(listing), ::closedir);
    if (!entries) return os::last_error("cannot read " + path);
    while (const dirent* entry = ::readdir(entries.get())) {
        const char* name = entry->d_name;
        if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
        const std::string inner = path + "/" + name;
        struct stat facts {};
        if (::fstatat(from, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return os::last_error("cannot read " + inner);
        if (S_ISLNK(facts.st_mode)) {
            char target[PATH_MAX];
            const ssize_t n = ::readlinkat(from, name, target, sizeof target - 1);
            if (n < 0) return os::last_error("cannot read " + inner);
            target[n] = 0;
            if (::symlinkat(target, to, name) != 0) return os::last_error("cannot copy " + inner);
        } else if (S_ISDIR(facts.st_mode)) {
            if (::mkdirat(to, name, 0755) != 0) return os::last_error("cannot copy " + inner);
            const os::Fd inner_from(::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            const os::Fd inner_to(::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!inner_from || !inner_to) return os::last_error("cannot copy " + inner);
            CICD_CHECK(copy_folder(inner_from.get(), inner_to.get(), inner));
        } else if (S_ISREG(facts.st_mode)) {
            CICD_CHECK(copy_file(from, to, name, facts, inner));
        }
    }
    return {};
}

}  // namespace

WorkspaceMethodFound workspace_method(const fs::path& state, const fs::path& runner) {
    static std::mutex mutex;
    static std::map<fs::path, WorkspaceMethodFound> known;
    const std::lock_guard lock(mutex);
    const auto found = known.find(state);
    if (found != known.end()) return found->second;
    return known[state] = find_method(state, runner);
}

Result<void> copy_tree(const fs::path& from, const fs::path& to) {
    const os::Fd source(::open(from.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const os::Fd target(::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!source || !target) return os::last_error("cannot copy " + from.string() + " to " + to.string());
    return copy_folder(source.get(), target.get(), to.string());
}

}  // namespace cicd::zones
