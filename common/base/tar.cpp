#include "common/base/tar.hpp"

#include <algorithm>
#include <cstring>

namespace cicd {
namespace {

constexpr std::size_t block = 512;
constexpr std::uint64_t largest_in_ustar = (std::uint64_t{1} << 33) - 1;

/// POSIX.1-1988 (ustar) header block.
std::string ustar(const std::string& name, char type, unsigned mode, std::uint64_t size, const std::string& target) {
    std::string text(block, '\0');
    const auto put = [&](std::size_t at, std::size_t width, const std::string& value) {
        std::memcpy(text.data() + at, value.data(), std::min(width, value.size()));
    };
    const auto octal = [&](std::size_t at, std::size_t digits, std::uint64_t value) {
        for (auto place = at + digits; place-- > at; value /= 8) text[place] = static_cast<char>('0' + value % 8);
    };
    put(0, 100, name);
    octal(100, 7, mode);
    octal(108, 7, 0);
    octal(116, 7, 0);
    octal(124, 11, size);
    octal(136, 11, 0);
    put(148, 8, "        ");
    text[156] = type;
    put(157, 100, target);
    put(257, 6, std::string("ustar\0", 6));
    put(263, 2, "00");
    unsigned sum = 0;
    for (const char c : text) sum += static_cast<unsigned char>(c);
    octal(148, 6, sum);
    text[154] = '\0';
    return text;
}

/// "LENGTH key=value\n", where LENGTH counts itself.
std::string pax_record(const std::string& key, const std::string& value) {
    const auto rest = key.size() + value.size() + 3;
    auto length = rest + std::to_string(rest).size();
    length = rest + std::to_string(length).size();
    return std::to_string(length) + " " + key + "=" + value + "\n";
}

}  // namespace

std::uint64_t tar_padded(std::uint64_t size) { return (size + block - 1) / block * block; }

std::string tar_header(const TarEntry& entry) {
    const bool is_folder = entry.kind == TarEntry::Kind::folder, is_link = entry.kind == TarEntry::Kind::link;
    const auto name = entry.path + (is_folder ? "/" : "");
    const auto size = entry.kind == TarEntry::Kind::file ? entry.size : 0;
    std::string records;
    if (name.size() > 100) records += pax_record("path", name);
    if (entry.target.size() > 100) records += pax_record("linkpath", entry.target);
    if (size > largest_in_ustar) records += pax_record("size", std::to_string(size));
    std::string text;
    if (!records.empty()) {
        text = ustar("pax", 'x', 0644, records.size(), "") + records;
        text.resize(tar_padded(text.size()), '\0');
    }
    return text + ustar(name, is_folder ? '5' : is_link ? '2' : '0', entry.mode, std::min(size, largest_in_ustar), entry.target);
}

}  // namespace cicd
