#include "daemon/images/layer.hpp"

#include "common/base/text.hpp"
#include "daemon/images/digest.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace cicd::images {
namespace {

constexpr std::size_t piece = 256 << 10;
constexpr std::uint64_t look_every = 64ull << 20;

Error broken(const std::string& why) { return invalid("IMAGE_003", "the image is damaged: " + why, "get or build it again"); }

/// Reads a file from its begin, once, and sums up what passed.
class Source {
public:
    explicit Source(int fd) : fd_(fd), buffer_(piece) {}
    static la_ssize_t read(archive* handle, void* self, const void** bytes) {
        auto& source = *static_cast<Source*>(self);
        const ssize_t n = source.fill();
        if (n < 0) archive_set_error(handle, errno, "cannot read the archive");
        *bytes = source.buffer_.data();
        return n;
    }
    /// Of the whole file, whatever follows the archive in it.
    Result<std::string> digest() {
        ssize_t n = 0;
        while ((n = fill()) > 0) {}
        if (n < 0) return os::last_error("cannot read the layer");
        return sum_.finish();
    }

private:
    ssize_t fill() {
        ssize_t n = 0;
        do n = ::pread(fd_, buffer_.data(), buffer_.size(), offset_);
        while (n < 0 && errno == EINTR);
        if (n > 0) sum_.add(buffer_.data(), static_cast<std::size_t>(n));
        if (n > 0) offset_ += n;
        return n;
    }
    int fd_;
    off_t offset_ = 0;
    std::vector<char> buffer_;
    Sha256 sum_;
};

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

/// Not every filter that there is: some of them start programs.
Result<Reader> open_tar(Source& source) {
    Reader reader(archive_read_new(), archive_read_free);
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_bzip2(reader.get());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_empty(reader.get());
    if (archive_read_open(reader.get(), &source, nullptr, Source::read, nullptr) != ARCHIVE_OK)
        return broken(archive_error_string(reader.get()));
    return reader;
}

std::string text_of(const char* utf8, const char* raw) { return utf8 ? utf8 : raw ? raw : ""; }
std::string name_of(archive_entry* entry) { return text_of(archive_entry_pathname_utf8(entry), archive_entry_pathname(entry)); }

/// Watches what is written against the limits.
class Budget {
public:
    Budget(const UnpackLimits& limits, Unpacked& used) : limits_(limits), used_(used) {}
    Result<void> entry() {
        if (++used_.files > limits_.entries)
            return invalid("IMAGE_004", "the image has more than " + std::to_string(limits_.entries) + " files");
        return {};
    }
    Result<void> bytes(int file, std::uint64_t more) {
        used_.bytes += more;
        if (used_.bytes > limits_.bytes)
            return invalid("IMAGE_004", "the image unpacks to more than " + std::to_string(limits_.bytes >> 20) + " MiB");
        if (used_.bytes < next_look_) return {};
        next_look_ = used_.bytes + look_every;
        struct statvfs disk {};
        if (::fstatvfs(file, &disk) == 0 && std::uint64_t{disk.f_bavail} * disk.f_frsize < limits_.reserve)
            return unavailable("IMAGE_004", "the image does not fit on the disk: less than " +
                                   std::to_string(limits_.reserve >> 20) + " MiB would be left", "make room for it");
        return {};
    }

private:
    const UnpackLimits& limits_;
    Unpacked& used_;
    std::uint64_t next_look_ = 0;
};

Result<void> write_all(int file, const char* bytes, std::size_t size, off_t at) {
    while (size > 0) {
        const ssize_t n = ::pwrite(file, bytes, size, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("the image cannot be unpacked");
        bytes += n, size -= static_cast<std::size_t>(n), at += n;
    }
    return {};
}

/// Holes stay holes; they count as little as they take.
Result<void> copy_data(archive* reader, archive_entry* entry, int file, Budget& budget) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t at = 0;
    for (;;) {
        const int status = archive_read_data_block(reader, &bytes, &size, &at);
        if (status == ARCHIVE_EOF) break;
        if (status < ARCHIVE_WARN) return broken(archive_error_string(reader));
        CICD_CHECK(budget.bytes(file, size));
        CICD_CHECK(write_all(file, static_cast<const char*>(bytes), size, at));
    }
    const la_int64_t whole = archive_entry_size(entry);
    struct stat facts {};
    if (::fstat(file, &facts) == 0 && whole > facts.st_size && ::ftruncate(file, whole) != 0)
        return os::last_error("the image cannot be unpacked");
    const timespec written{archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    const std::array times{written, written};
    (void)::futimens(file, times.data());
    return {};
}

Result<void> lay(archive* reader, archive_entry* entry, TreeWriter& tree, Budget& budget, Unpacked& used) {
    const auto name = name_of(entry);
    if (name.empty()) return broken("a file has no name");
    CICD_TRY(const bool gone, tree.whiteout(name));
    if (gone) return {};
    if (const auto to = text_of(archive_entry_hardlink_utf8(entry), archive_entry_hardlink(entry)); !to.empty())
        return tree.hard_link(name, to);
    const auto mode = static_cast<int>(archive_entry_perm(entry));
    switch (archive_entry_filetype(entry)) {
        case AE_IFDIR: return tree.folder(name, mode);
        case AE_IFLNK: return tree.link(name, text_of(archive_entry_symlink_utf8(entry), archive_entry_symlink(entry)));
        case AE_IFREG: {
            CICD_TRY(const auto file, tree.file(name, mode));
            return copy_data(reader, entry, file.get(), budget);
        }
        default: ++used.skipped; return {};  // devices, sockets, pipes
    }
}

/// The sum of what a packed layer unpacks to is only to be had by unpacking it once more, without looking at it.
Result<std::string> unpacked_digest(int layer) {
    Source source(layer);
    Reader reader(archive_read_new(), archive_read_free);
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_bzip2(reader.get());
    archive_read_support_format_raw(reader.get());
    archive_read_support_format_empty(reader.get());
    archive_entry* entry = nullptr;
    if (archive_read_open(reader.get(), &source, nullptr, Source::read, nullptr) != ARCHIVE_OK)
        return broken(archive_error_string(reader.get()));
    Sha256 sum;
    if (archive_read_next_header(reader.get(), &entry) == ARCHIVE_EOF) return sum.finish();
    std::vector<char> buffer(piece);
    for (;;) {
        const auto n = archive_read_data(reader.get(), buffer.data(), buffer.size());
        if (n < 0) return broken(archive_error_string(reader.get()));
        if (n == 0) return sum.finish();
        sum.add(buffer.data(), static_cast<std::size_t>(n));
    }
}

}  // namespace

Result<void> apply_layer(int layer, TreeWriter& tree, const UnpackLimits& limits, Unpacked& used, std::string_view digest,
                         std::string_view diff_id) {
    Source source(layer);
    CICD_TRY(const auto reader, open_tar(source));
    Budget budget(limits, used);
    tree.begin_layer();
    archive_entry* entry = nullptr;
    for (;;) {
        const int status = archive_read_next_header(reader.get(), &entry);
        if (status == ARCHIVE_EOF) break;
        if (status < ARCHIVE_WARN) return broken(archive_error_string(reader.get()));
        CICD_CHECK(budget.entry());
        CICD_CHECK(lay(reader.get(), entry, tree, budget, used));
    }
    CICD_TRY(const auto sum, source.digest());
    if (!digest.empty() && digest != sum) return broken("a layer has the sum " + sum + " instead of " + std::string(digest));
    // A layer that is not packed is what it unpacks to.
    if (diff_id.empty() || !digest.empty() || sum == diff_id) return {};
    CICD_TRY(const auto unpacked, unpacked_digest(layer));
    if (unpacked != diff_id) return broken("a layer has the sum " + unpacked + " instead of " + std::string(diff_id));
    return {};
}

Result<ArchiveKind> look_into(int file) {
    Source source(file);
    CICD_TRY(const auto reader, open_tar(source));
    archive_entry* entry = nullptr;
    auto kind = ArchiveKind::neither;
    for (;;) {
        const int status = archive_read_next_header(reader.get(), &entry);
        if (status == ARCHIVE_EOF) return kind;
        if (status < ARCHIVE_WARN) return broken(archive_error_string(reader.get()));
        auto name = name_of(entry);
        while (name.starts_with("./") || name.starts_with('/')) name.erase(0, name.find('/') + 1);
        if (name == "index.json" || name == "manifest.json") return ArchiveKind::image;
        if (name.starts_with("bin/") || name.starts_with("usr/") || name == "bin") kind = ArchiveKind::root;
    }
}

Result<std::string> file_digest(int file) { return Source(file).digest(); }

Result<void> spread_archive(int file, int folder, const UnpackLimits& limits,
                            const std::function<void(std::string, std::string)>& on_link) {
    Source source(file);
    CICD_TRY(const auto reader, open_tar(source));
    Unpacked used;
    Budget budget(limits, used);
    TreeWriter parts{os::Fd(::dup(folder))};
    archive_entry* entry = nullptr;
    for (;;) {
        const int status = archive_read_next_header(reader.get(), &entry);
        if (status == ARCHIVE_EOF) return {};
        if (status < ARCHIVE_WARN) return broken(archive_error_string(reader.get()));
        CICD_CHECK(budget.entry());
        const auto name = name_of(entry);
        if (archive_entry_filetype(entry) == AE_IFLNK) {
            on_link(name, text_of(archive_entry_symlink_utf8(entry), archive_entry_symlink(entry)));
        } else if (const auto to = text_of(archive_entry_hardlink_utf8(entry), archive_entry_hardlink(entry)); !to.empty()) {
            CICD_CHECK(parts.hard_link(name, to));
        } else if (archive_entry_filetype(entry) == AE_IFREG) {
            CICD_TRY(const auto out, parts.file(name, 0600));
            CICD_CHECK(copy_data(reader.get(), entry, out.get(), budget));
        }
    }
}

}  // namespace cicd::images
