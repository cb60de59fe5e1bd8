#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::runner {

/// Finds every occurrence of any of many texts.
///
/// Of the shortest text's length m it looks at a block of B bytes only at every S-th place, S = m - B + 1: wherever an
/// occurrence begins, exactly one such block lies within its first m bytes. The blocks at the first S places of every text
/// are in a bitmap (by a hash), which says no to nearly everything; the places do not depend on each other, so this runs
/// as fast as the processor can load. What the bitmap lets through is compared.
class Finder {
public:
    /// None of them empty.
    explicit Finder(std::vector<std::string> texts);

    struct Match {
        std::size_t begin, end;
    };
    /// By their begin; they may overlap.
    void find(std::string_view text, std::vector<Match>& matches) const;
    /// Where the longest end of `text` begins that is the begin, but not the whole, of one of the texts; `text`'s size for
    /// none.
    [[nodiscard]] std::size_t unfinished(std::string_view text) const;

private:
    struct Entry {
        std::uint16_t hash;
        std::uint16_t offset;  ///< of the block in the text
        std::uint32_t text;
    };
    template <int B>
    void scan(std::string_view text, std::vector<Match>& matches) const;
    void compare(std::string_view text, std::size_t at, std::uint16_t hash, std::vector<Match>& matches) const;

    std::vector<std::string> texts_;  ///< sorted
    std::size_t longest_ = 0, stride_ = 1;
    int block_ = 1;
    std::array<std::uint64_t, 1024> bitmap_{};
    std::array<std::uint64_t, 4> firsts_{};     ///< bytes with which a text begins
    std::vector<std::uint64_t> pairs_;          ///< pairs of bytes with which one does
    std::vector<Entry> entries_;                ///< by hash
};

}  // namespace cicd::runner
