#pragma once

#include "daemon/objects/manifest.hpp"
#include "daemon/objects/object_store.hpp"

namespace cicd::objects {

constexpr std::uint64_t packed_below = 64 << 10;  ///< files smaller than this share packs
constexpr std::uint64_t pack_size = 16 << 20;

/// Lays small files one after another into packs, which it adds to the manifest.
class Packer {
public:
    Packer(const ObjectStore& store, Durability durability, Manifest& manifest)
        : store_(store), durability_(durability), manifest_(manifest) {}

    /// `fill(char* into, std::size_t room)` writes the file's bytes and gives their number. Completes the entry.
    template <class Fill>
    Result<void> add(Entry& entry, Fill fill) {
        const auto begin = pack_.size();
        pack_.resize(begin + packed_below);
        CICD_TRY(const std::size_t size, fill(pack_.data() + begin, packed_below));
        return added(entry, begin, size);
    }
    /// What is still open becomes an object.
    Result<void> close();

private:
    Result<void> added(Entry& entry, std::size_t begin, std::size_t size);

    const ObjectStore& store_;
    Durability durability_;
    Manifest& manifest_;
    std::string pack_;
    bool open_ = false;  ///< also one that holds nothing but empty files
    Sha256 hash_;
};

}  // namespace cicd::objects
