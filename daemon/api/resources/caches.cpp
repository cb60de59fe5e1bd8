#include "common/contract/errors.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/objects/caches.hpp"
#include "daemon/objects/collect.hpp"

// Caches, and the soundness of all content.
namespace cicd::api {
namespace {

/// On the io thread.
std::filesystem::path state_of(const Services& services) { return services.runs.status().state_directory; }

Object as_object(const objects::KnownCache& cache) {
    Array paths;
    for (const auto& path : cache.entry.paths) paths.emplace_back(path);
    Object object{{"id", cache.id},
                  {"key", cache.entry.key},
                  {"scope", cache.entry.scope},
                  {"project", cache.entry.project},
                  {"paths", std::move(paths)},
                  {"size", static_cast<double>(cache.entry.size)},
                  {"files", static_cast<double>(cache.entry.files)},
                  {"createdTime", format_time(cache.entry.created)},
                  {"usedTime", format_time(cache.used)}};
    object.set("expireTime", cache.entry.ttl ? Value(format_time(cache.entry.created + *cache.entry.ttl)) : Value());
    return object;
}

Result<objects::KnownCache> find(const std::filesystem::path& state, const std::string& id) {
    for (auto& cache : objects::CacheIndex(state).all())
        if (cache.id == id) return cache;
    return not_found("CACHE_001", "there is no cache '" + id + "'", "list them with: cicdctl cache list");
}

}  // namespace

async::Task<Answer> list_caches(Services& services, Request request) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    const auto read = [state = state_of(services), wanted = *page, key = request.query_value("key"), scope = request.query_value("scope")] {
        auto all = objects::CacheIndex(state).all();
        std::erase_if(all, [&](const auto& cache) {
            return (!key.empty() && !cache.entry.key.starts_with(key)) || (!scope.empty() && cache.entry.scope != scope);
        });
        Array data;
        const auto begin = static_cast<std::size_t>(wanted.page - 1) * static_cast<std::size_t>(wanted.page_size);
        for (auto i = begin; i < all.size() && data.size() < static_cast<std::size_t>(wanted.page_size); ++i) data.push_back(as_object(all[i]));
        const bool more = begin + data.size() < all.size();
        return Object{{"data", std::move(data)},
                      {"pagination", codec::encode(contract::Pagination{wanted.page, wanted.page_size, static_cast<std::int64_t>(all.size()), more, {}})}};
    };
    auto found = co_await async::offload(services.pool, read);
    co_return json_response(std::move(found));
}

async::Task<Answer> get_cache(Services& services, Request request) {
    const auto read = [state = state_of(services), id = request.parameter("cacheId")] { return find(state, id); };
    const auto cache = co_await async::offload(services.pool, read);
    if (!cache) co_return cache.error();
    co_return json_response(as_object(*cache));
}

async::Task<Answer> delete_cache(Services& services, Request request) {
    const auto remove = [state = state_of(services), id = request.parameter("cacheId")]() -> Result<void> {
        CICD_TRY(const auto cache, find(state, id));
        objects::CacheIndex(state).remove(cache);
        return {};
    };
    const auto removed = co_await async::offload(services.pool, remove);
    if (!removed) co_return removed.error();
    Response response;
    response.status = 204;
    response.content_type.clear();
    co_return response;
}

/// Reads all content that anything needs.
async::Task<Answer> scrub_objects(Services& services, Request) {
    const auto work = [&services, state = state_of(services)]() -> Result<Response> {
        CICD_TRY(auto roots, services.store.artifact_digests());
        auto caches = objects::cache_roots(state);
        roots.insert(roots.end(), caches.begin(), caches.end());
        const auto scrubbed = objects::scrub(objects::ObjectStore(state / "objects"), roots, [] { return false; });
        Array damages;
        for (const auto& damage : scrubbed.damages) {
            Array needed;
            for (const auto& who : damage.needed_by) needed.emplace_back(who);
            damages.push_back(Object{{"object", damage.object}, {"problem", damage.what}, {"neededBy", std::move(needed)}});
        }
        return json_response(Object{{"objects", static_cast<double>(scrubbed.objects)},
                                    {"bytes", static_cast<double>(scrubbed.bytes)},
                                    {"damages", std::move(damages)}});
    };
    auto report = co_await async::offload(services.pool, work);
    co_return report;
}

}  // namespace cicd::api
