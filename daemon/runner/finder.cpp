#include "daemon/runner/finder.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

namespace cicd::runner {
namespace {

constexpr std::size_t longest_stride = 64;
constexpr std::size_t most_in_tables = 64;  ///< texts: more of them, and the tables say yes too often
constexpr std::size_t sets = 8;

bool has_byte_shuffles() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("ssse3") != 0;
#else
    return false;
#endif
}

template <int B>
std::uint16_t hash_of_block(std::uint32_t block) {
    if constexpr (B <= 2) return static_cast<std::uint16_t>(block);
    return static_cast<std::uint16_t>(block * 2654435761U >> 16);
}
template <int B>
std::uint16_t hash_at(const char* at) {
    std::uint32_t block = 0;
    std::memcpy(&block, at, B);
    return hash_of_block<B>(block);
}
/// The same where four bytes can be read: three bytes alone cost the processor more than four.
template <int B>
std::uint16_t hash_within(const char* at) {
    std::uint32_t block = 0;
    std::memcpy(&block, at, sizeof block);
    constexpr std::uint32_t mask = B == 4 ? ~0U : (1U << (8 * (B & 3))) - 1;
    return hash_of_block<B>(block & mask);
}

std::uint16_t hash_of(const char* at, int size) {
    switch (size) {
        case 1:
            return hash_at<1>(at);
        case 2:
            return hash_at<2>(at);
        case 3:
            return hash_at<3>(at);
        default:
            return hash_at<4>(at);
    }
}

template <class Words>
bool holds(const Words& words, std::size_t bit) {
    return (words[bit >> 6] >> (bit & 63) & 1) != 0;
}
template <class Words>
void put(Words& words, std::size_t bit) {
    words[bit >> 6] |= std::uint64_t{1} << (bit & 63);
}

std::size_t byte(char c) {
    return static_cast<unsigned char>(c);
}

}  // namespace

Finder::Finder(std::vector<std::string> texts) : texts_(std::move(texts)), pairs_(1024) {
    std::sort(texts_.begin(), texts_.end());
    texts_.erase(std::unique(texts_.begin(), texts_.end()), texts_.end());
    auto shortest = static_cast<std::size_t>(-1);
    for (const auto& text : texts_) {
        shortest = std::min(shortest, text.size());
        longest_ = std::max(longest_, text.size());
        put(firsts_, byte(text[0]));
        if (text.size() > 1) put(pairs_, byte(text[0]) << 8 | byte(text[1]));
    }
    block_ = shortest >= 7 ? 4 : shortest >= 4 ? 3 : static_cast<int>(shortest);
    stride_ = std::min(shortest - static_cast<std::size_t>(block_) + 1, longest_stride);
    by_tables_ = block_ == 3 && texts_.size() <= most_in_tables && has_byte_shuffles();
    if (by_tables_) make_tables();
    for (std::uint32_t i = 0; i < texts_.size(); ++i)
        for (std::size_t offset = 0; offset < stride_; ++offset) {
            const auto hash = hash_of(texts_[i].data() + offset, block_);
            put(bitmap_, hash);
            entries_.push_back({hash, static_cast<std::uint16_t>(offset), i});
        }
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.hash < b.hash; });
}

/// Alike texts, which stand side by side, share a set.
void Finder::make_tables() {
    stride_ = 1;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        const auto set = static_cast<std::uint8_t>(1U << (i * sets / texts_.size()));
        for (std::size_t at = 0; at < tables_.size(); ++at) {
            tables_[at].low[byte(texts_[i][at]) & 15] |= set;
            tables_[at].high[byte(texts_[i][at]) >> 4] |= set;
        }
    }
}

void Finder::find(std::string_view text, std::vector<Match>& matches) const {
    matches.clear();
    if (by_tables_) {
        scan_tables(text, matches);
        std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return a.begin < b.begin; });
        return;
    }
    switch (block_) {
        case 1:
            scan<1>(text, matches);
            break;
        case 2:
            scan<2>(text, matches);
            break;
        case 3:
            scan<3>(text, matches);
            break;
        default:
            scan<4>(text, matches);
            break;
    }
    std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return a.begin < b.begin; });
}

