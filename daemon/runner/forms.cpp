#include "daemon/runner/forms.hpp"

#include "common/base/base64.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace cicd::runner {
namespace {

constexpr std::size_t shortest = 4;

class Forms {
public:
    explicit Forms(std::string_view value) : value_(value) {}

    std::vector<std::string> all() {
        lines();
        if (value_.size() >= shortest) {
            base64();
            percent();
            json();
            shell();
        }
        std::sort(list_.begin(), list_.end());
        list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
        return std::move(list_);
    }

private:
    void add(std::string text) {
        if (!text.empty()) list_.push_back(std::move(text));
    }
    void add_long(std::string text) {
        if (text.size() >= shortest) list_.push_back(std::move(text));
    }

    /// Of several lines each stands for itself: then a line is never held back for the next one's sake.
    void lines() {
        bool any = false;
        if (value_.find('\n') != std::string_view::npos)
            for (const auto& line : split(value_, '\n')) {
                const auto text = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
                any = any || text.size() >= shortest;
                add_long(text);
            }
        if (!any) add(std::string(value_));
    }

    void base64() {
        for (std::size_t before = 0; before < 3; ++before) {
            // What stands before and after it in what was encoded decides about the digits at its ends.
            const auto text = to_base64(std::string(before, '\0') + std::string(value_));
            const std::size_t first = before == 0 ? 0 : before + 1, last = (before + value_.size()) * 8 / 6;
            both_alphabets(text.substr(first, last - first));
            if (before > 0) continue;
            both_alphabets(text);
            for (const std::size_t width : {std::size_t{64}, std::size_t{76}})
                if (text.size() > width)
                    for (std::size_t at = 0; at < text.size(); at += width) both_alphabets(text.substr(at, width));
        }
    }
    void both_alphabets(std::string text) {
        add_long(text);
        std::replace(text.begin(), text.end(), '+', '-');
        std::replace(text.begin(), text.end(), '/', '_');
        add_long(std::move(text));
    }

    /// Upper and lower case digits; what RFC 3986 leaves as it is, what JavaScript does, what Python does, what forms
    /// do.
    void percent() {
        for (const char* digits : {"0123456789ABCDEF", "0123456789abcdef"})
            for (const std::string_view plain : {"-._~", "-._~!'()*", "-._~/", "-._*"})
                for (const bool plus : {false, true}) {
                    std::string text;
                    for (const char c : value_) {
                        const auto byte = static_cast<unsigned char>(c);
                        if (std::isalnum(byte) != 0 || plain.find(c) != std::string_view::npos)
                            text += c;
                        else if (c == ' ' && plus)
                            text += '+';
                        else
                            (text += '%').append({digits[byte >> 4], digits[byte & 15]});
                    }
                    add(std::move(text));
                }
    }

    /// As everybody has to, with what some escape too: '/' (PHP), '&<>' (Go), all but ASCII (Python).
    void json() {
        for (const std::string_view more : {"", "/", "&<>"})
            for (const bool ascii : {false, true}) add(json_text(more, ascii));
    }
    [[nodiscard]] std::string json_text(std::string_view more, bool ascii) const {
        std::string text;
        for (std::size_t i = 0; i < value_.size(); ++i) {
            const auto byte = static_cast<unsigned char>(value_[i]);
            static constexpr std::string_view named = "\b\f\n\r\t\"\\", names = "bfnrt\"\\";
            if (const auto at = named.find(value_[i]); at != std::string_view::npos)
                (text += '\\') += names[at];
            else if (value_[i] == '/' && more == "/")
                text += "\\/";
            else if (byte < 0x20 || more.find(value_[i]) != std::string_view::npos)
                append_unicode(text, byte);
            else if (byte < 0x80 || !ascii)
                text += value_[i];
            else
                i += append_rune(text, i) - 1;
        }
        return text;
    }
    static void append_unicode(std::string& text, std::uint32_t unit) {
        static constexpr std::string_view digits = "0123456789abcdef";
        text += "\\u";
        for (const int shift : {12, 8, 4, 0}) text += digits[unit >> shift & 15];
    }
    /// One character beyond ASCII; gives how many bytes it took.
    std::size_t append_rune(std::string& text, std::size_t at) const {
        const auto byte = static_cast<unsigned char>(value_[at]);
        const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        if (at + length > value_.size() || !is_valid_utf8(value_.substr(at, length))) {
            text += value_[at];
            return 1;
        }
        std::uint32_t rune = byte & (0xffU >> (length + 1));
        for (std::size_t i = 1; i < length; ++i) rune = rune << 6 | (static_cast<unsigned char>(value_[at + i]) & 63U);
        if (rune < 0x10000)
            append_unicode(text, rune);
        else
            append_unicode(text, 0xd800 + ((rune - 0x10000) >> 10)),
                append_unicode(text, 0xdc00 + ((rune - 0x10000) & 0x3ff));
        return length;
    }

    /// Inside of single quotes, of double quotes, and without any.
    void shell() {
        std::string single, python, twice, bare;
        for (const char c : value_) {
            single += c == '\'' ? "'\\''" : std::string(1, c);
            python += c == '\'' ? "'\"'\"'" : std::string(1, c);
            if (std::string_view("\"\\$`").find(c) != std::string_view::npos) twice += '\\';
            twice += c;
            const auto byte = static_cast<unsigned char>(c);
            if (byte < 0x80 && byte > 0x20 && std::isalnum(byte) == 0 &&
                std::string_view("_-./:@%+=").find(c) == std::string_view::npos)
                bare += '\\';
            else if (c == ' ')
                bare += '\\';
            bare += c;
        }
        for (auto* text : {&single, &python, &twice, &bare})
            if (text->find('\n') == std::string::npos) add(std::move(*text));
    }

    std::string_view value_;
    std::vector<std::string> list_;
};

}  // namespace

std::vector<std::string> forms_of(std::string_view value) {
    auto forms = Forms(value).all();
    // Shells and readers of files take white space away.
    const auto bare = trim(value);
    if (bare.size() == value.size() || bare.size() < shortest) return forms;
    for (auto& form : Forms(bare).all())
        if (std::find(forms.begin(), forms.end(), form) == forms.end()) forms.push_back(std::move(form));
    return forms;
}

}  // namespace cicd::runner
