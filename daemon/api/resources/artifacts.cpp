#include "common/base/text.hpp"
#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
#include "daemon/api/byte_range.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/objects/download.hpp"
#include "daemon/objects/tree.hpp"

#include <algorithm>

// Artifacts: what jobs left behind. They never change, so what an id or a digest names is the same for ever.
namespace cicd::api {
namespace {

/// On the io thread.
objects::ObjectStore store_of(const Services& services) {
    return objects::ObjectStore(std::filesystem::path(services.runs.status().state_directory) / "objects");
}

async::Task<Result<model::ArtifactRecord>> find_artifact(Services& services, Request request) {
    const auto read = [&services, id = ArtifactId(request.parameter("artifactId")), job = request.parameter("jobId")]()
        -> Result<model::ArtifactRecord> {
        CICD_TRY(auto artifact, services.store.artifact(id));
        if (!job.empty() && artifact.job.str() != job)
            return not_found("ARTIFACT_001", id.str() + " is not of " + job, "it is of " + artifact.job.str());
        return artifact;
    };
    auto artifact = co_await async::offload(services.pool, read);
    co_return artifact;
}

/// For a header: quotes and what is no ASCII are left out, RFC 6266 has another parameter for those.
std::string disposition(const std::string& name) {
    std::string plain;
    for (const char c : name) plain += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e || c == '"' || c == '\\' ? '_' : c;
    return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + contract::percent_encode(name);
}

async::Task<void> send_download(Services& services, std::shared_ptr<objects::Download> download, std::uint64_t left, BodyStream& out) {
    while (left > 0) {
        const auto read = [download] { return download->next(); };
        auto bytes = co_await async::offload(services.pool, read);
        if (!bytes || bytes->empty()) co_return out.cut();
        if (bytes->size() > left) bytes->resize(left);
        left -= bytes->size();
        if (!co_await out.send(std::move(*bytes))) co_return;
    }
}

/// One file where there is just one, or `path` names one; else a tar archive. `format=tar` wants that in any case.
Result<Response> content_of(Services& services, const objects::ObjectStore& store, const Request& request,
                            const model::ArtifactRecord& artifact) {
    const auto format = request.query_value("format");
    if (!format.empty() && format != "tar" && format != "file")
        return invalid(std::string(contract::code::bad_request), "there is no format '" + format + "'", "there are: file, tar");
    CICD_TRY(auto manifest, objects::read_manifest(store, artifact.digest));
    auto path = request.query_value("path");
    if (path.empty() && format != "tar") {
        const auto is_file = [](const objects::Entry& entry) { return entry.kind == objects::Entry::Kind::file; };
        const bool links = std::any_of(manifest.entries.begin(), manifest.entries.end(),
                                       [](const objects::Entry& entry) { return entry.kind == objects::Entry::Kind::link; });
        if (manifest.files() == 1 && (!links || format == "file"))
            path = std::find_if(manifest.entries.begin(), manifest.entries.end(), is_file)->path;
        else if (format == "file")
            return invalid(std::string(contract::code::bad_request), "the artifact has " + std::to_string(manifest.files()) + " files",
                           "name one with 'path', or take format=tar");
    }
    auto download = path.empty() ? Result<objects::Download>(objects::Download::tar(store, std::move(manifest)))
                                 : objects::Download::file(store, std::move(manifest), path);
    if (!download) return download.error();
    Response response;
    response.content_type = path.empty() ? "application/x-tar" : "application/octet-stream";
    const auto etag = "\"" + artifact.digest + (path.empty() ? ".tar" : "-" + contract::percent_encode(path)) + "\"";
    response.headers.emplace_back("ETag", etag);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Content-Disposition", disposition(path.empty() ? artifact.name + ".tar" : path.substr(path.rfind('/') + 1)));
    if (!request.if_none_match.empty() && request.if_none_match.find(etag) != std::string::npos) {
        response.status = 304;
        response.content_type.clear();
        return response;
    }
    const auto range = choose_range(request.range, download->size(), response);
    download->begin_at(range.begin);
    auto shared = std::make_shared<objects::Download>(std::move(*download));
    response.stream = [&services, shared, left = range.end - range.begin](BodyStream& out) {
        return send_download(services, shared, left, out);
    };
    return response;
}

Object file_entry(const objects::Entry& entry) {
    Object object{{"path", entry.path}, {"mode", static_cast<int>(entry.mode)}};
    switch (entry.kind) {
        case objects::Entry::Kind::folder: object.set("type", "folder"); break;
        case objects::Entry::Kind::link:
            object.set("type", "link");
            object.set("target", entry.target);
            break;
        case objects::Entry::Kind::file:
            object.set("type", "file");
            object.set("size", static_cast<double>(entry.size));
            object.set("sha256", entry.digest);
            break;
    }
    return object;
}

}  // namespace

async::Task<Answer> list_artifacts(Services& services, Request request) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    contract::ArtifactFilter filter;
    filter.page = page->page;
    filter.page_size = std::min(page->page_size, 500);
    filter.name = request.query_value("name");
    filter.job = request.parameter("jobId").empty() ? request.query_value("job") : request.parameter("jobId");
    for (const auto* name : {"runId", "executionId"})
        if (const auto& id = request.parameter(name); !id.empty()) filter.run = id;
    if (filter.run.empty()) filter.run = request.query_value("run");
    if (const auto sort = request.query_value("sort"); !sort.empty()) filter.sort = sort;
    const auto read = [&services, filter]() -> Result<contract::Page<model::ArtifactRecord>> {
        if (!filter.run.empty()) CICD_CHECK(services.store.run(RunId(filter.run)));
        if (!filter.job.empty()) CICD_CHECK(services.store.job(JobId(filter.job)));
        return services.store.artifacts(filter);
    };
    const auto found = co_await async::offload(services.pool, read);
    co_return answer(found);
}

