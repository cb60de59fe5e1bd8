#include "daemon/os/enclosure.hpp"

#include "daemon/os/spaces.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace cicd::os {
namespace {

constexpr EnclosureFailure fine{};

/// The new root is mounted here first. What the host has below it was opened before, so that hiding it does not matter.
constexpr const char* first_place = "/tmp";
/// Where something is opened later, too: nothing that could be asked for is there.
constexpr const char* first_place_of_awaiting = "/proc";

int clone_tree(const char* path, unsigned flags = AT_RECURSIVE) {
    return static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));
}

bool set_attributes(int mount, std::uint64_t attributes) {
    mount_attr change{};
    change.attr_set = attributes;
    return ::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change) == 0;
}

bool shift_owners(int mount, int users) {
    mount_attr change{};
    change.attr_set = MOUNT_ATTR_IDMAP;
    change.userns_fd = static_cast<std::uint64_t>(users);
    return ::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change) == 0;
}

bool move_to(int mount, const char* path) {
    if (::syscall(SYS_move_mount, mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0) return false;
    ::close(mount);
    return true;
}

struct Option {
    const char *name, *value;  ///< value absent: a flag
};

int new_mount(const char* type, std::initializer_list<Option> options, unsigned attributes) {
    const int context = static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
    if (context < 0) return -1;
    int mount = -1;
    bool fits = true;
    for (const auto& [name, value] : options)
        fits = fits && ::syscall(SYS_fsconfig, context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, name, value, 0) == 0;
    if (fits && ::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
        mount = static_cast<int>(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
    const int error = errno;
    ::close(context);
    errno = error;
    return mount;
}

/// Mounted on a host folder, then taken from there: what is mounted later may hide it.
int overlay(const char* options, const char* folder) {
    if (::mount("overlay", folder, "overlay", MS_NOSUID | MS_NODEV, options) != 0) return -1;
    return clone_tree(folder, 0);
}

bool write_file(const char* path, const char* text, std::size_t size, int flags, int mode) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC | flags, mode);
    if (file < 0) return false;
    const bool written = ::write(file, text, size) == static_cast<ssize_t>(size);
    const int error = errno;
    ::close(file);
    errno = error;
    return written;
}

}  // namespace

