#include "daemon/objects/object_store.hpp"

#include "common/base/time.hpp"
#include "daemon/os/files.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace cicd::objects {

namespace fs = std::filesystem;

namespace {

constexpr int level = 1;  // deeper ones cost more time than the disk they save
constexpr std::size_t at_once = std::size_t{1} << 20;
constexpr std::size_t probed = std::size_t{128} << 10;

using Compressor = std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)>;

Error damaged(const std::string& digest, const std::string& how) {
    return {ErrorKind::internal, "OBJECT_002", "object " + digest.substr(0, 12) + "… " + how,
            "'cicdctl doctor --deep' names what needs it", {}};
}

Result<void> write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("cannot write an object");
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<std::size_t> read_some(int fd, char* into, std::size_t size, off_t at) {
    for (;;) {
        const ssize_t n = ::pread(fd, into, size, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("cannot read");
        return static_cast<std::size_t>(n);
    }
}

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

/// Calls back with all bytes of a file, a MiB at a time.
template <class Take>
Result<std::uint64_t> for_each_piece(int fd, Take take) {
    std::vector<char> buffer(at_once);
    off_t at = 0;
    for (;;) {
        CICD_TRY(const std::size_t n, read_some(fd, buffer.data(), buffer.size(), at));
        if (n == 0) return static_cast<std::uint64_t>(at);
        CICD_CHECK(take(std::string_view(buffer.data(), n)));
        at += static_cast<off_t>(n);
    }
}

}  // namespace

/// Compresses what it is given into a file.
class Deflater {
public:
    explicit Deflater(int file) : file_(file), context_(ZSTD_createCCtx(), ZSTD_freeCCtx), out_(ZSTD_CStreamOutSize()) {
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
    }
    Result<void> add(std::string_view bytes) { return run(bytes, ZSTD_e_continue); }
    Result<void> finish() { return run({}, ZSTD_e_end); }

private:
    Result<void> run(std::string_view bytes, ZSTD_EndDirective directive) {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (std::size_t left = 1; in.pos < in.size || (directive == ZSTD_e_end && left != 0);) {
            ZSTD_outBuffer to{out_.data(), out_.size(), 0};
            left = ZSTD_compressStream2(context_.get(), &to, &in, directive);
            if (ZSTD_isError(left) != 0) return internal_error(std::string("cannot compress: ") + ZSTD_getErrorName(left));
            CICD_CHECK(write_all(file_, std::string_view(out_.data(), to.pos)));
        }
        return {};
    }

    int file_;
    Compressor context_;
    std::vector<char> out_;
};

bool compresses_well(std::string_view begin) {
    begin = begin.substr(0, probed);
    if (begin.size() < 512) return false;
    std::vector<char> out(ZSTD_compressBound(begin.size()));
    const auto size = ZSTD_compress(out.data(), out.size(), begin.data(), begin.size(), level);
    return ZSTD_isError(size) == 0 && size < begin.size() / 10 * 7;
}

struct Reader::State {
    std::string digest;
    os::Fd file;
    bool compressed = false;
    std::uint64_t size = 0;  ///< of the file
    off_t at = 0;
    std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context{nullptr, ZSTD_freeDCtx};
    std::vector<char> input;
    ZSTD_inBuffer pending{nullptr, 0, 0};
    bool frame_open = true;

    Result<std::size_t> inflate(char* into, std::size_t size_wanted) {
        ZSTD_outBuffer out{into, size_wanted, 0};
        while (out.pos == 0) {
            if (pending.pos == pending.size) {
                CICD_TRY(const std::size_t n, read_some(file.get(), input.data(), input.size(), at));
                if (n == 0) return frame_open ? Result<std::size_t>(damaged(digest, "ends too early")) : Result<std::size_t>(0);
                at += static_cast<off_t>(n);
                pending = {input.data(), n, 0};
            }
            const auto left = ZSTD_decompressStream(context.get(), &out, &pending);
            if (ZSTD_isError(left) != 0) return damaged(digest, std::string("cannot be decompressed: ") + ZSTD_getErrorName(left));
            frame_open = left != 0;
        }
        return out.pos;
    }
};

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

int Reader::plain_fd() const { return state_->compressed ? -1 : state_->file.get(); }
std::uint64_t Reader::plain_size() const { return state_->compressed ? 0 : state_->size; }

Result<std::size_t> Reader::read(char* into, std::size_t size) {
    if (state_->compressed) return state_->inflate(into, size);
    CICD_TRY(const std::size_t n, read_some(state_->file.get(), into, size, state_->at));
    state_->at += static_cast<off_t>(n);
    return n;
}

