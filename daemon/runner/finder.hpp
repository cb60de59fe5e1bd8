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
///
/// Where a short text leaves no strides, and there are few texts, the bytes are looked at sixteen at a time instead: two
/// tables of sixteen for each of the first three bytes, by its upper and lower half, tell which of eight sets of texts may
/// begin there (as in Hyperscan's Teddy).
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
    void make_tables();
    void scan_tables(std::string_view text, std::vector<Match>& matches) const;
    void compare(std::string_view text, std::size_t at, std::uint16_t hash, std::vector<Match>& matches) const;

    std::vector<std::string> texts_;  ///< sorted
    std::size_t longest_ = 0, stride_ = 1;
    int block_ = 1;
    struct Tables {
        std::array<std::uint8_t, 16> low{}, high{};
    };
    std::array<Tables, 3> tables_{};            ///< of each of a text's first bytes: its sets, by the halves of the byte
    bool by_tables_ = false;
    std::array<std::uint64_t, 1024> bitmap_{};
    std::array<std::uint64_t, 4> firsts_{};     ///< bytes with which a text begins
    std::vector<std::uint64_t> pairs_;          ///< pairs of bytes with which one does
    std::vector<Entry> entries_;                ///< by hash
};

}  // namespace cicd::runner
