#pragma once

#include "common/base/result.hpp"
#include "daemon/objects/sha256.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

/// Bytes by their digest: `<state>/objects/ab/cdef…`, as they are or compressed (`….zst`). An object appears whole or not
/// at all and is never changed. The digest is of the bytes, not of how they are kept.
namespace cicd::objects {

/// `lasting`: on disk before anybody is told. Caches do without: they are checked after a crash instead.
enum class Durability { lasting, fleeting };

struct Stored {
    std::string digest;
    std::uint64_t size = 0;
};

/// Reads one object from its begin to its end.
class Reader {
public:
    ~Reader();
    Reader(Reader&&) noexcept;
    Reader& operator=(Reader&&) noexcept;
    /// Up to `size` bytes; 0: the end. A damaged object fails here.
    Result<std::size_t> read(char* into, std::size_t size);
    /// Passes over so many bytes.
    Result<void> skip(std::uint64_t bytes);
    /// Where the object is kept as it is: its file, for copies inside the kernel. Else -1.
    [[nodiscard]] int plain_fd() const;
    /// Of the bytes, where the object is kept as it is.
    [[nodiscard]] std::uint64_t plain_size() const;

private:
    friend class ObjectStore;
    struct State;
    explicit Reader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

class ObjectStore {
public:
    /// `<state>/objects`; made when something is put there.
    explicit ObjectStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

    Result<Stored> put(std::string_view bytes, Durability durability) const;
    /// All of an open file from its begin. `layer`, where it is not -1, is the same file on the store's own file system
    /// (or the file itself), which nobody changes any more: it may become the object.
    Result<Stored> put_file(int fd, int layer, std::uint64_t size, Durability durability) const;
    /// Bytes as they come, such as an upload; `as_it_is`: never compressed, for one that is to be read where it lies.
    class Writer;
    Result<Writer> writer(bool as_it_is = false) const;

    [[nodiscard]] bool has(const std::string& digest) const;
    /// not_found (OBJECT_001) where there is none of that digest.
    Result<Reader> open(const std::string& digest) const;
    Result<std::string> read(const std::string& digest, std::uint64_t most) const;
    /// Reads it all and compares: OBJECT_002 says what is wrong.
    Result<void> verify(const std::string& digest) const;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path path(const std::string& digest, bool compressed) const;

private:
    friend class Writer;
    /// A file without a name, on the store's file system.
    Result<os::Fd> nameless() const;
    /// Gives it its name. Another one of the same digest that is there already is as good.
    Result<void> name(int fd, const std::string& digest, bool compressed, Durability durability) const;
    Result<Stored> put_compressed(int fd, Durability durability) const;

    std::filesystem::path folder_;
};

class Deflater;

/// Outlived by its store. What is not finished leaves nothing behind.
class ObjectStore::Writer {
public:
    ~Writer();
    Writer(Writer&&) noexcept;
    Result<void> add(std::string_view bytes);
    [[nodiscard]] std::uint64_t size() const { return size_; }
    Result<Stored> finish(Durability durability);
    /// Of what was added so far, where it is kept as it is: it has no name.
    [[nodiscard]] int fd() const { return file_.get(); }

private:
    friend class ObjectStore;
    Writer(const ObjectStore& store, os::Fd file, bool as_it_is);
    Result<void> decide();
    Result<void> write(std::string_view bytes);

    const ObjectStore& store_;
    os::Fd file_;
    bool decided_;       ///< whether it pays to compress
    std::string begin_;  ///< until that is known
    std::unique_ptr<Deflater> deflater_;
    Sha256 hash_;
    std::uint64_t size_ = 0;
};

/// Whether compressing pays: by these first bytes.
bool compresses_well(std::string_view begin);

}  // namespace cicd::objects
