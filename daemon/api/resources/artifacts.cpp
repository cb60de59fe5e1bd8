#include "common/base/text.hpp"
#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
#include "daemon/api/byte_range.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/archives/pack.hpp"
#include "daemon/objects/download.hpp"
#include "daemon/objects/tree.hpp"

#include <algorithm>
#include <array>

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

async::Task<void> send_packing(Services& services, std::shared_ptr<archives::Packing> packing, BodyStream& out) {
    for (;;) {
        const auto make = [packing] { return packing->next(); };
        auto bytes = co_await async::offload(services.pool, make);
        if (!bytes) co_return out.cut();
        if (bytes->empty()) co_return;
        if (!co_await out.send(std::move(*bytes))) co_return;
    }
}

void set_content_headers(Response& response, const Request& request, const std::string& etag, const std::string& file) {
    response.headers.emplace_back("ETag", etag);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Content-Disposition", disposition(file));
    if (request.if_none_match.empty() || request.if_none_match.find(etag) == std::string::npos) return;
    response.status = 304;
    response.content_type.clear();
}

/// Made on its way: of no known length, from its begin.
Result<Response> packed(Services& services, const objects::ObjectStore& store, const Request& request,
                        const model::ArtifactRecord& artifact, objects::Manifest manifest, const std::string& format) {
    Response response;
    const bool zip = format == "zip";
    response.content_type = zip ? "application/zip" : "application/zstd";
    set_content_headers(response, request, "\"" + artifact.digest + "." + format + "\"", artifact.name + "." + format);
    if (response.status == 304) return response;
    CICD_TRY(auto packing, archives::Packing::begin(store, std::move(manifest), zip ? archives::Format::zip : archives::Format::tar_zst));
    response.stream = [&services, shared = std::make_shared<archives::Packing>(std::move(packing))](BodyStream& out) {
        return send_packing(services, shared, out);
    };
    return response;
}

/// One file where there is just one, or `path` names one; else a tar archive. `format=tar` wants that in any case.
Result<Response> content_of(Services& services, const objects::ObjectStore& store, const Request& request,
                            const model::ArtifactRecord& artifact) {
    const auto format = request.query_value("format");
    constexpr std::array formats{"", "file", "tar", "zip", "tar.zst"};
    if (std::find(formats.begin(), formats.end(), format) == formats.end())
        return invalid(std::string(contract::code::bad_request), "there is no format '" + format + "'", "there are: file, tar, zip, tar.zst");
    auto path = request.query_value("path");
    if (!path.empty() && !format.empty() && format != "file")
        return invalid(std::string(contract::code::bad_request), "one file of an artifact is no archive", "leave out 'path' or 'format'");
    if (services.fetch) CICD_CHECK(services.fetch(artifact.digest));
    CICD_TRY(auto manifest, objects::read_manifest(store, artifact.digest));
    if (format == "zip" || format == "tar.zst") return packed(services, store, request, artifact, std::move(manifest), format);
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
    set_content_headers(response, request, etag, path.empty() ? artifact.name + ".tar" : path.substr(path.rfind('/') + 1));
    if (response.status == 304) return response;
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
    const auto read = [store = store_of(services), fetch = services.fetch, digest = artifact->digest, wanted = *page]() -> Result<Response> {
        if (fetch) CICD_CHECK(fetch(digest));
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

}  // namespace cicd::api
