#include "daemon/archives/pack.hpp"

#include "daemon/archives/utf8.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <optional>
#include <utility>
#include <vector>

namespace cicd::archives {

using objects::Entry;

namespace {

constexpr std::size_t at_once = 256 << 10;

la_ssize_t append(archive*, void* out, const void* bytes, std::size_t size) {
    static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

}  // namespace

struct Packing::State {
    explicit State(objects::ObjectStore from) : store(std::move(from)) {}

    objects::ObjectStore store;
    objects::Manifest manifest;
    std::string out;  ///< outlives the archive, which writes to it when it is freed
    std::unique_ptr<archive, int (*)(archive*)> writer{archive_write_new(), archive_write_free};
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry{archive_entry_new(), archive_entry_free};
    std::size_t at = 0;
    std::optional<objects::Reader> reader;
    std::uint64_t left = 0;
    bool closed = false;
    std::vector<char> buffer = std::vector<char>(at_once);

    Error failed() const {
        const char* why = archive_error_string(writer.get());
        return internal_error(std::string("the archive cannot be made: ") + (why ? why : "unknown reason"));
    }

    Result<void> header(const Entry& from) {
        archive_entry_clear(entry.get());
        archive_entry_copy_pathname(entry.get(), (from.path + (from.kind == Entry::Kind::folder ? "/" : "")).c_str());
        archive_entry_set_perm(entry.get(), from.mode);
        archive_entry_set_mtime(entry.get(), 0, 0);
        switch (from.kind) {
            case Entry::Kind::folder: archive_entry_set_filetype(entry.get(), AE_IFDIR); break;
            case Entry::Kind::link:
                archive_entry_set_filetype(entry.get(), AE_IFLNK);
                archive_entry_copy_symlink(entry.get(), from.target.c_str());
                break;
            case Entry::Kind::file:
                archive_entry_set_filetype(entry.get(), AE_IFREG);
                archive_entry_set_size(entry.get(), static_cast<la_int64_t>(from.size));
                break;
        }
        if (archive_write_header(writer.get(), entry.get()) < ARCHIVE_WARN) return failed();
        if (from.kind != Entry::Kind::file) return {};
        left = from.size;
        const bool packed = from.pack >= 0;
        CICD_TRY(reader, store.open(packed ? manifest.packs[static_cast<std::size_t>(from.pack)].digest : from.digest));
        return reader->skip(packed ? from.offset : 0);
    }

    Result<void> content() {
        CICD_TRY(const std::size_t n, reader->read(buffer.data(), std::min<std::uint64_t>(left, buffer.size())));
        if (n == 0) return Error{ErrorKind::internal, "OBJECT_002", "what is kept of '" + manifest.entries[at - 1].path + "' is too short", "", {}};
        if (archive_write_data(writer.get(), buffer.data(), n) < 0) return failed();
        left -= n;
        return {};
    }

    Result<void> step() {
        if (left > 0) return content();
        reader.reset();
        if (at < manifest.entries.size()) return header(manifest.entries[at++]);
        closed = true;
        return archive_write_close(writer.get()) == ARCHIVE_OK ? Result<void>{} : Result<void>(failed());
    }
};

Packing::Packing(std::unique_ptr<State> state) : state_(std::move(state)) {}
Packing::~Packing() = default;
Packing::Packing(Packing&&) noexcept = default;

Result<Packing> Packing::begin(const objects::ObjectStore& store, objects::Manifest manifest, Format format) {
    const Utf8 names;
    auto state = std::make_unique<State>(store);
    state->manifest = std::move(manifest);
    auto* writer = state->writer.get();
    bool good = true;
    switch (format) {
        case Format::zip: good = archive_write_set_format_zip(writer) == ARCHIVE_OK; break;
        case Format::tar_zst:
            good = archive_write_set_format_pax_restricted(writer) == ARCHIVE_OK && archive_write_add_filter_zstd(writer) == ARCHIVE_OK;
            break;
    }
    archive_write_set_bytes_in_last_block(writer, 1);
    if (!good || archive_write_open(writer, &state->out, nullptr, append, nullptr) != ARCHIVE_OK) return state->failed();
    return Packing(std::move(state));
}

Result<std::string> Packing::next() {
    const Utf8 names;
    while (!state_->closed && state_->out.size() < at_once) CICD_CHECK(state_->step());
    return std::exchange(state_->out, {});
}

}  // namespace cicd::archives