template <int B>
void Finder::scan(std::string_view text, std::vector<Match>& matches) const {
    const auto* bitmap = bitmap_.data();
    std::size_t at = 0;
    const auto look = [&](std::uint16_t hash) {
        if ((bitmap[hash >> 6] >> (hash & 63) & 1) != 0) [[unlikely]]
            compare(text, at, hash, matches);
    };
    for (; at + 4 <= text.size(); at += stride_) look(hash_within<B>(text.data() + at));
    for (; at + B <= text.size(); at += stride_) look(hash_at<B>(text.data() + at));
}

#if defined(__x86_64__)
__attribute__((target("ssse3"))) void Finder::scan_tables(std::string_view text, std::vector<Match>& matches) const {
    const auto load = [](const void* from) __attribute__((target("ssse3"))) {
        return _mm_loadu_si128(static_cast<const __m128i*>(from));
    };
    const auto half = _mm_set1_epi8(15), nothing = _mm_setzero_si128();
    __m128i low[3], high[3];
    for (std::size_t i = 0; i < 3; ++i) low[i] = load(tables_[i].low.data()), high[i] = load(tables_[i].high.data());
    const auto look = [&](std::size_t at) {
        const auto hash = hash_at<3>(text.data() + at);
        if ((bitmap_[hash >> 6] >> (hash & 63) & 1) != 0) compare(text, at, hash, matches);
    };
    std::size_t at = 0;
    for (; at + 18 <= text.size(); at += 16) {
        __m128i possible = _mm_set1_epi8(-1);
        for (std::size_t i = 0; i < 3; ++i) {
            const auto bytes = load(text.data() + at + i);
            possible = _mm_and_si128(possible, _mm_shuffle_epi8(low[i], _mm_and_si128(bytes, half)));
            possible = _mm_and_si128(possible, _mm_shuffle_epi8(high[i], _mm_and_si128(_mm_srli_epi16(bytes, 4), half)));
        }
        auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(possible, nothing))) ^ 0xffffU;
        for (; found != 0; found &= found - 1) look(at + static_cast<unsigned>(__builtin_ctz(found)));
    }
    for (; at + 3 <= text.size(); ++at) look(at);
}
#else
void Finder::scan_tables(std::string_view text, std::vector<Match>& matches) const { scan<3>(text, matches); }
#endif

void Finder::compare(std::string_view text, std::size_t at, std::uint16_t hash, std::vector<Match>& matches) const {
    auto entry = std::lower_bound(entries_.begin(), entries_.end(), hash,
                                  [](const Entry& e, std::uint16_t h) { return e.hash < h; });
    for (; entry != entries_.end() && entry->hash == hash; ++entry) {
        const auto& wanted = texts_[entry->text];
        if (entry->offset > at || wanted.size() > text.size() - (at - entry->offset)) continue;
        const auto begin = at - entry->offset;
        if (std::memcmp(text.data() + begin, wanted.data(), wanted.size()) == 0)
            matches.push_back({begin, begin + wanted.size()});
    }
}

std::size_t Finder::unfinished(std::string_view text) const {
    for (auto at = text.size() - std::min(text.size(), longest_ - 1); at < text.size(); ++at) {
        const bool possible = at + 1 < text.size() ? holds(pairs_, byte(text[at]) << 8 | byte(text[at + 1]))
                                                   : holds(firsts_, byte(text[at]));
        if (!possible) continue;
        const auto end = text.substr(at);
        // The texts that begin with it and are longer stand directly behind it.
        const auto next = std::upper_bound(texts_.begin(), texts_.end(), end);
        if (next != texts_.end() && next->starts_with(end)) return at;
    }
    return text.size();
}

}  // namespace cicd::runner
