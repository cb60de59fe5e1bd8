#include "daemon/objects/tree.hpp"

#include "common/base/text.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace cicd::objects {
namespace {

constexpr std::size_t at_once = std::size_t{1} << 20;

Error in_the_way(const std::string& path, const std::string& what) {
    return conflict("ARTIFACT_004", "'" + to_valid_utf8(path) + "' cannot be put back: " + what + " is in its way",
                    "save it under another path, or let the source not hold that one");
}

Error wrong_size(const std::string& path) {
    return {ErrorKind::internal, "OBJECT_002", "what is kept of '" + to_valid_utf8(path) + "' is damaged: its size is wrong",
            "'cicdctl doctor --deep' names what needs it", {}};
}

/// A pack that is read from its begin to its end, as the files of a manifest come.
class OpenPack {
public:
    OpenPack(const ObjectStore& store, int index, const Pack& pack) : store_(store), index_(index), pack_(pack) {}
    [[nodiscard]] int index() const { return index_; }

    Result<std::string_view> bytes(std::uint64_t offset, std::uint64_t size, const std::string& path) {
        if (!text_) {
            CICD_TRY(text_, store_.read(pack_.digest, pack_.size));
            if (text_->size() != pack_.size) return wrong_size(path);
        }
        return std::string_view(*text_).substr(offset, size);
    }

private:
    const ObjectStore& store_;
    int index_;
    const Pack& pack_;
    std::optional<std::string> text_;
};

class Restore {
public:
    Restore(const ObjectStore& store, const Manifest& manifest, int top) : store_(store), manifest_(manifest), top_(top) {}

    Result<void> run() {
        for (const auto& entry : manifest_.entries) {
            const auto slash = entry.path.rfind('/');
            CICD_TRY(const int parent, folder_of(slash == std::string::npos ? std::string_view() : std::string_view(entry.path).substr(0, slash)));
            const char* name = entry.path.c_str() + (slash == std::string::npos ? 0 : slash + 1);
            switch (entry.kind) {
                case Entry::Kind::folder: CICD_CHECK(folder(parent, name, entry)); break;
                case Entry::Kind::link: CICD_CHECK(link(parent, name, entry)); break;
                case Entry::Kind::file: CICD_CHECK(file(parent, name, entry)); break;
            }
        }
        // Last, and inner ones first: a folder that may not be written to has to be filled before.
        for (auto entry = manifest_.entries.rbegin(); entry != manifest_.entries.rend(); ++entry)
            if (entry->kind == Entry::Kind::folder && (entry->mode & 0777) != 0755) CICD_CHECK(set_mode(*entry));
        return {};
    }

private:
    struct Level {
        std::string name;
        os::Fd fd;
    };