Result<void> Reader::skip(std::uint64_t bytes) {
    if (!state_->compressed) {
        state_->at += static_cast<off_t>(bytes);
        return {};
    }
    std::vector<char> buffer(std::min<std::uint64_t>(bytes, at_once));
    while (bytes > 0) {
        CICD_TRY(const std::size_t n, read(buffer.data(), std::min<std::uint64_t>(bytes, buffer.size())));
        if (n == 0) return damaged(state_->digest, "is too short");
        bytes -= n;
    }
    return {};
}

fs::path ObjectStore::path(const std::string& digest, bool compressed) const {
    return folder_ / digest.substr(0, 2) / (digest.substr(2) + (compressed ? ".zst" : ""));
}

Result<os::Fd> ObjectStore::nameless() const {
    os::Fd file(::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0444));
    if (!file && errno == ENOENT) {
        if (const auto error = os::make_private_directory(folder_))
            return unavailable("OBJECT_003", "cannot create " + folder_.string() + ": " + error.message());
        file = os::Fd(::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0444));
    }
    if (!file) return os::last_error("cannot create an object in " + folder_.string());
    return file;
}

/// Bytes first, then the name, then the folder that holds it: whatever is killed when, a name stands for all the bytes.
Result<void> ObjectStore::name(int fd, const std::string& digest, bool compressed, Durability durability) const {
    const auto target = path(digest, compressed);
    if (durability == Durability::lasting && ::fdatasync(fd) != 0) return os::last_error("cannot sync an object");
    for (int attempt = 0;; ++attempt) {
        if (::linkat(AT_FDCWD, proc_path(fd).c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0) break;
        if (errno == EEXIST) {
            // Its age is what keeps it from being collected before somebody refers to it (collect.cpp).
            if (::utimensat(AT_FDCWD, target.c_str(), nullptr, 0) == 0 || errno != ENOENT) break;
            continue;
        }
        if (errno != ENOENT || attempt == 5) return os::last_error("cannot name the object " + target.string());
        for (const auto& folder : {folder_, target.parent_path()})
            if (const auto error = os::make_private_directory(folder))
                return unavailable("OBJECT_003", "cannot create " + folder.string() + ": " + error.message());
        if (durability == Durability::lasting) CICD_CHECK(os::sync_directory(folder_));
    }
    return durability == Durability::lasting ? os::sync_directory(target.parent_path()) : Result<void>{};
}

bool ObjectStore::has(const std::string& digest) const {
    return ::access(path(digest, false).c_str(), F_OK) == 0 || ::access(path(digest, true).c_str(), F_OK) == 0;
}

Result<Stored> ObjectStore::put(std::string_view bytes, Durability durability) const {
    Stored stored{sha256_of(bytes), bytes.size()};
    CICD_TRY(const auto file, nameless());
    const bool compress = compresses_well(bytes);
    if (compress) {
        std::vector<char> out(ZSTD_compressBound(bytes.size()));
        const auto size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level);
        if (ZSTD_isError(size) != 0) return internal_error(std::string("cannot compress: ") + ZSTD_getErrorName(size));
        CICD_CHECK(write_all(file.get(), std::string_view(out.data(), size)));
    } else {
        CICD_CHECK(write_all(file.get(), bytes));
    }
    CICD_CHECK(name(file.get(), stored.digest, compress, durability));
    return stored;
}

Result<Stored> ObjectStore::put_compressed(int fd, Durability durability) const {
    CICD_TRY(const auto file, nameless());
    Deflater deflater(file.get());
    Sha256 hash;
    CICD_TRY(const auto size, for_each_piece(fd, [&](std::string_view bytes) -> Result<void> {
        hash.add(bytes);
        return deflater.add(bytes);
    }));
    CICD_CHECK(deflater.finish());
    Stored stored{hash.finish(), size};
    CICD_CHECK(name(file.get(), stored.digest, true, durability));
    return stored;
}

