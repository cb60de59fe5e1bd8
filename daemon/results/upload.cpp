#include "daemon/results/blobs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cicd::results {
namespace {

constexpr std::size_t most_blocks = 50'000;
constexpr std::size_t at_once = 256 << 10;

Error too_large(const std::string& what) { return {ErrorKind::blocked, "ARTIFACT_007", what, "", {}}; }

Result<void> write_at(int file, const char* bytes, std::size_t size, std::uint64_t at) {
    while (size > 0) {
        const ssize_t n = ::pwrite(file, bytes, size, static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("what was uploaded cannot be written");
        bytes += n;
        size -= static_cast<std::size_t>(n);
        at += static_cast<std::uint64_t>(n);
    }
    return {};
}

Result<void> copy(int from, std::uint64_t begin, std::uint64_t size, int to, std::uint64_t at) {
    auto in = static_cast<off_t>(begin), out = static_cast<off_t>(at);
    while (size > 0) {
        const ssize_t n = ::copy_file_range(from, &in, to, &out, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return os::last_error("what was uploaded cannot be put together");
        size -= static_cast<std::uint64_t>(n);
    }
    return {};
}

}  // namespace

Result<os::Fd> nameless_file(const std::filesystem::path& store) {
    os::Fd file(::open(store.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!file) return os::last_error("nothing can be written in " + store.string());
    return file;
}

/// Room for so many bytes, behind all others.
Result<std::uint64_t> Upload::take(std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    if (size_) return conflict("CICD_409", "what was uploaded is complete already");
    if (size > largest_blob || taken_ + size > largest_blob) return too_large("an upload is larger than 10 GiB");
    if (together_.fetch_add(size) + size > largest_together) {
        together_ -= size;
        return too_large("all uploads of the job that are not finished are larger than 20 GiB together");
    }
    const auto begin = taken_;
    taken_ += size;
    ++writers_;
    return begin;
}

Result<void> Upload::receive(std::uint64_t begin, std::uint64_t size, Body& body) {
    std::vector<char> buffer(at_once);
    std::uint64_t done = 0;
    for (;;) {
        CICD_TRY(const std::size_t n, body.read(buffer.data(), buffer.size()));
        if (n == 0) break;
        if (done + n > size) return invalid("CICD_400", "more bytes came than were announced");
        CICD_CHECK(write_at(file_.get(), buffer.data(), n, begin + done));
        done += n;
    }
    if (done != size) return invalid("CICD_400", "fewer bytes came than were announced");
    return {};
}

Result<void> Upload::put_whole(Body& body) {
    CICD_CHECK(put_block("", body));
    return order({""});
}

Result<void> Upload::put_block(const std::string& id, Body& body) {
    const auto size = body.length();
    if (!size) return invalid("CICD_400", "the request does not say how long its body is");
    if (id.size() > 256) return invalid("CICD_400", "a block's id is longer than 256 bytes");
    {
        const std::lock_guard lock(mutex_);
        if (blocks_.size() >= most_blocks) return too_large("the upload has more than 50,000 blocks");
    }
    CICD_TRY(const auto begin, take(*size));
    const auto received = receive(begin, *size, body);
    const std::lock_guard lock(mutex_);
    --writers_;
    if (!received) return received;
    blocks_[id] = {begin, *size};
    return {};
}

Result<void> Upload::put_piece(std::uint64_t first, std::uint64_t last, Body& body) {
    if (last >= largest_blob) return too_large("an upload is larger than 10 GiB");
    const auto size = last - first + 1;
    {
        const std::lock_guard lock(mutex_);
        if (pieces_.size() >= most_blocks) return too_large("the upload has more than 50,000 pieces");
    }
    CICD_CHECK(take(size));
    const auto received = receive(first, size, body);
    const std::lock_guard lock(mutex_);
    --writers_;
    if (!received) return received;
    auto& known = pieces_[first];
    known = std::max(known, size);
    return {};
}

Result<void> Upload::close(std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    if (size_ || writers_ > 0) return conflict("CICD_409", "the upload is complete already, or still coming");
    std::uint64_t end = 0;
    for (const auto& [begin, length] : pieces_) {
        if (begin > end) return invalid("CICD_400", "bytes of the upload are missing");
        end = std::max(end, begin + length);
    }
    if (end != size) return invalid("CICD_400", "the upload has " + std::to_string(end) + " bytes, not " + std::to_string(size));
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return os::last_error("what was uploaded cannot be put together");
    size_ = size;
    return {};
}

Result<void> Upload::order(const std::vector<std::string>& ids) {
    const std::lock_guard lock(mutex_);
    if (size_ || writers_ > 0) return conflict("CICD_409", "the upload is complete already, or still coming");
    std::vector<Block> parts;
    std::uint64_t size = 0;
    bool in_order = true;
    for (const auto& id : ids) {
        const auto found = blocks_.find(id);
        if (found == blocks_.end()) return invalid("CICD_400", "a block that is named never came");
        in_order = in_order && found->second.begin == size;
        size += found->second.size;
        if (size > largest_blob) return too_large("an upload is larger than 10 GiB");
        parts.push_back(found->second);
    }
    if (!in_order) {
        CICD_TRY(auto whole, nameless_file(store_));
        std::uint64_t at = 0;
        for (const auto& part : parts) {
            CICD_CHECK(copy(file_.get(), part.begin, part.size, whole.get(), at));
            at += part.size;
        }
        // Others may still be writing to the old one, by its number.
        if (::dup3(whole.get(), file_.get(), O_CLOEXEC) < 0) return os::last_error("what was uploaded cannot be put together");
    }
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return os::last_error("what was uploaded cannot be put together");
    size_ = size;
    return {};
}

std::optional<std::uint64_t> Upload::size() const {
    const std::lock_guard lock(mutex_);
    return size_;
}

Result<std::vector<std::string>> read_block_list(std::string_view xml) {
    std::vector<std::string> ids;
    const Error odd = invalid("CICD_400", "the list of blocks cannot be read");
    for (auto at = xml.find('<'); at != xml.npos; at = xml.find('<', at + 1)) {
        for (const std::string_view name : {"Latest", "Uncommitted", "Committed"}) {
            if (!xml.substr(at + 1).starts_with(name) || !xml.substr(at + 1 + name.size()).starts_with('>')) continue;
            const auto begin = at + name.size() + 2, end = xml.find('<', begin);
            if (end == xml.npos || !xml.substr(end + 2).starts_with(name) || ids.size() >= most_blocks) return odd;
            ids.emplace_back(xml.substr(begin, end - begin));
            at = end;
            break;
        }
    }
    return ids;
}

}  // namespace cicd::results
