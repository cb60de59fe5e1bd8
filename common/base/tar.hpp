#pragma once

#include <cstdint>
#include <string>

/// Tar archives as they are written: ustar (POSIX.1-1988), with pax records (POSIX.1-2001) where a name or size does not fit.
namespace cicd {

struct TarEntry {
    enum class Kind { file, folder, link } kind = Kind::file;
    std::string path;
    unsigned mode = 0644;
    std::uint64_t size = 0;  ///< of a file
    std::string target = {}; ///< of a link
};

/// What stands before the content; that is followed by zeros up to `tar_padded`.
std::string tar_header(const TarEntry& entry);
std::uint64_t tar_padded(std::uint64_t size);
inline constexpr std::size_t tar_end = 1024;  ///< so many zeros end an archive

}  // namespace cicd
