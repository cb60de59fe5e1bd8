#include "daemon/objects/manifest.hpp"

#include "common/base/text.hpp"
#include "daemon/objects/sha256.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace cicd::objects {
namespace {

constexpr std::string_view header = "cicd-manifest 1\n";
constexpr std::size_t longest_path = 4096;

void append_escaped(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte != 0x7f && byte != '%') {
            out += c;
            continue;
        }
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Error broken(std::size_t line, const std::string& what) {
    return internal_error("line " + std::to_string(line) + " of a manifest: " + what);
}

/// The words of one line, from left to right.
class Words {
public:
    Words(std::string_view line, std::size_t number) : rest_(line), number_(number) {}

    std::string_view word() {
        const auto space = rest_.find(' ');
        const auto found = rest_.substr(0, space);
        rest_.remove_prefix(space == std::string_view::npos ? rest_.size() : space + 1);
        return found;
    }
    template <class N>
    Result<N> number(int base = 10) { return number_of<N>(word(), base); }
    template <class N>
    Result<N> number_of(std::string_view text, int base = 10) {
        N value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
        if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return broken(number_, "a number is missing");
        return value;
    }
    Result<std::string> digest() {
        const auto text = word();
        if (!is_digest(text)) return broken(number_, "a digest is missing");
        return std::string(text);
    }
    Result<std::string> text() {
        const auto escaped = word();
        std::string plain;
        for (std::size_t i = 0; i < escaped.size(); ++i) {
            if (escaped[i] != '%') {
                plain += escaped[i];
                continue;
            }
            const int h = i + 2 < escaped.size() ? digit(escaped[i + 1]) : -1, l = i + 2 < escaped.size() ? digit(escaped[i + 2]) : -1;
            if (h < 0 || l < 0) return broken(number_, "a path is not written as it should be");
            plain += static_cast<char>(h * 16 + l);
            i += 2;
        }
        return plain;
    }
    Result<std::string> path() {
        CICD_TRY(auto found, text());
        if (!is_inner_path(found)) return broken(number_, "a path leads out");
        return found;
    }
    [[nodiscard]] bool empty() const { return rest_.empty(); }

private:
    std::string_view rest_;
    std::size_t number_;
};

Result<Entry> read_file_entry(Words& words, const Manifest& manifest, std::size_t line) {
    Entry entry;
    CICD_TRY(entry.mode, words.number<unsigned>(8));
    CICD_TRY(entry.size, words.number<std::uint64_t>());
    CICD_TRY(entry.digest, words.digest());
    const auto where = words.word();
    if (where != "-") {
        const auto colon = where.find(':');
        if (colon == std::string_view::npos) return broken(line, "a file has no place");
        CICD_TRY(entry.pack, words.number_of<int>(where.substr(0, colon)));
        CICD_TRY(entry.offset, words.number_of<std::uint64_t>(where.substr(colon + 1)));
        if (entry.pack < 0 || static_cast<std::size_t>(entry.pack) >= manifest.packs.size()) return broken(line, "there is no such pack");
        const auto room = manifest.packs[static_cast<std::size_t>(entry.pack)].size;
        if (entry.offset > room || entry.size > room - entry.offset) return broken(line, "a file is beyond its pack");
    }
    if (const auto time = words.word(); time != "-") {
        CICD_TRY(entry.time, words.number_of<std::int64_t>(time));
    }
    CICD_TRY(entry.path, words.path());
    return entry;
}

Result<void> read_line(Words words, std::size_t line, Manifest& manifest) {
    const auto kind = words.word();
    Entry entry;
    if (kind == "p") {
        Pack pack;
        CICD_TRY(pack.digest, words.digest());
        CICD_TRY(pack.size, words.number<std::uint64_t>());
        manifest.packs.push_back(std::move(pack));
        return words.empty() ? Result<void>{} : broken(line, "there is more than there should be");
    }
    if (kind == "f") {
        CICD_TRY(entry, read_file_entry(words, manifest, line));
    } else if (kind == "d") {
        entry.kind = Entry::Kind::folder;
        CICD_TRY(entry.mode, words.number<unsigned>(8));
        CICD_TRY(entry.path, words.path());
    } else if (kind == "l") {
        entry.kind = Entry::Kind::link;
        entry.mode = 0777;
        CICD_TRY(entry.target, words.text());
        CICD_TRY(entry.path, words.path());
        if (!stays_inside(entry.path, entry.target)) return broken(line, "a link leads out");
    } else {
        return broken(line, "is of an unknown kind");
    }
    if (entry.mode > 0777) return broken(line, "the mode is too large");
    if (!words.empty()) return broken(line, "there is more than there should be");
    manifest.entries.push_back(std::move(entry));
    return {};
}

}  // namespace

