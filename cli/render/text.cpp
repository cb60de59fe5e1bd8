#include "cli/render/text.hpp"

#include <array>
#include <cstdint>

namespace cicd::cli::render {
namespace {

struct Range {
    char32_t first, last;
};

// Unicode's East Asian Width W and F, and emoji: the blocks that people really write.
constexpr std::array wide_ranges = std::to_array<Range>(
    {{0x1100, 0x115F},   {0x231A, 0x231B},  {0x23E9, 0x23EC}, {0x2614, 0x2615}, {0x26A1, 0x26A1},   {0x26BD, 0x26BE},
     {0x2705, 0x2705},   {0x274C, 0x274C},  {0x274E, 0x274E}, {0x2795, 0x2797}, {0x2B50, 0x2B50},   {0x2B55, 0x2B55},
     {0x2E80, 0x303E},   {0x3041, 0x33FF},  {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},   {0xAC00, 0xD7A3},
     {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},  {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
     {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}});
constexpr std::array zero_ranges = std::to_array<Range>({{0x0300, 0x036F},
                                                         {0x0483, 0x0489},
                                                         {0x0591, 0x05BD},
                                                         {0x0610, 0x061A},
                                                         {0x064B, 0x065F},
                                                         {0x1AB0, 0x1AFF},
                                                         {0x1DC0, 0x1DFF},
                                                         {0x200B, 0x200F},
                                                         {0x20D0, 0x20FF},
                                                         {0xFE00, 0xFE0F},
                                                         {0xFE20, 0xFE2F}});

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, char32_t point) {
    for (const auto& range : ranges)
        if (point >= range.first && point <= range.last) return true;
    return false;
}

// One thing that is shown or acted on: an escape sequence, or a character.
struct Piece {
    std::size_t bytes = 1;
    std::size_t columns = 0;
    bool escape = false;
};

// ECMA-48: ESC [ … final byte; ESC ] … BEL or ESC \; ESC and one more.
std::size_t escape_length(std::string_view text) {
    if (text.size() < 2) return text.size();
    if (text[1] == '[') {
        std::size_t i = 2;
        while (i < text.size() && (text[i] < 0x40 || text[i] > 0x7E)) ++i;
        return std::min(i + 1, text.size());
    }
    if (text[1] == ']') {
        for (std::size_t i = 2; i < text.size(); ++i) {
            if (text[i] == '\a') return i + 1;
            if (text[i] == '\x1b') return std::min(i + 2, text.size());
        }
        return text.size();
    }
    return 2;
}

Piece next_piece(std::string_view text) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == 0x1B) return {escape_length(text), 0, true};
    if (byte < 0x20 || byte == 0x7F) return {1, 0, false};
    if (byte < 0x80) return {1, 1, false};
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    if (length == 1 || length > text.size()) return {1, 1, false};
    char32_t point = byte & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto more = static_cast<unsigned char>(text[i]);
        if ((more & 0xC0) != 0x80) return {1, 1, false};
        point = (point << 6) | (more & 0x3FU);
    }
    if (in(zero_ranges, point)) return {length, 0, false};
    return {length, in(wide_ranges, point) ? 2U : 1U, false};
}

bool is_colour(std::string_view escape) {
    return escape.size() > 2 && escape[1] == '[' && escape.back() == 'm';
}

}  // namespace

std::size_t columns(std::string_view text) {
    std::size_t sum = 0;
    while (!text.empty()) {
        const auto piece = next_piece(text);
        sum += piece.columns;
        text.remove_prefix(piece.bytes);
    }
    return sum;
}

std::string fit(std::string_view text, std::size_t width) {
    if (columns(text) <= width) return std::string(text);
    std::string cut;
    std::size_t used = 0;
    bool coloured = false;
    bool full = width == 0;
    while (!text.empty()) {
        const auto piece = next_piece(text);
        if (piece.escape) {
            cut += text.substr(0, piece.bytes);
            coloured = true;
        } else if (!full && used + piece.columns <= width - 1) {
            cut += text.substr(0, piece.bytes);
            used += piece.columns;
        } else if (!full) {
            cut += "…";
            full = true;
            if (!coloured) break;
        }
        text.remove_prefix(piece.bytes);
    }
    return cut;
}

std::string padded(std::string text, std::size_t width, bool right) {
    const auto taken = columns(text);
    if (taken >= width) return text;
    const std::string gap(width - taken, ' ');
    return right ? gap + text : text + gap;
}

std::string without_escapes(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        const auto piece = next_piece(text);
        if (!piece.escape) plain += text.substr(0, piece.bytes);
        text.remove_prefix(piece.bytes);
    }
    return plain;
}

std::string as_one_line(std::string_view text) {
    while (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (const auto back = text.rfind('\r'); back != std::string_view::npos) text.remove_prefix(back + 1);
    std::string line;
    bool coloured = false;
    while (!text.empty()) {
        const auto piece = next_piece(text);
        const auto part = text.substr(0, piece.bytes);
        if (!piece.escape) {
            const auto byte = static_cast<unsigned char>(part.front());
            if (byte == '\t' || (byte >= 0x20 && byte != 0x7F)) line += part;
        } else if (is_colour(part)) {
            line += part;
            coloured = true;
        }
        text.remove_prefix(piece.bytes);
    }
    if (coloured) line += "\x1b[0m";
    return line;
}

std::string age(Milliseconds elapsed) {
    const auto seconds = std::max<std::int64_t>(0, elapsed.count() / 1000);
    if (seconds < 60) return std::to_string(seconds) + "s";
    if (seconds < 3600) return std::to_string(seconds / 60) + "m";
    if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + "h";
    return std::to_string(seconds / 86400) + "d";
}

std::string Paint::operator()(Tone tone, std::string_view text) const {
    if (!on || tone == Tone::plain || text.empty()) return std::string(text);
    const char* code = "0";
    switch (tone) {
        case Tone::plain:
            break;
        case Tone::bold:
            code = "1";
            break;
        case Tone::dim:
            code = "2";
            break;
        case Tone::red:
            code = "31";
            break;
        case Tone::green:
            code = "32";
            break;
        case Tone::yellow:
            code = "33";
            break;
        case Tone::blue:
            code = "34";
            break;
        case Tone::magenta:
            code = "35";
            break;
        case Tone::cyan:
            code = "36";
            break;
    }
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace cicd::cli::render
