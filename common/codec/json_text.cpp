#include "common/codec/json_text.hpp"

#include "common/base/text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace cicd::codec {
namespace {

/// What a byte needs: nothing, an escape, or a look at the UTF-8 around it.
enum Class : std::uint8_t { plain, escaped, high };

constexpr auto classes = [] {
    std::array<Class, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (byte >= 0x80)
            table[byte] = high;
        else if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F)
            table[byte] = escaped;
    }
    return table;
}();

void append_escape(unsigned char c, std::string& out) {
    static constexpr std::string_view digits = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    out += "\\u00";
    out += digits[c >> 4U];
    out += digits[c & 0xFU];
}

/// Whether eight bytes are plain (Mycroft's test for a zero byte, after XOR with what is looked for).
bool eight_plain(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    constexpr std::uint64_t ones = 0x0101010101010101ULL, tops = 0x8080808080808080ULL;
    const auto has_zero = [](std::uint64_t v) { return (v - ones) & ~v & tops; };
    const auto below_space = (word - ones * 0x20) & ~word & tops;
    return ((word & tops) | below_space | has_zero(word ^ ones * '"') | has_zero(word ^ ones * '\\') |
            has_zero(word ^ ones * 0x7F)) == 0;
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
    const auto begin = out.size();
    out += '"';
    std::size_t start = 0, at = 0;
    bool checked = false;
    while (at < text.size()) {
        if (at + 8 <= text.size() && eight_plain(text.data() + at)) {
            at += 8;
            continue;
        }
        const auto c = static_cast<unsigned char>(text[at]);
        if (classes[c] == escaped) {
            out.append(text, start, at - start);
            append_escape(c, out);
            start = at + 1;
        } else if (classes[c] == high && !checked) {
            if (!is_valid_utf8(text)) {
                out.resize(begin);
                return append_json_string(to_valid_utf8(text), out);
            }
            checked = true;
        }
        ++at;
    }
    out.append(text, start);
    out += '"';
}

}  // namespace cicd::codec
