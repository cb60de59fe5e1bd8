#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/archives/start.hpp"
#include "daemon/objects/partial.hpp"

#include <algorithm>
#include <charconv>

// Uploads: a file, or an archive that becomes what it holds. Written as it comes: no upload is ever whole in memory.
namespace cicd::api {
namespace {

constexpr std::uint64_t look_every = std::uint64_t{64} << 20;

struct Upload {
    store::NewArtifact made;
    std::string path;
    bool unpack = false;
};

Result<Upload> read_upload(const Request& request) {
    Upload upload;
    auto& artifact = upload.made.artifact;
    artifact.name = request.query_value("name");
    artifact.type = request.query_value("type");
    upload.path = request.query_value("path").empty() ? artifact.name : request.query_value("path");
    CICD_TRY(upload.unpack, query_flag(request, "unpack", false));
    if (artifact.name.empty() || artifact.name.size() > 200 || artifact.name.find('/') != std::string::npos ||
        !objects::is_plain_name(artifact.name) || !objects::is_inner_path(upload.path) || !objects::is_plain_name(upload.path))
        return invalid("ARTIFACT_002", "'name' or 'path' cannot be used: '" + objects::shown(artifact.name) + "', '" + objects::shown(upload.path) + "'",
                       "a name without slashes, and a path that stays inside");
    if (const auto text = request.query_value("retention"); !text.empty()) {
        CICD_TRY(artifact.retention, parse_duration(text));
    }
    upload.made.created_by = request.user;
    return upload;
}

Error not_ended(const std::string& id) {
    return conflict("RUN_002", id + " has not ended yet", "its own artifacts come with its end; upload after that");
}

/// Whose it is to be: a job or a run that has ended, without one of that name.
Result<void> find_owner(store::Store& store, const Request& request, store::NewArtifact& made) {
    if (const auto& run = request.parameter("runId"); !run.empty()) {
        CICD_TRY(const auto found, store.run(RunId(run)));
        if (!model::is_final(found.state)) return not_ended(run);
        made.run = found.id;
    } else {
        CICD_TRY(const auto job, store.job(JobId(id_of(request))));
        if (!model::is_final(job.state)) return not_ended(job.id.str());
        made.run = job.run;
        made.job = job.id;
        made.job_key = job.key;
        made.attempt = job.attempt;
    }
    return store.is_free(made);
}

/// Lets so much through and no more.
class Bounds {
public:
    explicit Bounds(const Services& services) : services_(services) {}

    [[nodiscard]] Result<void> check(std::uint64_t size) { return within(size); }
    Result<void> begin(std::optional<std::uint64_t> length) {
        if (length) CICD_CHECK(within(*length));
        CICD_TRY(const auto room, free_room());
        if (length && *length > room) return no_room(*length);
        return {};
    }
    Result<void> written(std::uint64_t size) {
        CICD_CHECK(within(size));
        if (size < next_look_) return {};
        next_look_ = size + look_every;
        CICD_TRY(const auto room, free_room());
        return room < look_every ? Result<void>(no_room(look_every)) : Result<void>{};
    }
    /// What an archive may become.
    Result<std::uint64_t> unpacked() {
        CICD_TRY(const auto room, free_room());
        return std::min(room, services_.uploads.unpacked);
    }

private:
    Result<std::uint64_t> free_room() { return services_.upkeep ? services_.upkeep->room() : Result<std::uint64_t>(UINT64_MAX); }
    Result<void> within(std::uint64_t size) {
        if (size <= services_.uploads.size) return {};
        return invalid("ARTIFACT_007", "the upload is larger than " + humanize_size(services_.uploads.size),
                       "'uploads: {size: …}' of the daemon's config.yaml allows more");
    }
    static Error no_room(std::uint64_t wanted) {
        return unavailable("ARTIFACT_007", "there is no room on the disk for " + humanize_size(wanted) + " more (disk.reserve)",
                           "make room, for example with 'cicdctl daemon cleanup'");
    }

