#include "daemon/upkeep/archive.hpp"

#include "daemon/os/fd.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace cicd::upkeep {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t piece = 64 * 1024;

Error cannot(const std::string& what, archive* handle) {
    const char* why = handle ? archive_error_string(handle) : nullptr;
    return unavailable("BACKUP_001", "cannot " + what + (why ? std::string(": ") + why : std::string()));
}

Error not_a_backup(const fs::path& file, const std::string& why) {
    return invalid("BACKUP_002", file.string() + " cannot be restored: " + why,
                   "nothing was changed; take another backup");
}

struct CloseReader {
    void operator()(archive* handle) const { archive_read_free(handle); }
};

bool leads_elsewhere(const fs::path& name) {
    if (name.empty() || name.is_absolute()) return true;
    for (const auto& part : name)
        if (part == ".." || part == "." || part.empty()) return true;
    return false;
}

}  // namespace

struct Digest::State {
    crypto_hash_sha256_state hash{};
};
Digest::Digest() : state_(std::make_unique<State>()) { crypto_hash_sha256_init(&state_->hash); }
Digest::~Digest() = default;
void Digest::feed(std::string_view bytes) {
    crypto_hash_sha256_update(&state_->hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}
std::string Digest::finish() {
    std::array<unsigned char, crypto_hash_sha256_BYTES> bytes{};
    crypto_hash_sha256_final(&state_->hash, bytes.data());
    std::string text;
    for (const auto byte : bytes) text += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    return text;
}

struct ArchiveWriter::State {
    fs::path path;
    os::Fd file;
    archive* handle = nullptr;
    Digest digest;
    std::uint64_t size = 0;
    int failure = 0;

    ~State() {
        if (handle) archive_write_free(handle);
    }
    static la_ssize_t write(archive* handle, void* self, const void* data, std::size_t size) {
        auto& state = *static_cast<State*>(self);
        std::string_view bytes(static_cast<const char*>(data), size);
        state.digest.feed(bytes);
        state.size += size;
        while (!bytes.empty()) {
            const auto n = ::write(state.file.get(), bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) {
                archive_set_error(handle, errno, "%s", std::strerror(errno));
                return -1;
            }
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return static_cast<la_ssize_t>(size);
    }
};

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveWriter::~ArchiveWriter() = default;

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::create(const fs::path& file) {
    auto state = std::make_unique<State>();
    state->path = file;
    state->file = os::Fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!state->file) return os::last_error("cannot create " + file.string());
    state->handle = archive_write_new();
    archive_write_set_bytes_in_last_block(state->handle, 1);  // no zeros behind the packed bytes: other programs mind them
    if (archive_write_set_format_pax_restricted(state->handle) != ARCHIVE_OK ||
        archive_write_add_filter_zstd(state->handle) != ARCHIVE_OK ||
        archive_write_open(state->handle, state.get(), nullptr, &State::write, nullptr) != ARCHIVE_OK)
        return cannot("write " + file.string(), state->handle);
    return std::unique_ptr<ArchiveWriter>(new ArchiveWriter(std::move(state)));
}

namespace {
Result<void> begin_entry(archive* handle, const std::string& name, std::uint64_t size, int mode) {
    auto* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, static_cast<mode_t>(mode));
    archive_entry_set_size(entry, static_cast<la_int64_t>(size));
    const auto outcome = archive_write_header(handle, entry);
    archive_entry_free(entry);
    if (outcome != ARCHIVE_OK) return cannot("add " + name, handle);
    return {};
}

Result<void> add_bytes(archive* handle, const std::string& name, std::string_view bytes) {
    if (!bytes.empty() && archive_write_data(handle, bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
        return cannot("add " + name, handle);
    return {};
}
}  // namespace

Result<ArchiveWriter::Added> ArchiveWriter::add_text(const std::string& name, std::string_view text, int mode) {
    Digest digest;
    digest.feed(text);
    CICD_CHECK(begin_entry(state_->handle, name, text.size(), mode));
    CICD_CHECK(add_bytes(state_->handle, name, text));
    return Added{text.size(), digest.finish()};
}

Result<ArchiveWriter::Added> ArchiveWriter::add_file(const std::string& name, const fs::path& file, int mode) {
    const os::Fd source(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat facts {};
    if (!source || ::fstat(source.get(), &facts) != 0) return os::last_error("cannot read " + file.string());
    auto left = static_cast<std::uint64_t>(facts.st_size);
    const Added whole{left, {}};
    CICD_CHECK(begin_entry(state_->handle, name, left, mode));
    Digest digest;
    std::string buffer(piece, '\0');
    while (left > 0) {
        const auto n = ::read(source.get(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? os::last_error("cannot read " + file.string())
                                 : internal_error(file.string() + " became shorter while it was read");
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
        digest.feed(bytes);
        CICD_CHECK(add_bytes(state_->handle, name, bytes));
        left -= static_cast<std::uint64_t>(n);
    }
    return Added{whole.size, digest.finish()};
}

Result<ArchiveWriter::Added> ArchiveWriter::finish() {
    if (archive_write_close(state_->handle) != ARCHIVE_OK) return cannot("write " + state_->path.string(), state_->handle);
    if (::fsync(state_->file.get()) != 0) return os::last_error("cannot write " + state_->path.string());
    return Added{state_->size, state_->digest.finish()};
}

Result<void> read_archive(const fs::path& file, const std::function<Result<Sink>(const ArchivedFile&)>& open) {
    if (!fs::exists(file)) return not_found("BACKUP_003", "there is no file " + file.string());
    const std::unique_ptr<archive, CloseReader> handle(archive_read_new());
    archive_read_support_filter_zstd(handle.get());
    archive_read_support_format_tar(handle.get());
    const auto broken = [&] {
        const char* why = archive_error_string(handle.get());
        return not_a_backup(file, std::string("it is damaged or no backup") + (why ? std::string(" (") + why + ")" : ""));
    };
    if (archive_read_open_filename(handle.get(), file.c_str(), piece) != ARCHIVE_OK) return broken();
    archive_entry* entry = nullptr;
    for (;;) {
        const int outcome = archive_read_next_header(handle.get(), &entry);
        if (outcome == ARCHIVE_EOF) return {};
        if (outcome != ARCHIVE_OK) return broken();
        const char* name = archive_entry_pathname(entry);
        if (!name || leads_elsewhere(name))
            return not_a_backup(file, "it holds the path '" + std::string(name ? name : "") + "', which leads elsewhere");
        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) || archive_entry_symlink(entry))
            return not_a_backup(file, "'" + std::string(name) + "' in it is no ordinary file");
        CICD_TRY(const auto sink, open({name, static_cast<int>(archive_entry_perm(entry)),
                                        static_cast<std::uint64_t>(archive_entry_size(entry))}));
        std::string buffer(piece, '\0');
        for (;;) {
            const auto n = archive_read_data(handle.get(), buffer.data(), buffer.size());
            if (n < 0) return broken();
            if (n == 0) break;
            CICD_CHECK(sink(std::string_view(buffer.data(), static_cast<std::size_t>(n))));
        }
    }
}

}  // namespace cicd::upkeep