void add_devices(Enclosure& enclosure) {
    using Kind = Enclosure::Kind;
    auto& entries = enclosure.entries;
    entries.push_back({Kind::folder, "/dev"});
    for (const char* node : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"})
        entries.push_back({.kind = Kind::bind, .target = node, .source = node, .writable = true, .devices = true});
    entries.push_back({Kind::folder, "/dev/pts"});
    entries.push_back({Kind::terminals, "/dev/pts"});
    entries.push_back({Kind::link, "/dev/ptmx", "pts/ptmx"});
    entries.push_back({Kind::folder, "/dev/shm", "", 01777});
    entries.push_back({Kind::link, "/dev/fd", "/proc/self/fd"});
    entries.push_back({Kind::link, "/dev/stdin", "/proc/self/fd/0"});
    entries.push_back({Kind::link, "/dev/stdout", "/proc/self/fd/1"});
    entries.push_back({Kind::link, "/dev/stderr", "/proc/self/fd/2"});
}

Enclosure::Entry workspace_entry(std::string target, const std::string& folder, const std::vector<std::string>& layers) {
    if (layers.empty()) return {.kind = Enclosure::Kind::bind, .target = std::move(target), .source = folder, .writable = true};
    std::string options = "lowerdir=";
    for (std::size_t i = 0; i < layers.size(); ++i) options += (i == 0 ? "" : ":") + layers[i];
    // Nothing of it has to survive a crash: such a job is lost, and another attempt starts anew.
    options += ",upperdir=" + folder + "/upper,workdir=" + folder + "/work,userxattr,volatile";
    return {.kind = Enclosure::Kind::overlay, .target = std::move(target), .source = std::move(options), .mounted_on = folder};
}

std::string pack_later(const Enclosure::Entry& entry) {
    return entry.source + '\0' + entry.mounted_on + '\0';
}

std::optional<Enclosure::Entry> unpack_later(std::string_view& packet, const std::string& target) {
    Enclosure::Entry entry{.target = target};
    for (auto* text : {&entry.source, &entry.mounted_on}) {
        const auto end = packet.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        *text = std::string(packet.substr(0, end));
        packet.remove_prefix(end + 1);
    }
    entry.kind = entry.mounted_on.empty() ? Enclosure::Kind::bind : Enclosure::Kind::overlay;
    entry.writable = entry.kind == Enclosure::Kind::bind;
    return entry;
}

EnclosureEntry::EnclosureEntry(const Enclosure& enclosure, bool nested)
    : enclosure_(enclosure),
      outer_user_("0 " + std::to_string(nested ? 0 : ::geteuid()) + " 1"),
      outer_group_("0 " + std::to_string(nested ? 0 : ::getegid()) + " 1"),
      inner_user_(std::to_string(enclosure.user) + " 0 1"),
      inner_group_(std::to_string(enclosure.group) + " 0 1"),
      root_size_(std::to_string(enclosure.root_size.value_or(0))),
      mounts_(enclosure.entries.size(), -1),
      is_root_(::geteuid() == 0) {}

int EnclosureEntry::flags() const {
    return (is_inhabited() ? 0 : CLONE_NEWUSER) | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
           (enclosure_.own_network ? CLONE_NEWNET : 0);
}

EnclosureFailure EnclosureEntry::map_users(const std::string& user, const std::string& group) {
    // Without this, who starts us could drop a group that keeps it out of something.
    if (!write_file("/proc/self/setgroups", "deny", 4, 0, 0)) return {"cannot write", "/proc/self/setgroups"};
    if (!write_file("/proc/self/uid_map", user.data(), user.size(), 0, 0)) return {"cannot write", "/proc/self/uid_map"};
    if (!write_file("/proc/self/gid_map", group.data(), group.size(), 0, 0)) return {"cannot write", "/proc/self/gid_map"};
    return fine;
}

/// The mounts belong to the user namespace they were made in, where the user is 0, as devpts demands. The program lives
/// in one below: there it has the user id it is to have, and no power over the mounts whatever it should gain.
EnclosureFailure EnclosureEntry::enter_inner_users() {
    if (is_inhabited()) return join_inhabitants();
    if (::unshare(CLONE_NEWUSER) != 0) return {"cannot make", "the inner user namespace"};
    return map_users(inner_user_, inner_group_);
}

/// System calls as they are: the library's would tell other threads, which have another memory's.
EnclosureFailure EnclosureEntry::join_inhabitants() {
    if (::setns(enclosure_.inhabitants, CLONE_NEWUSER) != 0) return {"cannot enter", "the user namespace"};
    if (::syscall(SYS_setgroups, 0, nullptr) != 0 || ::syscall(SYS_setresgid, 0, 0, 0) != 0 || ::syscall(SYS_setresuid, 0, 0, 0) != 0)
        return {"cannot become", "its root"};
    return fine;
}

/// An idmapped mount: Linux 5.12, below an overlay 5.19, of a tmpfs 6.3.
EnclosureFailure EnclosureEntry::shift(const std::string& source, const std::string& place) {
    const int mount = clone_tree(source.c_str(), 0);
    if (mount < 0) return {"cannot open", source.c_str()};
    if (!shift_owners(mount, enclosure_.inhabitants) || !move_to(mount, place.c_str()))
        return {"cannot show with other owners (Linux 5.19 can, on most file systems)", source.c_str()};
    return fine;
}

EnclosureFailure EnclosureEntry::open_source(const Enclosure::Entry& entry, int& mount) {
    if (entry.kind == Enclosure::Kind::overlay) {
        mount = overlay(entry.source.c_str(), entry.mounted_on.c_str());
        if (mount < 0) return {"cannot mount an overlay on", entry.mounted_on.c_str()};
    }
    if (entry.kind == Enclosure::Kind::proc) {
        // While the host's is still in sight: the kernel makes no new one for who has none.
        mount = new_mount("proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (mount < 0) return {"cannot mount", entry.target.c_str()};
    }
    if (entry.kind != Enclosure::Kind::bind) return fine;
    mount = clone_tree(entry.source.c_str());
    if (mount < 0) return {"cannot open", entry.source.c_str()};
    const std::uint64_t attributes = MOUNT_ATTR_NOSUID | (entry.devices ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_NODEV) |
                                     (entry.writable ? 0 : MOUNT_ATTR_RDONLY);
    if (!set_attributes(mount, attributes)) return {"cannot restrict", entry.source.c_str()};
    if (entry.shifted && !shift_owners(mount, enclosure_.inhabitants))
        return {"cannot show with other owners (Linux 5.19 can, on most file systems)", entry.source.c_str()};
    return fine;
}

EnclosureFailure EnclosureEntry::open_sources() {
    for (const auto& [source, place] : enclosure_.shifted)
        if (const auto failure = shift(source, place); failure.what) return failure;
    if (!enclosure_.root_overlay.empty()) {
        root_ = overlay(enclosure_.root_overlay.c_str(), enclosure_.root_mounted_on.c_str());
        if (root_ < 0) return {"cannot mount an overlay on", enclosure_.root_mounted_on.c_str()};
    }
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (const auto failure = open_source(enclosure_.entries[i], mounts_[i]); failure.what) return failure;
    program_ = clone_tree(enclosure_.program.c_str(), 0);
    if (program_ < 0) return {"cannot open", enclosure_.program.c_str()};
    if (!set_attributes(program_, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY))
        return {"cannot restrict", enclosure_.program.c_str()};
    // Out of the way of the descriptors that the program is given. Fails where so few are allowed that the mounts would
    // not find enough either.
    const int high = ::fcntl(program_, F_DUPFD_CLOEXEC, 100);
    if (high < 0) return {"cannot move the descriptor of", enclosure_.program.c_str()};
    ::close(program_);
    program_ = high;
    return fine;
}

/// Parts of /proc that only ask for the uid, which is root's for a job of root's: they set the host's parameters.
EnclosureFailure EnclosureEntry::protect_proc() {
    for (const char* part : {"proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus", "proc/fs", "proc/acpi", "proc/scsi"}) {
        const int mount = clone_tree(part);
        if (mount < 0 && errno == ENOENT) continue;
        if (mount < 0 || !set_attributes(mount, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC) ||
            !move_to(mount, part))
            return {"cannot protect", part};
    }
    return fine;
}

EnclosureFailure EnclosureEntry::await_later() {
    std::string packet(largest_later, '\0');
    ssize_t n = 0;
    do n = ::recv(enclosure_.awaited, packet.data(), packet.size(), MSG_PEEK);
    while (n < 0 && errno == EINTR);
    if (n == 0) errno = ECANCELED;
    if (n <= 0) return {"was not told", "the last entry"};
    std::string_view rest(packet.data(), static_cast<std::size_t>(n));
    auto entry = unpack_later(rest, enclosure_.awaited_target);
    if (!entry) {
        errno = EBADMSG;
        return {"cannot understand", "the last entry"};
    }
    later_ = std::move(*entry);
    // What a failure names must also be found in the memory of who started us.
    int mount = -1;
    auto failure = open_source(later_, mount);
    if (!failure.what) failure = place(later_, mount);
    if (failure.what) failure.path = "what was told later";
    return failure;
}

EnclosureFailure EnclosureEntry::place(const Enclosure::Entry& entry, int mount) {
    const char* target = entry.target.c_str() + 1;  // below the new root, where we stand
    const bool has_files = !enclosure_.root_overlay.empty();
    switch (entry.kind) {
        case Enclosure::Kind::folder:
            if (::mkdir(target, static_cast<mode_t>(entry.mode)) == 0) {
                if (::chmod(target, static_cast<mode_t>(entry.mode)) != 0) return {"cannot make", target};
            } else if (!(has_files || is_inhabited()) || errno != EEXIST) {
                return {"cannot make", target};
            }
            return fine;
        case Enclosure::Kind::link:
            if (::symlink(entry.source.c_str(), target) != 0) return {"cannot link", entry.target.c_str()};
            return fine;
        case Enclosure::Kind::file:
            if (has_files || is_inhabited()) (void)::unlink(target);
            if (!write_file(target, entry.source.data(), entry.source.size(), O_CREAT | O_EXCL, entry.mode))
                return {"cannot write", entry.target.c_str()};
            return fine;
        case Enclosure::Kind::bind:
        case Enclosure::Kind::overlay: {
            // A place to mount on is made where it is not there; below a read-only mount it has to be.
            struct stat facts {};
            const bool file = ::fstatat(mount, "", &facts, AT_EMPTY_PATH) == 0 && !S_ISDIR(facts.st_mode);
            if (file) (void)::mknod(target, S_IFREG | 0644, 0);
            else (void)::mkdir(target, 0755);
            if (!move_to(mount, target)) return {"cannot mount", entry.target.c_str()};
            return fine;
        }
        case Enclosure::Kind::proc: {
            (void)::mkdir(target, 0555);
            if (!move_to(mount, target)) return {"cannot mount", entry.target.c_str()};
            return is_root_ ? protect_proc() : fine;
        }
        case Enclosure::Kind::memory: {
            (void)::mkdir(target, 0755);
            const int made = new_mount("tmpfs", {{"size", entry.source.c_str()}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
            if (made < 0 || !move_to(made, target) || ::chmod(target, static_cast<mode_t>(entry.mode)) != 0)
                return {"cannot mount", entry.target.c_str()};
            return fine;
        }
        case Enclosure::Kind::terminals: {
            const int made = new_mount("devpts", {{"newinstance", nullptr}, {"ptmxmode", "0666"}, {"mode", "0620"}},
                                       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
            if (made < 0 || !move_to(made, target)) return {"cannot mount", entry.target.c_str()};
            return fine;
        }
    }
    return fine;
}

EnclosureFailure EnclosureEntry::open_root() {
    constexpr unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (root_ < 0)
        root_ = enclosure_.root_size ? new_mount("tmpfs", {{"mode", "0755"}, {"size", root_size_.c_str()}}, attributes)
                                     : new_mount("tmpfs", {{"mode", "0755"}}, attributes);
    const char* first = enclosure_.awaited < 0 ? first_place : first_place_of_awaiting;
    if (root_ < 0 || !move_to(root_, first) || ::chdir(first) != 0) return {"cannot mount", "the root"};
    return fine;
}

EnclosureFailure EnclosureEntry::leave_host() {
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return {"cannot change to", "the root"};
    // The host's root lies on top of ours now, and goes with all that is mounted in it.
    if (::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) return {"cannot leave", "the host's root"};
    return fine;
}

/// In an image, everything is placed after the host's root has gone, so that no link can lead there. What is awaited has to
/// be opened while the host is still there.
EnclosureFailure EnclosureEntry::build() {
    // What is made from here on belongs to the root that the program will be.
    if (is_inhabited()) (void)::syscall(SYS_setfsgid, enclosure_.owner), (void)::syscall(SYS_setfsuid, enclosure_.owner);
    const auto failure = build_as_owner();
    if (is_inhabited()) (void)::syscall(SYS_setfsuid, 0), (void)::syscall(SYS_setfsgid, 0);
    return failure;
}

EnclosureFailure EnclosureEntry::build_as_owner() {
    if (const auto failure = open_root(); failure.what) return failure;
    const bool has_files = !enclosure_.root_overlay.empty();
    if (has_files)
        if (const auto failure = leave_host(); failure.what) return failure;
    ::umask(0);
    for (std::size_t i = 0; i < mounts_.size(); ++i)
        if (const auto failure = place(enclosure_.entries[i], mounts_[i]); failure.what) return failure;
    if (enclosure_.awaited >= 0)
        if (const auto failure = await_later(); failure.what) return failure;
    ::umask(022);
    return has_files ? fine : leave_host();
}

EnclosureFailure EnclosureEntry::enter() {
    if (!is_inhabited())
        if (const auto failure = map_users(outer_user_, outer_group_); failure.what) return failure;
    if (::sethostname(enclosure_.hostname.data(), enclosure_.hostname.size()) != 0) return {"cannot set", "the host name"};
    if (enclosure_.own_network && !raise_loopback()) return {"cannot start", "the loopback device"};
    // What is mounted on the host from now on shall not appear here.
    if (::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0) return {"cannot separate", "the mounts"};
    if (const auto failure = open_sources(); failure.what) return failure;
    if (const auto failure = build(); failure.what) return failure;
    return enter_inner_users();
}

EnclosureFailure EnclosureEntry::lose_capabilities() {
    std::array<__user_cap_data_struct, 2> kept{};
    for (const int capability : enclosure_.capabilities) {
        auto& half = kept[static_cast<std::size_t>(capability) / 32];
        half.permitted |= 1u << (capability % 32);
        half.effective = half.permitted;
    }
    for (int capability = 0;; ++capability) {
        const bool keep = capability < 64 && (kept[static_cast<std::size_t>(capability) / 32].permitted >> (capability % 32) & 1) != 0;
        if (!keep && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
    }
    if (errno != EINVAL) return {"cannot drop", "the capabilities"};
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    if (::syscall(SYS_capset, &header, kept.data()) != 0) return {"cannot drop", "the capabilities"};
    return fine;
}

EnclosureFailure EnclosureEntry::close_behind() {
    if (const auto failure = lose_capabilities(); failure.what) return failure;
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {"cannot refuse", "new privileges"};
    if (enclosure_.seccomp.empty()) return fine;
    const sock_fprog program{
        static_cast<unsigned short>(enclosure_.seccomp.size() / sizeof(sock_filter)),
        reinterpret_cast<sock_filter*>(const_cast<char*>(enclosure_.seccomp.data()))};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) return {"cannot set", "the seccomp filter"};
    return fine;
}

}  // namespace cicd::os
