#include "daemon/results/caches.hpp"

#include "common/base/text.hpp"
#include "daemon/objects/tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace cicd::results {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_keys = 10;
constexpr std::size_t most_reserved = 1000;

/// What an entry of ours is made of, so that it is found by nothing but the same version.
std::vector<std::string> paths_of(const std::string& version) { return {"archive of version " + version}; }

objects::Manifest manifest_of(const objects::Stored& archive) {
    objects::Manifest manifest;
    objects::Entry entry;
    entry.path = "archive";
    entry.size = archive.size;
    entry.digest = archive.digest;
    manifest.entries.push_back(std::move(entry));
    return manifest;
}

Result<void> check(const std::string& key, const std::string& version) {
    if (!job::is_cache_key(key) || key.find(',') != key.npos)
        return invalid("CACHE_002", "a cache's key is empty, longer than 512 bytes, has a comma, or is no text");
    if (version.size() > 256 || !is_valid_utf8(version)) return invalid("CACHE_002", "a cache's version is longer than 256 bytes, or no text");
    return {};
}

std::string text(const Value& object, std::string_view name) {
    const auto& value = object[name];
    if (value.is_number()) return number_text(value.as_number());
    return value.is_string() ? value.as_string() : "";
}

}  // namespace

Caches::Caches(const job::ResultsRequest& request, Blobs& blobs)
    : store_(fs::path(request.store) / "objects"), index_(request.store), state_(request.store), places_(request.places), blobs_(blobs) {}

Result<Blobs::Offered> Caches::reserve(const Name& name) {
    CICD_CHECK(check(name.first, name.second));
    if (places_.write.empty()) return forbidden("CACHE_002", places_.why_not_written);
    std::string why;
    const objects::CacheQuery query{places_.project, name.first, {places_.write}, {}, paths_of(name.second)};
    if (index_.find(query, SystemClock().now(), why)) return conflict("CACHE_002", "a cache with the key '" + name.first + "' already exists");
    const std::lock_guard lock(mutex_);
    CICD_TRY(auto offered, blobs_.offer_upload());
    auto& pending = pending_[name];
    if (pending) blobs_.forget(pending);
    pending = offered.upload;
    return offered;
}

Result<void> Caches::save(const Name& name, const Upload& upload) {
    const auto size = upload.size();
    if (!size) return invalid("CACHE_002", "cache '" + name.first + "' was not uploaded as a whole");
    // Nobody has the file but this process, which writes no more to it: it becomes the object itself.
    CICD_TRY(const auto archive, store_.put_file(upload.fd(), upload.fd(), *size, objects::Durability::fleeting));
    CICD_TRY(const auto manifest, store_.put(objects::to_text(manifest_of(archive)), objects::Durability::fleeting));
    objects::CacheEntry entry{.project = places_.project, .scope = places_.write, .key = name.first, .paths = paths_of(name.second)};
    entry.digest = manifest.digest;
    entry.size = *size;
    entry.files = 1;
    entry.created = SystemClock().now();
    entry.boot = objects::boot_id();
    return index_.put(entry);
}

Result<FilePart> Caches::archive_of(const objects::CacheEntry& entry) const {
    CICD_TRY(const auto manifest, objects::read_manifest(store_, entry.digest));
    if (manifest.entries.size() != 1 || manifest.entries[0].pack >= 0) return not_found("CACHE_001", "what was saved as '" + entry.key + "' is no archive");
    const auto& digest = manifest.entries[0].digest;
    if (entry.boot != objects::boot_id()) {
        CICD_CHECK(store_.verify(digest));
        auto checked = entry;
        checked.boot = objects::boot_id();
        (void)index_.put(checked);
    }
    CICD_TRY(auto reader, store_.open(digest));
    const auto size = manifest.entries[0].size;
    if (reader.plain_fd() >= 0 && reader.plain_size() == size)
        return FilePart{std::make_shared<os::Fd>(::fcntl(reader.plain_fd(), F_DUPFD_CLOEXEC, 0)), 0, size};
    CICD_TRY(auto file, nameless_file(state_));
    std::vector<char> buffer(256 << 10);
    for (std::uint64_t at = 0;;) {
        CICD_TRY(const std::size_t n, reader.read(buffer.data(), buffer.size()));
        if (n == 0) break;
        if (::pwrite(file.get(), buffer.data(), n, static_cast<off_t>(at)) != static_cast<ssize_t>(n)) return os::last_error("the archive cannot be written");
        at += n;
    }
    return FilePart{std::make_shared<os::Fd>(std::move(file)), 0, size};
}

/// The first key exactly, then what begins with any of them, in their order.
Result<std::optional<Caches::Found>> Caches::find(const std::string& version, const std::vector<std::string>& keys) {
    if (keys.empty() || keys.size() > most_keys) return invalid("CACHE_002", "there have to be one to ten keys");
    for (const auto& key : keys) CICD_CHECK(check(key, version));
    std::string why;
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto known = index_.find({places_.project, keys.front(), places_.read, keys, paths_of(version)}, SystemClock().now(), why);
        if (!known) return std::optional<Found>();
        auto part = archive_of(known->entry);
        if (part) {
            index_.used(*known);
            return std::optional(Found{known->entry.key, blobs_.offer_download(std::move(*part))});
        }
        index_.remove(*known);  // a cache is a help, never a need: what is damaged or gone is a miss
    }
    return std::optional<Found>();
}

