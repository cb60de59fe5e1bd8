#include "daemon/images/tree_writer.hpp"

#include "common/base/text.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/inner_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace cicd::images {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.", opaque = ".wh..wh..opq";
constexpr std::size_t deepest = 256;

std::string shown(std::string_view path) { return "'" + to_valid_utf8(path.substr(0, 200)) + "'"; }

Error broken(std::string_view path, std::string_view why) {
    return invalid("IMAGE_003", "the image's file " + shown(path) + " " + std::string(why));
}

Error failed(std::string_view path) {
    auto error = os::last_error("the image's file " + shown(path) + " cannot be written");
    error.code = "IMAGE_003";
    return error;
}

/// Without "." and empty parts; ".." is nothing that an image needs.
Result<std::vector<std::string>> parts_of(std::string_view path) {
    std::vector<std::string> parts;
    for (auto& part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") return broken(path, "leads out of the image");
        parts.push_back(std::move(part));
    }
    if (parts.size() > deepest) return broken(path, "lies too deep");
    return parts;
}

std::vector<std::string> names_in(int folder) {
    std::vector<std::string> names;
    const int listing = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(listing < 0 ? nullptr : ::fdopendir(listing), ::closedir);
    while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr)
        if (const std::string name = entry->d_name; name != "." && name != "..") names.push_back(name);
    return names;
}

/// A path for calls that know no descriptors. The last part is never followed.
std::string path_below(int parent, const std::string& name) {
    return "/proc/self/fd/" + std::to_string(parent) + "/" + name;
}

}  // namespace

Result<void> TreeWriter::enter(const std::string& folder) {
    if (parent_ && parent_path_ == folder) return {};
    parent_ = os::open_in_root(root_.get(), folder, O_PATH | O_DIRECTORY);
    std::string done;
    if (!parent_ && errno == ENOENT)
        for (const auto& part : split(folder, '/')) {
            const auto next = done.empty() ? part : done + "/" + part;
            parent_ = os::open_in_root(root_.get(), next, O_PATH | O_DIRECTORY);
            if (!parent_) {
                const auto above = os::open_in_root(root_.get(), done, O_PATH | O_DIRECTORY);
                if (!above || ::mkdirat(above.get(), part.c_str(), 0755) != 0) return failed(next);
                made(above.get(), part);
                parent_ = os::open_in_root(root_.get(), next, O_PATH | O_DIRECTORY);
            }
            done = next;
        }
    if (!parent_) return failed(folder);
    parent_path_ = folder;
    return {};
}

Result<TreeWriter::Place> TreeWriter::place(std::string_view path) {
    CICD_TRY(auto parts, parts_of(path));
    if (parts.empty()) return Place{root_.get(), ""};
    Place found;
    found.name = std::move(parts.back());
    parts.pop_back();
    CICD_CHECK(enter(join(parts, "/")));
    found.parent = parent_.get();
    return found;
}

void TreeWriter::made(int parent, const std::string& name) {
    struct stat facts {};
    if (::fstatat(parent, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) made_.insert(facts.st_ino);
}

/// What is there already goes, but a folder stays for a folder.
Result<void> TreeWriter::make_room(const Place& place, std::string_view path, bool for_folder) {
    struct stat facts {};
    if (::fstatat(place.parent, place.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? Result<void>{} : Result<void>(failed(path));
    if (S_ISDIR(facts.st_mode)) {
        if (for_folder) return {};
        CICD_CHECK(os::remove_all(path_below(place.parent, place.name)));
        return {};
    }
    if (::unlinkat(place.parent, place.name.c_str(), 0) != 0) return failed(path);
    return {};
}

Result<void> TreeWriter::folder(std::string_view path, int mode) {
    CICD_TRY(const auto place, this->place(path));
    if (place.name.empty()) return {};
    CICD_CHECK(make_room(place, path, true));
    // The owner can always go on writing into it: the next layer does, and so would root.
    const auto bits = static_cast<mode_t>((mode & 01777) | 0700);
    if (::mkdirat(place.parent, place.name.c_str(), 0700) != 0 && errno != EEXIST) return failed(path);
    if (::fchmodat(place.parent, place.name.c_str(), bits, 0) != 0) return failed(path);
    made(place.parent, place.name);
    return {};
}

Result<os::Fd> TreeWriter::file(std::string_view path, int mode) {
    CICD_TRY(const auto place, this->place(path));
    if (place.name.empty()) return broken(path, "is the root itself, but no folder");
    CICD_CHECK(make_room(place, path, false));
    os::Fd file(::openat(place.parent, place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file || ::fchmod(file.get(), static_cast<mode_t>((mode & 0777) | 0600)) != 0) return failed(path);
    struct stat facts {};
    if (::fstat(file.get(), &facts) == 0) made_.insert(facts.st_ino);
    return file;
}

Result<void> TreeWriter::link(std::string_view path, const std::string& target) {
    CICD_TRY(const auto place, this->place(path));
    if (place.name.empty()) return broken(path, "is the root itself, but no folder");
    CICD_CHECK(make_room(place, path, false));
    if (::symlinkat(target.c_str(), place.parent, place.name.c_str()) != 0) return failed(path);
    made(place.parent, place.name);
    return {};
}

Result<void> TreeWriter::hard_link(std::string_view path, std::string_view to) {
    CICD_TRY(const auto source, this->place(to));
    // The file itself, held open: making room below may take its folder away.
    const os::Fd file(::openat(source.parent, source.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat facts {};
    if (source.name.empty() || !file || ::fstat(file.get(), &facts) != 0)
        return broken(path, "is a link to " + shown(to) + ", which is not there");
    if (S_ISDIR(facts.st_mode)) return broken(path, "is a hard link to a folder");
    const os::Fd from(::fcntl(source.parent, F_DUPFD_CLOEXEC, 3));
    CICD_TRY(const auto place, this->place(path));
    if (place.name.empty()) return broken(path, "is the root itself, but no folder");
    struct stat there {};
    if (::fstatat(place.parent, place.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_ino == facts.st_ino) return {};
    CICD_CHECK(make_room(place, path, false));
    if (::linkat(from.get(), source.name.c_str(), place.parent, place.name.c_str(), 0) != 0) return failed(path);
    made_.insert(facts.st_ino);
    return {};
}

Result<bool> TreeWriter::whiteout(std::string_view path) {
    const auto name = path.substr(path.rfind('/') + 1);
    if (!name.starts_with(whiteout_prefix)) return false;
    CICD_TRY(const auto place, this->place(path));
    if (name == opaque) {
        CICD_CHECK(prune_below(place.parent, std::string(path)));
    } else {
        const auto gone = std::string(name.substr(whiteout_prefix.size()));
        if (gone.empty() || gone == "." || gone == "..") return broken(path, "removes nothing that has a name");
        CICD_CHECK(prune(place.parent, gone, std::string(path)));
    }
    parent_.reset();
    return true;
}

/// Removes what is not of this layer.
Result<void> TreeWriter::prune(int parent, const std::string& name, const std::string& path) {
    struct stat facts {};
    if (::fstatat(parent, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return {};
    if (!made_.contains(facts.st_ino)) return os::remove_all(path_below(parent, name));
    if (!S_ISDIR(facts.st_mode)) return {};
    const os::Fd folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) return failed(path);
    return prune_below(folder.get(), path);
}

Result<void> TreeWriter::prune_below(int folder, const std::string& path) {
    for (const auto& name : names_in(folder)) CICD_CHECK(prune(folder, name, path));
    return {};
}

}  // namespace cicd::images
