#include "daemon/archives/unpack.hpp"

#include "common/base/time.hpp"
#include "daemon/archives/tree.hpp"
#include "daemon/archives/utf8.hpp"
#include "daemon/objects/packer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

namespace cicd::archives {
namespace {

using objects::Entry;

constexpr std::size_t piece = 256 << 10;

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

Error broken(archive* reader) {
    const char* why = archive_error_string(reader);
    return invalid("ARTIFACT_006", std::string("the archive is damaged or not complete: ") + objects::shown(why ? why : "it cannot be read"),
                   "nothing of it was stored; tar (also .gz, .zst, .xz, .bz2) and zip can be unpacked");
}

/// Not every filter and format that there is: some start programs, and nobody needs the odd ones. A zip archive is read by
/// the directory at its end, so that one that was cut off is no archive.
Result<Reader> open(int file) {
    Reader reader(archive_read_new(), archive_read_free);
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_filter_xz(reader.get());
    archive_read_support_filter_bzip2(reader.get());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_zip_seekable(reader.get());
    if (::lseek(file, 0, SEEK_SET) != 0) return os::last_error("cannot read the archive");
    if (archive_read_open_fd(reader.get(), file, piece) != ARCHIVE_OK) return broken(reader.get());
    return reader;
}

std::string text_of(const char* utf8, const char* raw) { return utf8 ? utf8 : raw ? raw : ""; }

class Unpack {
public:
    Unpack(const objects::ObjectStore& store, archive* reader, const UnpackLimits& limits, std::uint64_t archive_size)
        : store_(store), reader_(reader), limits_(limits), tree_(limits_),
          packer_(store, objects::Durability::lasting, tree_.manifest()),
          most_(std::min(limits.bytes, limits.free_ratio + limits.ratio * archive_size)) {}

    Result<objects::SavedTree> run() {
        archive_entry* entry = nullptr;
        for (;;) {
            const int status = archive_read_next_header(reader_, &entry);
            if (status == ARCHIVE_EOF) break;
            if (status < ARCHIVE_WARN) return broken(reader_);
            CICD_CHECK(take(entry));
        }
        CICD_CHECK(packer_.close());
        tree_.sort();
        const auto& manifest = tree_.manifest();
        if (manifest.entries.empty()) return invalid("ARTIFACT_006", "the archive is empty", "upload one that holds something");
        CICD_TRY(const auto stored, store_.put(objects::to_text(manifest), objects::Durability::lasting));
        return objects::SavedTree{stored.digest, manifest.size(), manifest.files(), manifest.entries.size(), {}};
    }

private:
    Result<void> take(archive_entry* from) {
        const auto written = text_of(archive_entry_pathname_utf8(from), archive_entry_pathname(from));
        if (written.empty()) return refused("", "is an entry without a name");
        if (archive_entry_is_encrypted(from) != 0) return refused(written, "is encrypted");
        CICD_TRY(auto path, Tree::inner_path(written));
        const auto kind = archive_entry_filetype(from);
        if (const auto to = text_of(archive_entry_hardlink_utf8(from), archive_entry_hardlink(from)); !to.empty())
            return hard_link(std::move(path), to);
        if (path.empty()) return kind == AE_IFDIR ? Result<void>{} : refused(written, "has no name");
        Entry entry;
        entry.path = std::move(path);
        entry.mode = archive_entry_perm(from) & 0777;
        switch (kind) {
            case AE_IFREG: return file(from, std::move(entry));
            case AE_IFDIR:
                entry.kind = Entry::Kind::folder;
                return tree_.add(std::move(entry));
            case AE_IFLNK:
                entry.kind = Entry::Kind::link;
                entry.mode = 0777;
                entry.target = text_of(archive_entry_symlink_utf8(from), archive_entry_symlink(from));
                if (!objects::stays_inside(entry.path, entry.target) || !objects::is_plain_name(entry.target))
                    return refused(entry.path, "is a link that may lead out: to '" + objects::shown(entry.target) + "'");
                return tree_.add(std::move(entry));
            case AE_IFIFO: return refused(entry.path, "is a pipe");
            case AE_IFSOCK: return refused(entry.path, "is a socket");
            default: return refused(entry.path, "is a device");
        }
    }

    Result<void> hard_link(std::string path, const std::string& to) {
        CICD_TRY(const auto target, Tree::inner_path(to));
        const auto* known = tree_.file(target);
        if (!known || path.empty())
            return refused(path, "is a hard link to '" + objects::shown(to) + "', which is no file before it in the archive");
        auto entry = *known;
        entry.path = std::move(path);
        CICD_CHECK(count(entry.path, entry.size));
        return tree_.add(std::move(entry));
    }

    Result<void> count(const std::string& path, std::uint64_t more) {
        total_ += more;
        if (total_ <= most_) return {};
        if (most_ == limits_.bytes)
            return refused(path, "is too much: there is room for " + humanize_size(most_) + " of what it unpacks to");
        return refused(path, "is too much: the archive unpacks to more than " + std::to_string(limits_.ratio) + " times its own size");
    }

    /// Holes of a sparse file come as zeros, and count as such.
    Result<std::size_t> read(const std::string& path, char* into, std::size_t size) {
        const auto n = archive_read_data(reader_, into, size);
        if (n < 0) return broken(reader_);
        CICD_CHECK(count(path, static_cast<std::uint64_t>(n)));
        return static_cast<std::size_t>(n);
    }

    Result<void> file(archive_entry* from, Entry entry) {
        const auto told = archive_entry_size_is_set(from) != 0 ? archive_entry_size(from) : 0;
        if (told < 0) return refused(entry.path, "has no size");
        // What says so itself is not read at all.
        if (static_cast<std::uint64_t>(told) > most_ - std::min(most_, total_)) CICD_CHECK(count(entry.path, static_cast<std::uint64_t>(told)));
        buffer_.resize(piece);
        std::size_t filled = 0;
        while (filled < objects::packed_below) {
            CICD_TRY(const auto n, read(entry.path, buffer_.data() + filled, objects::packed_below - filled));
            if (n == 0) break;
            filled += n;
        }
        if (filled < objects::packed_below) {
            CICD_CHECK(packer_.add(entry, [&](char* into, std::size_t) -> Result<std::size_t> {
                std::copy_n(buffer_.data(), filled, into);
                return filled;
            }));
            return tree_.add(std::move(entry));
        }
        CICD_TRY(auto out, store_.writer());
        while (filled > 0) {
            CICD_CHECK(out.add({buffer_.data(), filled}));
            CICD_TRY(filled, read(entry.path, buffer_.data(), buffer_.size()));
        }
        CICD_TRY(auto stored, out.finish(objects::Durability::lasting));
        entry.size = stored.size;
        entry.digest = std::move(stored.digest);
        return tree_.add(std::move(entry));
    }

    const objects::ObjectStore& store_;
    archive* reader_;
    const UnpackLimits& limits_;
    Tree tree_;
    objects::Packer packer_;
    std::uint64_t most_, total_ = 0;
    std::vector<char> buffer_;
};

}  // namespace

Result<objects::SavedTree> unpack(const objects::ObjectStore& store, int file, const UnpackLimits& limits) {
    struct stat facts {};
    if (::fstat(file, &facts) != 0) return os::last_error("cannot read the archive");
    if (facts.st_size == 0) return invalid("ARTIFACT_006", "the archive is empty", "upload one that holds something");
    const Utf8 names;
    CICD_TRY(const auto reader, open(file));
    return Unpack(store, reader.get(), limits, static_cast<std::uint64_t>(facts.st_size)).run();
}

}  // namespace cicd::archives