std::uint64_t Manifest::size() const {
    std::uint64_t sum = 0;
    for (const auto& entry : entries) sum += entry.size;
    return sum;
}

std::uint64_t Manifest::files() const {
    return static_cast<std::uint64_t>(
        std::count_if(entries.begin(), entries.end(), [](const Entry& entry) { return entry.kind == Entry::Kind::file; }));
}

std::vector<std::string> Manifest::objects() const {
    std::vector<std::string> all;
    for (const auto& pack : packs) all.push_back(pack.digest);
    for (const auto& entry : entries)
        if (entry.kind == Entry::Kind::file && entry.pack < 0) all.push_back(entry.digest);
    return all;
}

std::string to_text(const Manifest& manifest) {
    std::string text(header);
    for (const auto& pack : manifest.packs) text += "p " + pack.digest + " " + std::to_string(pack.size) + "\n";
    char mode[16];
    for (const auto& entry : manifest.entries) {
        *std::to_chars(mode, mode + sizeof mode - 1, entry.mode, 8).ptr = 0;
        switch (entry.kind) {
            case Entry::Kind::folder: text.append("d ").append(mode).append(" "); break;
            case Entry::Kind::link:
                text += "l ";
                append_escaped(text, entry.target);
                text += ' ';
                break;
            case Entry::Kind::file:
                text.append("f ").append(mode).append(" ").append(std::to_string(entry.size)).append(" ");
                text.append(entry.digest).append(" ");
                if (entry.pack >= 0) text.append(std::to_string(entry.pack)).append(":").append(std::to_string(entry.offset));
                else text += '-';
                text.append(" ").append(entry.time ? std::to_string(*entry.time) : "-").append(" ");
                break;
        }
        append_escaped(text, entry.path);
        text += '\n';
    }
    return text;
}

Result<Manifest> parse_manifest(std::string_view text) {
    if (!text.starts_with(header)) return internal_error("this is no manifest that this version can read");
    text.remove_prefix(header.size());
    Manifest manifest;
    for (std::size_t line = 2; !text.empty(); ++line) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) return broken(line, "is cut off");
        if (manifest.entries.size() >= most_entries) return broken(line, "there are too many entries");
        CICD_CHECK(read_line(Words(text.substr(0, end), line), line, manifest));
        text.remove_prefix(end + 1);
    }
    return manifest;
}

bool is_inner_path(std::string_view path) {
    if (path.empty() || path.size() > longest_path || path.find('\0') != std::string_view::npos) return false;
    for (const auto& part : split(path, '/'))
        if (part.empty() || part == "." || part == "..") return false;
    return true;
}

bool is_plain_name(std::string_view name) {
    return is_valid_utf8(name) &&
           std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; });
}

std::string shown(std::string_view path) {
    std::string text = to_valid_utf8(path.substr(0, 300));
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

bool stays_inside(std::string_view path, std::string_view target) {
    if (target.empty() || target.front() == '/' || target.size() > longest_path || target.find('\0') != std::string_view::npos)
        return false;
    auto depth = std::count(path.begin(), path.end(), '/');
    bool at_begin = true;
    for (const auto& part : split(target, '/')) {
        if (part == "..") {
            if (!at_begin || depth-- == 0) return false;
        } else if (!part.empty() && part != ".") {
            at_begin = false;
        }
    }
    return true;
}

}  // namespace cicd::objects
