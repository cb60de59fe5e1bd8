#include "cli/render/text.hpp"

#include "cli/render/widths.hpp"

#include <algorithm>
#include <cstdint>

namespace cicd::cli::render {
namespace {

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
    return {length, columns_of(point), false};
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
            // C1 controls (U+0080 to U+009F) start escape sequences too.
            const bool control = byte < 0x20 || byte == 0x7F ||
                                 (byte == 0xC2 && part.size() == 2 && static_cast<unsigned char>(part[1]) < 0xA0);
            if (byte == '\t' || !control) line += part;
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
