#include "common/client/calls.hpp"
#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"

#include <algorithm>
#include <thread>

// What jobs left behind: artifacts and caches.
namespace cicd::client {

namespace route = contract::route;
using contract::path_of;
using contract::query_text;

Result<contract::Page<model::ArtifactRecord>> Client::list_artifacts(const contract::ArtifactFilter& filter) {
    const auto query = query_text({{"run", filter.run}, {"job", filter.job}, {"name", filter.name}, {"sort", filter.sort},
                                   {"page", std::to_string(filter.page)}, {"pageSize", std::to_string(filter.page_size)}});
    return decoded<contract::Page<model::ArtifactRecord>>(call("GET", path_of(route::list_artifacts) + query));
}

Result<model::ArtifactRecord> Client::show_artifact(const std::string& id) {
    return decoded<model::ArtifactRecord>(call("GET", path_of(route::show_artifact, {id})));
}

Result<Value> Client::artifact_files(const std::string& id, int page) {
    return call("GET", path_of(route::artifact_files, {id}) + query_text({{"page", std::to_string(page)}, {"pageSize", "1000"}}));
}

Result<void> Client::remove_artifact(const std::string& id) {
    CICD_CHECK(call("DELETE", path_of(route::remove_artifact, {id})));
    return {};
}

Result<std::string> Client::download_artifact(const std::string& id, const Download& what,
                                              const std::function<bool(std::string_view)>& on_piece) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (what.offset > 0) headers.emplace_back("Range", "bytes=" + std::to_string(what.offset) + "-");
    const auto target = path_of(route::artifact_content, {id}) + query_text({{"path", what.path}, {"format", what.format}});
    std::string refusal;
    auto response = raw_stream("GET", target, {}, headers, [&](int status, std::string_view piece) {
        if (status < 400) return on_piece(piece);
        refusal += piece;
        return true;
    });
    if (!response) return response.error();
    response->body = refusal;
    if (response->status >= 400) return as_error(*response);
    return response->content_type;
}

namespace {

std::string upload_target(const std::string& run_or_job, const Upload& what, std::vector<std::pair<std::string, std::string>> more = {}) {
    const auto& to = run_or_job.starts_with("job-") ? route::upload_artifact : route::upload_run_artifact;
    std::vector<std::pair<std::string, std::string>> query{{"name", what.name}, {"path", what.path}, {"type", what.type},
                                                           {"retention", what.retention}, {"unpack", what.unpack ? "true" : ""}};
    query.insert(query.end(), more.begin(), more.end());
    return path_of(to, {run_or_job}) + query_text(query);
}

constexpr int most_vain_tries = 20;
constexpr Milliseconds longest_pause{1000};

BodySource nothing() {
    return [] { return Result<std::string>(std::string()); };
}

}  // namespace

Result<model::ArtifactRecord> Client::upload_artifact_resumably(const std::string& run_or_job, const Upload& what, const std::string& key,
                                                                std::uint64_t length, const std::function<BodySource(std::uint64_t)>& from) {
    const auto target = [&](const std::string& offset) {
        return upload_target(run_or_job, what, {{"resume", key}, {"size", std::to_string(length)}, {"offset", offset}});
    };
    Milliseconds pause{20};
    std::uint64_t reached = 0;
    for (int vain = 0;;) {
        std::optional<Error> broken;
        auto response = raw_upload("POST", target(""), 0, nothing());
        if (response && response->status == 202) {
            CICD_TRY(const auto told, codec::parse_json(response->body));
            if (!told["offset"].is_number()) return internal_error("the daemon does not say where the upload goes on");
            const auto offset = static_cast<std::uint64_t>(told["offset"].as_number());
            if (offset > reached) vain = 0, pause = Milliseconds(20);
            reached = std::max(reached, offset);
            if (offset <= length) response = raw_upload("POST", target(std::to_string(offset)), length - offset, from(offset));
        }
        if (response && response->status == 201) return decoded<model::ArtifactRecord>(codec::parse_json(response->body));
        // What is still being received by a daemon that has not noticed the break is waited for.
        if (!response) broken = response.error();
        else if (response->status >= 400) broken = as_error(*response);
        const bool may_pass = !broken || broken->kind == ErrorKind::unavailable || broken->code == "ARTIFACT_008" || broken->message.find("broke off") != std::string::npos;
        if (!may_pass || (broken && broken->code == "ARTIFACT_007") || ++vain > most_vain_tries)
            return broken ? *broken : internal_error("the upload does not come to an end");
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, longest_pause);
    }
}

Result<model::ArtifactRecord> Client::upload_artifact(const std::string& run_or_job, const Upload& what, std::optional<std::uint64_t> length,
                                                      BodySource source) {
    CICD_TRY(const auto response, raw_upload("POST", upload_target(run_or_job, what), length, std::move(source)));
    if (response.status >= 400) return as_error(response);
    return decoded<model::ArtifactRecord>(codec::parse_json(response.body));
}

Result<Value> Client::list_caches(const std::string& key, int page) {
    return call("GET", path_of(route::list_caches) + query_text({{"key", key}, {"page", std::to_string(page)}, {"pageSize", "100"}}));
}

Result<Value> Client::show_cache(const std::string& id) { return call("GET", path_of(route::show_cache, {id})); }

Result<void> Client::remove_cache(const std::string& id) {
    CICD_CHECK(call("DELETE", path_of(route::remove_cache, {id})));
    return {};
}

Result<Value> Client::scrub() { return call("POST", path_of(route::scrub)); }

}  // namespace cicd::client