async::Task<Answer> get_artifact(Services& services, Request request) {
    const bool download = std::any_of(request.query.begin(), request.query.end(), [](const auto& one) { return one.first == "download"; });
    if (download) {
        auto content = co_await get_artifact_content(services, std::move(request));
        co_return content;
    }
    const auto artifact = co_await find_artifact(services, std::move(request));
    co_return answer(artifact);
}

async::Task<Answer> delete_artifact(Services& services, Request request) {
    const auto artifact = co_await find_artifact(services, request);
    if (!artifact) co_return artifact.error();
    const auto remove = [&services, id = artifact->id] { return services.store.remove_artifact(id); };
    const auto removed = co_await async::offload(services.pool, remove);
    if (!removed) co_return removed.error();
    Response response;
    response.status = 204;
    response.content_type.clear();
    co_return response;
}

async::Task<Answer> list_artifact_files(Services& services, Request request) {
    const auto artifact = co_await find_artifact(services, request);
    if (!artifact) co_return artifact.error();
    const auto page = read_page(request);
    if (!page) co_return page.error();
    const auto read = [store = store_of(services), digest = artifact->digest, wanted = *page]() -> Result<Response> {
        CICD_TRY(const auto manifest, objects::read_manifest(store, digest));
        Array files;
        const auto begin = static_cast<std::size_t>(wanted.page - 1) * static_cast<std::size_t>(wanted.page_size);
        for (auto i = begin; i < manifest.entries.size() && files.size() < static_cast<std::size_t>(wanted.page_size); ++i)
            files.push_back(file_entry(manifest.entries[i]));
        const auto total = static_cast<std::int64_t>(manifest.entries.size());
        const bool more = begin + files.size() < manifest.entries.size();
        return json_response(Object{{"data", std::move(files)},
                                    {"pagination", codec::encode(contract::Pagination{wanted.page, wanted.page_size, total, more, {}})}});
    };
    auto files = co_await async::offload(services.pool, read);
    co_return files;
}

async::Task<Answer> get_artifact_content(Services& services, Request request) {
    const auto artifact = co_await find_artifact(services, request);
    if (!artifact) co_return artifact.error();
    const auto make = [&services, store = store_of(services), request, found = *artifact] {
        return content_of(services, store, request, found);
    };
    auto response = co_await async::offload(services.pool, make);
    co_return response;
}

/// The body is one file, `name` its name, `path` where it would lie in a workspace.
async::Task<Answer> upload_artifact(Services& services, Request request) {
    const auto name = request.query_value("name");
    const auto path = request.query_value("path").empty() ? name : request.query_value("path");
    const auto odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; };
    if (name.empty() || name.size() > 200 || name.find('/') != std::string::npos || std::any_of(name.begin(), name.end(), odd) ||
        !objects::is_inner_path(path) || std::any_of(path.begin(), path.end(), odd))
        co_return invalid("ARTIFACT_002", "'name' or 'path' cannot be used: '" + to_valid_utf8(name) + "', '" + to_valid_utf8(path) + "'",
                          "a name without slashes, and a path that stays inside");
    std::optional<Milliseconds> retention;
    if (const auto text = request.query_value("retention"); !text.empty()) {
        const auto read = parse_duration(text);
        if (!read) co_return read.error();
        retention = *read;
    }
    const auto put = [&services, store = store_of(services), request, name, path, retention]() -> Result<model::ArtifactRecord> {
        CICD_TRY(const auto job, services.store.job(JobId(id_of(request))));
        if (!model::is_final(job.state))
            return conflict("RUN_002", job.id.str() + " has not ended yet", "its own artifacts come with its end; upload after that");
        CICD_TRY(const auto stored, store.put(request.body, objects::Durability::lasting));
        objects::Manifest manifest;
        manifest.entries.push_back({.path = path, .size = stored.size, .digest = stored.digest});
        CICD_TRY(const auto whole, store.put(objects::to_text(manifest), objects::Durability::lasting));
        return services.store.add_artifact({job.run, job.id, job.key, job.attempt,
                                            {name, request.query_value("type"), whole.digest, stored.size, 1, retention},
                                            SystemClock().now(), request.user});
    };
    const auto artifact = co_await async::offload(services.pool, put);
    if (!artifact) co_return artifact.error();
    auto response = json_response(codec::encode(*artifact), 201);
    response.headers.emplace_back("Location", contract::path_of(contract::route::show_artifact, {artifact->id.str()}));
    co_return response;
}

}  // namespace cicd::api
