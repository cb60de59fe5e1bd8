#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// One file that holds many: tar, packed with zstd. The only user of libarchive.
namespace cicd::upkeep {

/// SHA-256 of what it is fed, as hexadecimal digits.
class Digest {
public:
    Digest();
    ~Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;
    void feed(std::string_view bytes);
    std::string finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

class ArchiveWriter {
public:
    /// Writes to a file of its own, 0600, which must not be there yet.
    static Result<std::unique_ptr<ArchiveWriter>> create(const std::filesystem::path& file);
    ~ArchiveWriter();

    struct Added {
        std::uint64_t size = 0;
        std::string sha256;
    };
    Result<Added> add_text(const std::string& name, std::string_view text, int mode = 0600);
    /// As many bytes as it has now: a file that grows meanwhile ends where it ended.
    Result<Added> add_file(const std::string& name, const std::filesystem::path& file, int mode = 0600);
    /// Durable when it returns. The digest is of the whole archive.
    Result<Added> finish();

    struct State;

private:
    explicit ArchiveWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// An entry of an archive while it is read. Only ordinary files are ever handed out.
struct ArchivedFile {
    std::string name;  ///< relative, without "." and ".."
    int mode = 0600;
    std::uint64_t size = 0;
};
/// Calls `open` for each file in order; what it returns takes the bytes. Links, devices and names that lead elsewhere are
/// refused before anything of them is read.
using Sink = std::function<Result<void>(std::string_view bytes)>;
Result<void> read_archive(const std::filesystem::path& file, const std::function<Result<Sink>(const ArchivedFile&)>& open);

}  // namespace cicd::upkeep