    const Services& services_;
    std::uint64_t next_look_ = look_every;
};

/// `resume` names an upload of `size` bytes that may come in several requests; `offset` says where the body of this one
/// begins, without it the request only asks how much has come.
struct Resume {
    std::string what;
    std::uint64_t size = 0;
    std::optional<std::uint64_t> offset;
};

Result<std::optional<std::uint64_t>> query_count(const Request& request, const char* name) {
    const auto text = request.query_value(name);
    std::uint64_t value = 0;
    if (text.empty()) return std::optional<std::uint64_t>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > INT64_MAX)
        return invalid(std::string(contract::code::bad_request), std::string("'") + name + "' is no number of bytes", "");
    return std::optional(value);
}

Result<Resume> read_resume(const Request& request) {
    Resume resume;
    const auto key = request.query_value("resume");
    const bool plain = std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
    if (key.size() < 16 || key.size() > 128 || !plain)
        return invalid(std::string(contract::code::bad_request), "'resume' is to be 16 to 128 letters, digits, '-' or '_'", "");
    CICD_TRY(const auto size, query_count(request, "size"));
    CICD_TRY(resume.offset, query_count(request, "offset"));
    if (!size || (resume.offset && *resume.offset > *size))
        return invalid(std::string(contract::code::bad_request), "'size' is missing, or smaller than 'offset'", "it is that of the whole upload");
    resume.size = *size;
    // Somebody else's, or one to somewhere else, is another one.
    resume.what = request.user + "\n" + request.path + "\n" + request.query_value("name") + "\n" + std::to_string(*size) + "\n" + key;
    return resume;
}

struct Receiving {
    objects::ObjectStore store;
    Upload upload;
    Bounds bounds;
    std::optional<objects::ObjectStore::Writer> writer;
    std::optional<Resume> resume = {};
    std::optional<objects::PartialUpload> partial = {};  ///< then instead of a writer
    [[nodiscard]] int fd() const { return partial ? partial->fd() : writer->fd(); }
    [[nodiscard]] bool is_whole() const { return !partial || partial->size() == resume->size; }
};

Result<void> begin_partial(Services& services, Receiving& to) {
    const auto& state = services.runs.status().state_directory;
    CICD_TRY(auto partial, objects::PartialUpload::open(state, to.resume->what));
    to.partial.emplace(std::move(partial));
    if (!to.resume->offset) return {};
    CICD_CHECK(to.bounds.begin(to.resume->size - *to.resume->offset));
    return to.partial->go_on_at(*to.resume->offset);
}

Result<void> begin(Services& services, Receiving& to, const Request& request) {
    CICD_CHECK(find_owner(services.store, request, to.upload.made));
    if (to.resume) CICD_CHECK(to.bounds.check(to.resume->size));
    if (to.resume) return begin_partial(services, to);
    CICD_CHECK(to.bounds.begin(request.body_reader ? request.body_reader->length() : std::nullopt));
    CICD_TRY(auto writer, to.store.writer(to.upload.unpack));
    to.writer.emplace(std::move(writer));
    return {};
}

Result<void> take(Receiving& to, const std::string& bytes) {
    if (to.partial) {
        if (bytes.size() > to.resume->size - to.partial->size())
            return invalid(std::string(contract::code::bad_request), "the body is longer than 'size' says", "");
        CICD_CHECK(to.partial->add(bytes));
        return to.bounds.written(to.partial->size());
    }
    CICD_CHECK(to.writer->add(bytes));
    return to.bounds.written(to.writer->size());
}

Result<void> keep_file(Receiving& to) {
    CICD_TRY(const auto stored, to.partial ? to.store.put_file(to.fd(), to.fd(), to.partial->size(), objects::Durability::lasting)
                                           : to.writer->finish(objects::Durability::lasting));
    objects::Manifest manifest;
    manifest.entries.push_back({.path = to.upload.path, .size = stored.size, .digest = stored.digest});
    CICD_TRY(const auto whole, to.store.put(objects::to_text(manifest), objects::Durability::lasting));
    auto& artifact = to.upload.made.artifact;
    artifact.digest = whole.digest;
    artifact.size = stored.size;
    artifact.files = 1;
    return {};
}

Result<void> keep_archive(Receiving& to) {
    CICD_TRY(const auto bytes, to.bounds.unpacked());
    CICD_TRY(const auto saved, archives::unpack_outside(to.store, to.fd(), bytes));
    auto& artifact = to.upload.made.artifact;
    artifact.digest = saved.digest;
    artifact.size = saved.size;
    artifact.files = saved.files;
    return {};
}

Result<model::ArtifactRecord> finish(Services& services, Receiving& to) {
    CICD_CHECK(to.upload.unpack ? keep_archive(to) : keep_file(to));
    to.upload.made.created = SystemClock().now();
    auto artifact = services.store.add_artifact(to.upload.made);
    if (to.partial) to.partial->remove();
    return artifact;
}

}  // namespace

/// The body is one file, or with `unpack` an archive; `name` is the artifact's, `path` where the file would lie in a workspace.
async::Task<Answer> upload_artifact(Services& services, Request request) {
    const auto read = read_upload(request);
    if (!read) co_return read.error();
    const objects::ObjectStore store(std::filesystem::path(services.runs.status().state_directory) / "objects");
    const auto to = std::make_shared<Receiving>(Receiving{store, *read, Bounds(services), std::nullopt});
    if (!request.query_value("resume").empty()) {
        auto resume = read_resume(request);
        if (!resume) co_return resume.error();
        to->resume = std::move(*resume);
    }
    const auto start = [&services, to, request] { return begin(services, *to, request); };
    const auto begun = co_await async::offload(services.pool, start);
    if (!begun) co_return begun.error();
    while (request.body_reader && !request.body_reader->is_done()) {
        auto piece = co_await request.body_reader->next();
        if (!piece) co_return piece.error();
        const auto put = [to, bytes = std::move(*piece)] { return take(*to, bytes); };
        const auto done = co_await async::offload(services.pool, put);
        if (!done) co_return done.error();
    }
    // Said where it can go on; an empty one is begun by its first byte.
    if (to->partial && (!to->is_whole() || !to->resume->offset)) co_return json_response(Object{{"offset", static_cast<double>(to->partial->size())}}, 202);
    const auto end = [&services, to] { return finish(services, *to); };
    const auto artifact = co_await async::offload(services.pool, end);
    if (!artifact) co_return artifact.error();
    auto response = json_response(codec::encode(*artifact), 201);
    response.headers.emplace_back("Location", contract::path_of(contract::route::show_artifact, {artifact->id.str()}));
    co_return response;
}

}  // namespace cicd::api