Result<Stored> ObjectStore::put_file(int fd, int layer, std::uint64_t size, Durability durability) const {
    std::vector<char> begin(probed);
    CICD_TRY(const std::size_t some, read_some(fd, begin.data(), begin.size(), 0));
    if (compresses_well({begin.data(), some})) return put_compressed(fd, durability);
    Sha256 hash;
    if (layer >= 0) {
        struct stat facts {};
        CICD_TRY(const auto read, for_each_piece(layer, [&](std::string_view bytes) -> Result<void> {
            hash.add(bytes);
            return {};
        }));
        Stored stored{hash.finish(), read};
        // Read-only from now on; whoever has it open for writing is dead.
        if (read == size && ::fchmod(layer, 0444) == 0 && ::fstat(layer, &facts) == 0 &&
            name(layer, stored.digest, false, durability))
            return stored;
    }
    CICD_TRY(const auto file, nameless());
    const bool cloned = layer >= 0 && ::ioctl(file.get(), FICLONE, layer) == 0;
    if (!cloned) (void)::posix_fallocate(file.get(), 0, static_cast<off_t>(std::max<std::uint64_t>(size, 1)));
    CICD_TRY(const auto read, for_each_piece(fd, [&](std::string_view bytes) -> Result<void> {
        hash.add(bytes);
        return cloned ? Result<void>{} : write_all(file.get(), bytes);
    }));
    if (!cloned && ::ftruncate(file.get(), static_cast<off_t>(read)) != 0) return os::last_error("cannot write an object");
    Stored stored{hash.finish(), read};
    CICD_CHECK(name(file.get(), stored.digest, false, durability));
    return stored;
}

Result<ObjectStore::Writer> ObjectStore::writer(bool as_it_is) const {
    CICD_TRY(auto file, nameless());
    return Writer(*this, std::move(file), as_it_is);
}

ObjectStore::Writer::Writer(const ObjectStore& store, os::Fd file, bool as_it_is)
    : store_(store), file_(std::move(file)), decided_(as_it_is) {}
ObjectStore::Writer::~Writer() = default;
ObjectStore::Writer::Writer(Writer&&) noexcept = default;

Result<void> ObjectStore::Writer::add(std::string_view bytes) {
    hash_.add(bytes);
    size_ += bytes.size();
    if (decided_) return write(bytes);
    begin_ += bytes;
    return begin_.size() < probed ? Result<void>{} : decide();
}

Result<void> ObjectStore::Writer::decide() {
    decided_ = true;
    if (compresses_well(begin_)) deflater_ = std::make_unique<Deflater>(file_.get());
    const auto begin = std::exchange(begin_, {});
    return write(begin);
}

Result<void> ObjectStore::Writer::write(std::string_view bytes) {
    return deflater_ ? deflater_->add(bytes) : write_all(file_.get(), bytes);
}

Result<Stored> ObjectStore::Writer::finish(Durability durability) {
    if (!decided_) CICD_CHECK(decide());
    if (deflater_) CICD_CHECK(deflater_->finish());
    Stored stored{hash_.finish(), size_};
    CICD_CHECK(store_.name(file_.get(), stored.digest, deflater_ != nullptr, durability));
    return stored;
}

Result<Reader> ObjectStore::open(const std::string& digest) const {
    if (!is_digest(digest)) return internal_error("'" + digest.substr(0, 80) + "' is no digest");
    auto state = std::make_unique<Reader::State>();
    state->digest = digest;
    state->file = os::Fd(::open(path(digest, false).c_str(), O_RDONLY | O_CLOEXEC));
    if (!state->file) {
        state->file = os::Fd(::open(path(digest, true).c_str(), O_RDONLY | O_CLOEXEC));
        state->compressed = true;
        state->context.reset(ZSTD_createDCtx());
        state->input.resize(ZSTD_DStreamInSize());
    }
    struct stat facts {};
    if (!state->file || ::fstat(state->file.get(), &facts) != 0) {
        if (errno == ENOENT)
            return not_found("OBJECT_001", "object " + digest.substr(0, 12) + "… is not kept here",
                             "it expired, was deleted, or the disk lost it: 'cicdctl doctor --deep' tells");
        return os::last_error("cannot read the object " + digest.substr(0, 12) + "…");
    }
    state->size = static_cast<std::uint64_t>(facts.st_size);
    return Reader(std::move(state));
}

Result<std::string> ObjectStore::read(const std::string& digest, std::uint64_t most) const {
    CICD_TRY(auto reader, open(digest));
    std::string bytes;
    std::vector<char> buffer(at_once);
    for (;;) {
        CICD_TRY(const std::size_t n, reader.read(buffer.data(), buffer.size()));
        if (n == 0) return bytes;
        if (bytes.size() + n > most) return damaged(digest, "is larger than " + humanize_size(most));
        bytes.append(buffer.data(), n);
    }
}

Result<void> ObjectStore::verify(const std::string& digest) const {
    CICD_TRY(auto reader, open(digest));
    Sha256 hash;
    std::vector<char> buffer(at_once);
    for (;;) {
        CICD_TRY(const std::size_t n, reader.read(buffer.data(), buffer.size()));
        if (n == 0) break;
        hash.add({buffer.data(), n});
    }
    const auto found = hash.finish();
    if (found != digest) return damaged(digest, "holds other bytes than were put there (they hash to " + found.substr(0, 12) + "…)");
    return {};
}

}  // namespace cicd::objects