    /// Kept open from one entry to the next: most of them are neighbours.
    Result<int> folder_of(std::string_view path) {
        std::size_t depth = 0;
        while (!path.empty()) {
            const auto slash = path.find('/');
            const auto part = path.substr(0, slash);
            path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
            if (depth < levels_.size() && levels_[depth].name == part) {
                ++depth;
                continue;
            }
            levels_.resize(depth);
            const int above = depth == 0 ? top_ : levels_[depth - 1].fd.get();
            std::string name(part);
            os::Fd fd(::openat(above, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!fd && errno == ENOENT) {
                if (::mkdirat(above, name.c_str(), 0755) != 0) return os::last_error("cannot create the folder '" + to_valid_utf8(part) + "'");
                fd = os::Fd(::openat(above, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            }
            if (!fd && (errno == ENOTDIR || errno == ELOOP)) return in_the_way(name, "a file or link");
            if (!fd) return os::last_error("cannot enter the folder '" + to_valid_utf8(part) + "'");
            levels_.push_back({std::move(name), std::move(fd)});
            ++depth;
        }
        levels_.resize(depth);
        return depth == 0 ? top_ : levels_.back().fd.get();
    }

    static Result<void> folder(int parent, const char* name, const Entry& entry) {
        if (::mkdirat(parent, name, 0755) == 0) return {};
        struct stat facts {};
        if (errno == EEXIST && ::fstatat(parent, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode)) return {};
        if (errno == EEXIST) return in_the_way(entry.path, "a file or link");
        return os::last_error("cannot create the folder '" + to_valid_utf8(entry.path) + "'");
    }

    Result<void> set_mode(const Entry& entry) {
        CICD_TRY(const int folder, folder_of(entry.path));
        const os::Fd open(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!open || ::fchmod(open.get(), entry.mode) != 0) return os::last_error("cannot set the mode of '" + to_valid_utf8(entry.path) + "'");
        return {};
    }

    /// Takes away what has the name already, but no folder.
    template <class Make>
    static Result<void> replacing(int parent, const char* name, const Entry& entry, Make make) {
        if (make()) return {};
        if (errno == EEXIST) {
            if (::unlinkat(parent, name, 0) == 0 && make()) return {};
            if (errno == EISDIR || errno == EEXIST) return in_the_way(entry.path, "a folder");
        }
        return os::last_error("cannot create '" + to_valid_utf8(entry.path) + "'");
    }

    static Result<void> link(int parent, const char* name, const Entry& entry) {
        return replacing(parent, name, entry, [&] { return ::symlinkat(entry.target.c_str(), parent, name) == 0; });
    }

    Result<void> file(int parent, const char* name, const Entry& entry) {
        os::Fd made;
        CICD_CHECK(replacing(parent, name, entry, [&] {
            made = os::Fd(::openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry.mode | 0200));
            return static_cast<bool>(made);
        }));
        CICD_CHECK(entry.pack >= 0 ? from_pack(made, entry) : from_object(made, entry));
        const unsigned plain = (entry.mode | 0200) & ~mask_;
        if (entry.mode != plain && ::fchmod(made.get(), entry.mode) != 0)
            return os::last_error("cannot set the mode of '" + to_valid_utf8(entry.path) + "'");
        if (entry.time) {
            const timespec times[2]{{0, UTIME_OMIT}, {*entry.time / 1'000'000'000, *entry.time % 1'000'000'000}};
            (void)::futimens(made.get(), times);
        }
        return {};
    }

    static Result<void> write(const os::Fd& file, std::string_view bytes, const Entry& entry) {
        while (!bytes.empty()) {
            const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return os::last_error("cannot write '" + to_valid_utf8(entry.path) + "'");
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return {};
    }

    Result<void> from_pack(const os::Fd& file, const Entry& entry) {
        if (!pack_ || pack_->index() != entry.pack)
            pack_.emplace(store_, entry.pack, manifest_.packs[static_cast<std::size_t>(entry.pack)]);
        CICD_TRY(const auto bytes, pack_->bytes(entry.offset, entry.size, entry.path));
        return write(file, bytes, entry);
    }

    Result<void> from_object(const os::Fd& file, const Entry& entry) {
        CICD_TRY(auto reader, store_.open(entry.digest));
        if (const int plain = reader.plain_fd(); plain >= 0) {
            if (reader.plain_size() != entry.size) return wrong_size(entry.path);
            if (::ioctl(file.get(), FICLONE, plain) == 0) return {};
            if (copied_by_kernel(plain, file.get(), entry.size)) return {};
            if (::ftruncate(file.get(), 0) != 0 || ::lseek(file.get(), 0, SEEK_SET) != 0) return os::last_error("cannot write '" + to_valid_utf8(entry.path) + "'");
        }
        buffer_.resize(at_once);
        std::uint64_t written = 0;
        for (;;) {
            CICD_TRY(const std::size_t n, reader.read(buffer_.data(), buffer_.size()));
            if (n == 0) break;
            written += n;
            if (written > entry.size) return wrong_size(entry.path);
            CICD_CHECK(write(file, {buffer_.data(), n}, entry));
        }
        return written == entry.size ? Result<void>{} : wrong_size(entry.path);
    }

    static bool copied_by_kernel(int from, int to, std::uint64_t size) {
        off_t at = 0;
        while (static_cast<std::uint64_t>(at) < size) {
            const auto n = ::copy_file_range(from, &at, to, nullptr, size - static_cast<std::uint64_t>(at), 0);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
        }
        return true;
    }

    const ObjectStore& store_;
    const Manifest& manifest_;
    int top_;
    std::vector<Level> levels_;
    std::optional<OpenPack> pack_;
    std::vector<char> buffer_;
    const unsigned mask_ = [] {
        const auto mask = ::umask(022);
        ::umask(mask);
        return static_cast<unsigned>(mask);
    }();
};

}  // namespace

Result<Manifest> read_manifest(const ObjectStore& store, const std::string& digest) {
    CICD_TRY(const auto text, store.read(digest, largest_manifest));
    // Small beside what it names, and everything hangs on it.
    if (sha256_of(text) != digest)
        return Error{ErrorKind::internal, "OBJECT_002", "the manifest " + digest.substr(0, 12) + "… is damaged",
                     "'cicdctl doctor --deep' names what needs it", {}};
    return parse_manifest(text);
}

Result<void> restore_tree(const ObjectStore& store, const Manifest& manifest, int folder) {
    const os::Fd top(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top) return os::last_error("cannot enter the workspace");
    return Restore(store, manifest, top.get()).run();
}

}  // namespace cicd::objects
