#include "daemon/remote/copies.hpp"

#include "daemon/objects/collect.hpp"
#include "daemon/objects/tree.hpp"
#include "daemon/os/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

namespace cicd::remote {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t at_once = 256 << 10;
constexpr auto young = std::chrono::hours(1);

std::string key_of(const std::string& digest) { return digest.substr(0, 2) + "/" + digest.substr(2); }

/// Every object of the manifest but itself, with its size.
std::vector<std::pair<std::string, std::uint64_t>> objects_of(const objects::Manifest& manifest) {
    std::vector<std::pair<std::string, std::uint64_t>> all;
    for (const auto& pack : manifest.packs) all.emplace_back(pack.digest, pack.size);
    for (const auto& entry : manifest.entries)
        if (entry.kind == objects::Entry::Kind::file && entry.pack < 0) all.emplace_back(entry.digest, entry.size);
    return all;
}

}  // namespace

fs::path Copies::mark(const std::string& digest) const { return marks_ / digest.substr(0, 2) / digest.substr(2); }

bool Copies::has_copy(const std::string& digest) const { return ::access(mark(digest).c_str(), F_OK) == 0; }

Result<void> Copies::push_object(const std::string& digest, std::uint64_t size) const {
    if (has_copy(digest)) return {};
    const auto open = [&]() -> Result<S3::Source> {
        CICD_TRY(auto reader, store_.open(digest));
        auto shared = std::make_shared<objects::Reader>(std::move(reader));
        return S3::Source([shared]() -> Result<std::string> {
            std::string bytes(at_once, '\0');
            CICD_TRY(const std::size_t n, shared->read(bytes.data(), bytes.size()));
            bytes.resize(n);
            return bytes;
        });
    };
    CICD_CHECK(s3_.put(key_of(digest), size, digest, open));
    for (const auto& folder : {marks_, mark(digest).parent_path()})
        if (const auto error = os::make_private_directory(folder))
            return unavailable("OBJECT_003", "cannot create " + folder.string() + ": " + error.message());
    const os::Fd made(::open(mark(digest).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    return made ? Result<void>{} : Result<void>(os::last_error("cannot note that an object has its copy"));
}

Result<void> Copies::push(const std::string& digest) const {
    if (has_copy(digest)) return {};
    CICD_TRY(const auto text, store_.read(digest, objects::largest_manifest));
    CICD_TRY(const auto manifest, objects::parse_manifest(text));
    for (const auto& [object, size] : objects_of(manifest)) CICD_CHECK(push_object(object, size));
    return push_object(digest, text.size());
}

Result<void> Copies::fetch_object(const std::string& digest) const {
    if (store_.has(digest)) return {};
    std::optional<objects::ObjectStore::Writer> writer;
    const auto begin = [&]() -> Result<void> {
        CICD_TRY(auto made, store_.writer());
        writer.reset();
        writer.emplace(std::move(made));
        return {};
    };
    CICD_CHECK(s3_.get(key_of(digest), begin, [&](std::string_view bytes) { return writer->add(bytes); }));
    CICD_TRY(const auto stored, writer->finish(objects::Durability::lasting));
    if (stored.digest == digest) return {};
    return Error{ErrorKind::internal, "OBJECT_002", "the copy of object " + digest.substr(0, 12) + "… holds other bytes (they hash to " +
                     stored.digest.substr(0, 12) + "…)", "it was changed or damaged in the object store", {}};
}

Result<void> Copies::fetch(const std::string& digest) const {
    if (objects::is_kept(store_, digest)) return {};
    CICD_CHECK(fetch_object(digest));
    CICD_TRY(const auto manifest, objects::read_manifest(store_, digest));
    for (const auto& [object, size] : objects_of(manifest)) CICD_CHECK(fetch_object(object));
    return {};
}

Result<std::uint64_t> Copies::trim(std::uint64_t keep) const {
    struct Found {
        fs::path file;
        std::int64_t used = 0;
        std::uint64_t bytes = 0;
        bool may_go = false;
    };
    std::vector<Found> all;
    std::uint64_t total = 0, removed = 0;
    const auto now = ::time(nullptr);
    std::error_code failure;
    for (fs::recursive_directory_iterator it(store_.folder(), failure), end; !failure && it != end; it.increment(failure)) {
        struct stat facts {};
        if (::lstat(it->path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
        const auto digest = it->path().parent_path().filename().string() + it->path().stem().string();
        const auto bytes = static_cast<std::uint64_t>(facts.st_blocks) * 512;
        total += bytes;
        const bool old = facts.st_ctim.tv_sec + std::chrono::seconds(young).count() < now;
        all.push_back({it->path(), facts.st_ctim.tv_sec, bytes, old && objects::is_digest(digest) && has_copy(digest)});
    }
    std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.used < b.used; });
    for (const auto& one : all) {
        if (total <= keep) break;
        if (!one.may_go || ::unlink(one.file.c_str()) != 0) continue;
        total -= one.bytes;
        removed += one.bytes;
    }
    return removed;
}

}  // namespace cicd::remote
