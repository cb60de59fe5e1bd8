#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What an artifact or a cache is made of: paths, and where their bytes lie. Kept as an object itself, so that its digest
/// names the whole content. The text is the same for the same content:
///
///     cicd-manifest 1
///     p DIGEST SIZE                          a pack: small files one after another
///     d MODE PATH                            a folder
///     f MODE SIZE DIGEST WHERE TIME PATH     a file; WHERE: `-`, an object of its own, or PACK:OFFSET; TIME: `-` or ns
///     l TARGET PATH                          a symbolic link
///
/// Modes are octal; bytes up to space, `%` and DEL are written as %XX. Folders stand before what is in them.
namespace cicd::objects {

struct Entry {
    enum class Kind { folder, file, link } kind = Kind::file;
    std::string path;  ///< relative, without `.` and `..`
    unsigned mode = 0644;
    std::uint64_t size = 0;
    std::string digest;
    int pack = -1;              ///< -1: an object of its own
    std::uint64_t offset = 0;   ///< in the pack
    std::optional<std::int64_t> time;  ///< nanoseconds since the epoch; caches keep them, artifacts do not
    std::string target;         ///< of a link
    bool operator==(const Entry&) const = default;
};

struct Pack {
    std::string digest;
    std::uint64_t size = 0;
    bool operator==(const Pack&) const = default;
};

struct Manifest {
    std::vector<Pack> packs;
    std::vector<Entry> entries;

    [[nodiscard]] std::uint64_t size() const;   ///< bytes of all files
    [[nodiscard]] std::uint64_t files() const;
    /// Every object that it needs, without itself.
    [[nodiscard]] std::vector<std::string> objects() const;
    bool operator==(const Manifest&) const = default;
};

constexpr int deepest = 200;  ///< folders in folders
constexpr std::size_t most_entries = 1'000'000;
constexpr std::uint64_t largest_manifest = std::uint64_t{512} << 20;

std::string to_text(const Manifest& manifest);
/// Refuses what could not have been written by us: paths that lead out, packs that are not there, overflows.
Result<Manifest> parse_manifest(std::string_view text);

/// Relative, of no empty, `.` or `..` segments.
bool is_inner_path(std::string_view path);
/// Names that every system can show: UTF-8 without control characters and backslashes.
bool is_plain_name(std::string_view name);
/// For a message or a log: what is no text is shown as such.
std::string shown(std::string_view path);
/// Whether a link at `path` with that target cannot lead out of the folder that `path` is relative to, whatever else
/// lies there: its `..` all stand at its begin and are fewer than the folders it is in.
bool stays_inside(std::string_view path, std::string_view target);

}  // namespace cicd::objects
