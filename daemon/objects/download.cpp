#include "daemon/objects/download.hpp"

#include "common/base/tar.hpp"
#include "common/base/text.hpp"

#include <algorithm>

namespace cicd::objects {
namespace {

constexpr std::size_t at_once = 256 * 1024;

}  // namespace

std::string Download::header(const Entry& entry) const {
    switch (entry.kind) {
        case Entry::Kind::folder: return tar_header({TarEntry::Kind::folder, entry.path, entry.mode});
        case Entry::Kind::link: return tar_header({TarEntry::Kind::link, entry.path, entry.mode, 0, entry.target});
        case Entry::Kind::file: return tar_header({TarEntry::Kind::file, entry.path, entry.mode, entry.size});
    }
    return {};
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
        download.size_ += download.header(entry).size() + (entry.kind == Entry::Kind::file ? tar_padded(entry.size) : 0);
    download.size_ += tar_end;
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
            if (!only_ && entry_ != SIZE_MAX) out += rest_of(std::string(tar_end, '\0'));
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
                if (!only_) out += rest_of(std::string(tar_padded(entry.size) - entry.size, '\0'));
                turn_to(entry_ + 1);
                break;
            case Part::end: break;
        }
    }
    return out;
}

}  // namespace cicd::objects
