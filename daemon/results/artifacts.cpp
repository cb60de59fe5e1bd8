#include "daemon/results/artifacts.hpp"

#include "common/base/time.hpp"
#include "daemon/archives/pack.hpp"
#include "daemon/archives/start.hpp"
#include "daemon/objects/tree.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace cicd::results {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_unpacked = std::uint64_t{64} << 30;
constexpr std::size_t most_artifacts = 1000;

/// Clients write names as in the protocol's description, or as JSON's: `name_filter`, `nameFilter`.
std::string text(const Value& object, std::string_view name, std::string_view other) {
    for (const auto key : {name, other}) {
        const auto& value = object[key];
        if (value.is_string()) return value.as_string();
        if (value.is_number()) return number_text(value.as_number());
    }
    return "";
}

Result<std::string> name_in(const Value& asked) {
    const auto name = text(asked, "name", "name");
    CICD_CHECK(job::check_artifact_name(name));
    return name;
}

Result<std::string> hash_of(const Upload& upload, std::uint64_t size) {
    objects::Sha256 hash;
    std::vector<char> buffer(256 << 10);
    for (std::uint64_t at = 0; at < size;) {
        const ssize_t n = ::pread(upload.fd(), buffer.data(), buffer.size(), static_cast<off_t>(at));
        if (n <= 0) return os::last_error("what was uploaded cannot be read");
        hash.add(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
        at += static_cast<std::uint64_t>(n);
    }
    return "sha256:" + hash.finish();
}

}  // namespace

Artifacts::Artifacts(const job::ResultsRequest& request, Blobs& blobs)
    : store_(fs::path(request.store) / "objects"), state_(request.store), blobs_(blobs) {
    for (const auto& needed : request.needed) {
        Known known{.job_key = needed.job_key, .digest = needed.digest};
        known.artifact.name = needed.name;
        if (const auto manifest = objects::read_manifest(store_, needed.digest)) known.artifact.size = manifest->size();
        known_.push_back(std::move(known));
    }
    for (const auto& artifact : request.artifacts) known_.push_back({"", artifact.digest, artifact, true});
}

Response Artifacts::answer(std::string_view method, const Value& asked) {
    Result<Value> answer = not_found("CICD_404", "there is no method " + std::string(method));
    if (method == "CreateArtifact") answer = create(asked);
    else if (method == "FinalizeArtifact") answer = finalize(asked);
    else if (method == "ListArtifacts") answer = list(asked);
    else if (method == "GetSignedArtifactURL") answer = signed_url(asked);
    else if (method == "DeleteArtifact") answer = remove(asked);
    return answer ? json(*answer) : refusal(answer.error());
}

void Artifacts::learn() {
    for (auto& change : job::read_changes(job::results_known_fd, learned_)) {
        if (auto* known = own(change.kept ? change.kept->name : change.removed)) known->gone = true;
        if (change.kept) known_.push_back({"", change.kept->digest, *change.kept, true});
    }
}

Artifacts::Known* Artifacts::own(const std::string& name) {
    const auto found = std::find_if(known_.begin(), known_.end(), [&](const Known& known) { return known.own && !known.gone && known.artifact.name == name; });
    return found == known_.end() ? nullptr : &*found;
}