Response Caches::answer(std::string_view method, const Value& asked) {
    Result<Value> answer = not_found("CICD_404", "there is no method " + std::string(method));
    if (method == "CreateCacheEntry") answer = create(asked);
    else if (method == "FinalizeCacheEntryUpload") answer = finalize(asked);
    else if (method == "GetCacheEntryDownloadURL") answer = download(asked);
    return answer ? json(*answer) : refusal(answer.error());
}

Result<Value> Caches::create(const Value& asked) {
    auto offered = reserve({text(asked, "key"), text(asked, "version")});
    if (!offered) return Value(Object{{"ok", false}, {"message", offered.error().message}});
    return Value(Object{{"ok", true}, {"signed_upload_url", offered->url}});
}

Result<Value> Caches::finalize(const Value& asked) {
    const Name name{text(asked, "key"), text(asked, "version")};
    std::shared_ptr<Upload> upload;
    {
        const std::lock_guard lock(mutex_);
        const auto found = pending_.find(name);
        if (found != pending_.end()) {
            upload = std::move(found->second);
            pending_.erase(found);
        }
    }
    if (!upload) return Value(Object{{"ok", false}, {"message", "nothing was begun for cache '" + name.first + "'"}});
    blobs_.forget(upload);
    auto told = text(asked, "size_bytes");
    if (told.empty()) told = text(asked, "sizeBytes");
    if (!told.empty() && told != std::to_string(upload->size().value_or(0)))
        return Value(Object{{"ok", false}, {"message", "cache '" + name.first + "' did not arrive as a whole"}});
    if (const auto saved = save(name, *upload); !saved) return Value(Object{{"ok", false}, {"message", saved.error().message}});
    return Value(Object{{"ok", true}, {"entry_id", "1"}});
}

Result<Value> Caches::download(const Value& asked) {
    std::vector<std::string> keys{text(asked, "key")};
    for (const char* name : {"restore_keys", "restoreKeys"})
        if (asked[name].is_array())
            for (const auto& key : asked[name].as_array())
                if (key.is_string()) keys.push_back(key.as_string());
    CICD_TRY(const auto found, find(text(asked, "version"), keys));
    if (!found) return Value(Object{{"ok", false}});
    return Value(Object{{"ok", true}, {"signed_download_url", found->url}, {"matched_key", found->key}});
}

Response Caches::answer_rest(std::string_view path, Request& request) {
    if (path == "cache" && request.method == "GET") return look_up(request);
    if (path == "caches" && request.method == "POST") return reserve_rest(request);
    if (path == "caches" && request.method == "GET") return json(Object{{"totalCount", 0}, {"artifactCaches", Array{}}});
    if (path.starts_with("caches/")) return of_reserved(path.substr(7), request);
    return refusal(404, "bad_route", "there is nothing at that path");
}

Response Caches::look_up(const Request& request) {
    std::vector<std::string> keys;
    for (const auto& key : split(request.query_value("keys"), ','))
        if (!trim(key).empty()) keys.emplace_back(trim(key));
    const auto found = find(request.query_value("version"), keys);
    if (!found) return refusal(found.error());
    if (!*found) return {.status = 204};
    return json(Object{{"archiveLocation", (*found)->url}, {"cacheKey", (*found)->key}, {"scope", places_.write}});
}

Response Caches::reserve_rest(Request& request) {
    const auto asked = json_of(request);
    if (!asked) return refusal(asked.error());
    Name name{text(*asked, "key"), text(*asked, "version")};
    const auto offered = reserve(name);
    if (!offered) return refusal(offered.error());
    const std::lock_guard lock(mutex_);
    if (reserved_.size() >= most_reserved) return refusal(429, "resource_exhausted", "the job has reserved more than 1,000 caches");
    reserved_.push_back(std::move(name));
    return json(Object{{"cacheId", reserved_.size()}}, 201);
}

/// PATCH brings a piece, POST says that all have come.
Response Caches::of_reserved(std::string_view id, Request& request) {
    std::size_t number = 0;
    const auto [end, failure] = std::from_chars(id.data(), id.data() + id.size(), number);
    std::shared_ptr<Upload> upload;
    Name name;
    {
        const std::lock_guard lock(mutex_);
        if (failure == std::errc{} && end == id.data() + id.size() && number > 0 && number <= reserved_.size()) {
            name = reserved_[number - 1];
            if (const auto found = pending_.find(name); found != pending_.end()) upload = found->second;
        }
    }
    if (!upload) return refusal(404, "not_found", "no cache was reserved under that number");
    if (request.method == "PATCH") {
        const auto range = read_content_range(request.content_range);
        if (!range) return refusal(400, "invalid_argument", "the request has no Content-Range");
        const auto put = upload->put_piece(range->first, range->second, *request.body);
        return put ? Response{.status = 204} : refusal(put.error());
    }
    if (request.method != "POST") return refusal(405, "bad_route", "that is not for a reserved cache");
    const auto asked = json_of(request);
    if (!asked) return refusal(asked.error());
    const auto& size = (*asked)["size"];
    if (!size.is_number() || size.as_number() < 0 || size.as_number() > static_cast<double>(largest_blob))
        return refusal(400, "invalid_argument", "the request does not say how large the cache is");
    const auto closed = upload->close(static_cast<std::uint64_t>(size.as_number()));
    const auto saved = closed ? save(name, *upload) : closed;
    if (!saved) return refusal(saved.error());
    const std::lock_guard lock(mutex_);
    if (const auto found = pending_.find(name); found != pending_.end() && found->second == upload) pending_.erase(found);
    blobs_.forget(upload);
    return {.status = 204};
}

}  // namespace cicd::results
