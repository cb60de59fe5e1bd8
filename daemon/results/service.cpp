#include "daemon/results/service.hpp"

namespace cicd::results {
namespace {

constexpr std::string_view artifact_service = "/twirp/github.actions.results.api.v1.ArtifactService/";
constexpr std::string_view cache_service = "/twirp/github.actions.results.api.v1.CacheService/";
constexpr std::string_view older_caches = "/_apis/artifactcache/";

}  // namespace

Response Service::answer(Request& request) {
    const std::string_view path = request.path;
    // Their URLs are their permission.
    if (path.starts_with("/cicd/blobs/")) return blobs_.answer(request);
    if (!are_same(request.authorization, "Bearer " + token_)) return refusal(401, "unauthenticated", "the job's token is missing or wrong");
    if (path.starts_with(older_caches)) return caches_.answer_rest(path.substr(older_caches.size()), request);
    const bool artifacts = path.starts_with(artifact_service), caches = path.starts_with(cache_service);
    if (!artifacts && !caches) return refusal(404, "bad_route", "there is nothing at that path");
    if (request.method != "POST") return refusal(405, "bad_route", "only POST is for that");
    const auto asked = json_of(request);
    if (!asked) return refusal(asked.error());
    return artifacts ? artifacts_.answer(path.substr(artifact_service.size()), *asked) : caches_.answer(path.substr(cache_service.size()), *asked);
}

}  // namespace cicd::results