Result<void> Artifacts::tell(const job::ResultsChange& change) const {
    const auto line = job::to_line(change);
    if (::write(job::results_changes_fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return os::last_error("the runner cannot be told");
    return {};
}

Result<Value> Artifacts::create(const Value& asked) {
    CICD_TRY(const auto name, name_in(asked));
    std::optional<Milliseconds> retention;
    if (const auto until = text(asked, "expires_at", "expiresAt"); !until.empty()) {
        CICD_TRY(const auto end, parse_time(until));
        if (const auto now = SystemClock().now(); end > now) retention = end - now;
    }
    const std::lock_guard lock(mutex_);
    learn();
    if (own(name)) return conflict("ARTIFACT_005", "an artifact with the name '" + name + "' already exists in this job");
    if (known_.size() >= most_artifacts) return Error{ErrorKind::blocked, "ARTIFACT_007", "the job has more than 1,000 artifacts", "", {}};
    CICD_TRY(auto offered, blobs_.offer_upload());
    if (const auto before = pending_.find(name); before != pending_.end()) blobs_.forget(before->second.upload);
    pending_[name] = {offered.upload, retention};
    return Value(Object{{"ok", true}, {"signed_upload_url", offered.url}});
}

Result<Value> Artifacts::finalize(const Value& asked) {
    CICD_TRY(const auto name, name_in(asked));
    Pending pending;
    {
        const std::lock_guard lock(mutex_);
        const auto found = pending_.find(name);
        if (found == pending_.end()) return not_found("ARTIFACT_001", "nothing was begun for artifact '" + name + "'");
        pending = std::move(found->second);
        pending_.erase(found);
    }
    blobs_.forget(pending.upload);
    const auto size = pending.upload->size();
    if (!size) return invalid("ARTIFACT_002", "artifact '" + name + "' was not uploaded as a whole");
    if (const auto told = text(asked, "size", "size"); !told.empty() && told != std::to_string(*size))
        return invalid("ARTIFACT_002", "of artifact '" + name + "' came " + std::to_string(*size) + " bytes, not " + told);
    if (const auto told = text(asked, "hash", "hash"); told.starts_with("sha256:")) {
        CICD_TRY(const auto hash, hash_of(*pending.upload, *size));
        if (hash != told) return invalid("ARTIFACT_002", "what came of artifact '" + name + "' is not what was sent: " + hash + ", not " + told);
    }
    if (::lseek(pending.upload->fd(), 0, SEEK_SET) != 0) return os::last_error("what was uploaded cannot be read");
    CICD_TRY(const auto saved, archives::unpack_outside(store_, pending.upload->fd(), largest_unpacked));
    const model::JobArtifact artifact{name, "", saved.digest, saved.size, saved.files, pending.retention};
    const std::lock_guard lock(mutex_);
    learn();
    if (own(name)) return conflict("ARTIFACT_005", "an artifact with the name '" + name + "' already exists in this job");
    CICD_CHECK(tell({artifact, ""}));
    known_.push_back({"", artifact.digest, artifact, true});
    return Value(Object{{"ok", true}, {"artifact_id", std::to_string(known_.size())}});
}

Result<Value> Artifacts::list(const Value& asked) {
    const auto name = text(asked, "name_filter", "nameFilter"), id = text(asked, "id_filter", "idFilter");
    const std::lock_guard lock(mutex_);
    learn();
    Array found;
    for (std::size_t i = 0; i < known_.size(); ++i) {
        const auto& known = known_[i];
        if (known.gone || (!name.empty() && known.artifact.name != name) || (!id.empty() && std::to_string(i + 1) != id)) continue;
        found.push_back(Object{{"workflow_run_backend_id", "run"},
                               {"workflow_job_run_backend_id", known.own ? "job" : "needed-" + std::to_string(i + 1)},
                               {"database_id", std::to_string(i + 1)},
                               {"name", known.artifact.name},
                               {"size", std::to_string(known.artifact.size)}});
    }
    return Value(Object{{"artifacts", std::move(found)}});
}

/// Made before it is told of: what is damaged is refused here, and any part of it can be asked for.
Result<FilePart> Artifacts::zip_of(const std::string& digest) const {
    CICD_TRY(auto manifest, objects::read_manifest(store_, digest));
    CICD_TRY(auto packing, archives::Packing::begin(store_, std::move(manifest), archives::Format::zip));
    CICD_TRY(auto file, nameless_file(state_));
    for (;;) {
        CICD_TRY(const auto bytes, packing.next());
        if (bytes.empty()) break;
        for (std::size_t done = 0; done < bytes.size();) {
            const ssize_t n = ::write(file.get(), bytes.data() + done, bytes.size() - done);
            if (n <= 0) return os::last_error("the artifact's archive cannot be written");
            done += static_cast<std::size_t>(n);
        }
    }
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return os::last_error("the artifact's archive cannot be read");
    return FilePart{std::make_shared<os::Fd>(std::move(file)), 0, static_cast<std::uint64_t>(facts.st_size)};
}

Result<Value> Artifacts::signed_url(const Value& asked) {
    const auto name = text(asked, "name", "name"), job = text(asked, "workflow_job_run_backend_id", "workflowJobRunBackendId");
    std::string digest;
    {
        const std::lock_guard lock(mutex_);
        learn();
        // The job's own before those of others, where it is not said whose.
        for (std::size_t i = 0; i < known_.size(); ++i) {
            const auto& known = known_[i];
            if (known.gone || known.artifact.name != name) continue;
            digest = known.digest;
            if (job == "needed-" + std::to_string(i + 1)) break;
        }
    }
    if (digest.empty())
        return not_found("ARTIFACT_001", "artifact '" + name + "' not found", "only those of this job and of jobs that it needs, directly or not, are there");
    CICD_TRY(auto part, zip_of(digest));
    return Value(Object{{"signed_url", blobs_.offer_download(std::move(part))}});
}

Result<Value> Artifacts::remove(const Value& asked) {
    CICD_TRY(const auto name, name_in(asked));
    const std::lock_guard lock(mutex_);
    learn();
    auto* known = own(name);
    if (!known) return not_found("ARTIFACT_001", "this job has no artifact '" + name + "'", "those of other jobs cannot be deleted");
    CICD_CHECK(tell({std::nullopt, name}));
    known->gone = true;
    return Value(Object{{"ok", true}, {"artifact_id", std::to_string(known - known_.data() + 1)}});
}

}  // namespace cicd::results
