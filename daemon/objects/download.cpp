#include "daemon/objects/download.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <cstring>

namespace cicd::objects {
namespace {

constexpr std::size_t block = 512;
constexpr std::size_t at_once = 256 * 1024;
constexpr std::uint64_t largest_in_ustar = (std::uint64_t{1} << 33) - 1;

std::uint64_t padded(std::uint64_t size) { return (size + block - 1) / block * block; }

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

std::string Download::header(const Entry& entry) const {
    const bool is_folder = entry.kind == Entry::Kind::folder, is_link = entry.kind == Entry::Kind::link;
    const auto name = entry.path + (is_folder ? "/" : "");
    const auto size = entry.kind == Entry::Kind::file ? entry.size : 0;
    std::string records;
    if (name.size() > 100) records += pax_record("path", name);
    if (entry.target.size() > 100) records += pax_record("linkpath", entry.target);
    if (size > largest_in_ustar) records += pax_record("size", std::to_string(size));
    std::string text;
    if (!records.empty()) {
        text = ustar("pax", 'x', 0644, records.size(), "") + records;
        text.resize(padded(text.size()), '\0');
    }
    return text + ustar(name, is_folder ? '5' : is_link ? '2' : '0', entry.mode, std::min(size, largest_in_ustar), entry.target);
}

Result<Download> Download::file(const ObjectStore& store, Manifest manifest, const std::string& path) {
    Download download(store, std::move(manifest));
    const auto& entries = download.manifest_.entries;
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
        return entry.path == path && entry.kind == Entry::Kind::file;
    });
    if (found == entries.end())
        return not_found("ARTIFACT_001", "the artifact holds no file '" + to_valid_utf8(path) + "'", "its files: cicdctl artifact show ID");
    download.only_ = static_cast<std::size_t>(found - entries.begin());
    download.entry_ = *download.only_;
    download.part_ = Part::content;
    download.size_ = found->size;
    return download;
}

Download Download::tar(const ObjectStore& store, Manifest manifest) {
    Download download(store, std::move(manifest));
    for (const auto& entry : download.manifest_.entries)
        download.size_ += download.header(entry).size() + (entry.kind == Entry::Kind::file ? padded(entry.size) : 0);
    download.size_ += 2 * block;
    if (download.manifest_.entries.empty()) download.part_ = Part::end;
    return download;
}

void Download::turn_to(std::size_t entry) {
    entry_ = entry;
    done_ = 0;
    reader_.reset();
    part_ = only_ || entry_ >= manifest_.entries.size() ? Part::end : Part::header;
}

Result<std::string> Download::content(const Entry& entry) {
    if (skip_ > 0) {
        const auto passed = std::min(skip_, entry.size - done_);
        skip_ -= passed;
        done_ += passed;
        if (done_ == entry.size) return std::string();
    }
    if (!reader_) {
        const bool packed = entry.pack >= 0;
        CICD_TRY(reader_, store_.open(packed ? manifest_.packs[static_cast<std::size_t>(entry.pack)].digest : entry.digest));
        CICD_CHECK(reader_->skip((packed ? entry.offset : 0) + done_));
    }
    std::string bytes(std::min<std::uint64_t>(at_once, entry.size - done_), '\0');
    CICD_TRY(const std::size_t n, reader_->read(bytes.data(), bytes.size()));
    if (n == 0 && !bytes.empty())
        return Error{ErrorKind::internal, "OBJECT_002", "what is kept of '" + entry.path + "' is too short", "", {}};
    bytes.resize(n);
    done_ += n;
    return bytes;
}

Result<std::string> Download::next() {
    const auto rest_of = [this](std::string bytes) {
        const auto passed = std::min<std::uint64_t>(skip_, bytes.size());
        skip_ -= passed;
        return bytes.substr(passed);
    };
    std::string out;
    // Many small files are one piece.
    while (out.size() < at_once) {
        if (part_ == Part::end) {
            if (!only_ && entry_ != SIZE_MAX) out += rest_of(std::string(2 * block, '\0'));
            entry_ = SIZE_MAX;
            return out;
        }
        const auto& entry = manifest_.entries[entry_];
        switch (part_) {
            case Part::header:
                out += rest_of(header(entry));
                part_ = Part::content;
                if (entry.kind != Entry::Kind::file) turn_to(entry_ + 1);
                break;
            case Part::content: {
                if (done_ < entry.size) {
                    CICD_TRY(const auto bytes, content(entry));
                    out += bytes;
                }
                if (done_ == entry.size) part_ = Part::padding;
                break;
            }
            case Part::padding:
                if (!only_) out += rest_of(std::string(padded(entry.size) - entry.size, '\0'));
                turn_to(entry_ + 1);
                break;
            case Part::end: break;
        }
    }
    return out;
}

}  // namespace cicd::objects
