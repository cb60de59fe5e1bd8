#include "daemon/git/mirror.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <system_error>

namespace cicd::git {

namespace fs = std::filesystem;

Mirror::Lease::~Lease() {
    if (!repository_) return;
    const std::lock_guard lock(mirror_->mutex_);
    mirror_->idle_.push_back({std::move(repository_), std::move(odb_)});
}

namespace {

bool is_there(const fs::path& mirror) {
    std::error_code ignored;
    return fs::exists(mirror / "HEAD", ignored) && fs::exists(mirror / "objects", ignored);
}

/// Of a process that was killed while it wrote a reference or the configuration, which takes milliseconds.
void remove_old_locks(const fs::path& mirror) {
    const auto recent = fs::file_time_type::clock::now() - std::chrono::minutes(1);
    std::error_code error;
    const auto look_at = [&](const fs::path& file) {
        std::error_code gone;
        if (file.extension() == ".lock" && fs::last_write_time(file, gone) < recent && !gone) fs::remove(file, gone);
    };
    for (const auto& entry : fs::directory_iterator(mirror, error)) look_at(entry.path());
    for (fs::recursive_directory_iterator it(mirror / "refs", error), end; !error && it != end; it.increment(error))
        look_at(it->path());
}

/// Also mends what is there; keeps all objects.
Result<Owned<git_repository>> initialize_at(const fs::path& path) {
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_MKDIR;
    options.initial_head = "main";
    Owned<git_repository> repository;
    if (git_repository_init_ext(out(repository), path.c_str(), &options) < 0)
        return failure("cannot create the mirror " + path.string());
    return repository;
}

/// Elsewhere first: whoever dies half-way leaves nothing that the next one stumbles over, such as a lock of libgit2's.
Result<void> make_mirror(const fs::path& path) {
    static std::atomic<int> count{0};
    const auto name = ".new-" + std::to_string(::getpid()) + "-" + std::to_string(++count) + "-" + path.filename().string();
    const auto fresh = path.parent_path() / name;
    std::error_code error;
    fs::remove_all(fresh, error);
    CICD_CHECK(initialize_at(fresh));
    fs::rename(fresh, path, error);
    if (error && !is_there(path)) {  // something half-made is in the way
        fs::remove_all(path, error);
        fs::rename(fresh, path, error);
    }
    std::error_code ignored;
    fs::remove_all(fresh, ignored);  // where somebody else was quicker
    if (is_there(path)) return {};
    return unavailable("SOURCE_005", "cannot create the mirror " + path.string() + ": " + error.message());
}

}  // namespace

Result<Mirror::Lease> Mirror::lease(bool create) {
    initialize();
    Handle handle;
    const bool present = is_there(path_);
    if (present) std::call_once(swept_, [this] { remove_old_locks(path_); });
    {
        const std::lock_guard lock(mutex_);
        if (!present) {
            idle_.clear();
            complete_.clear();
        } else if (!idle_.empty()) {
            handle = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (handle.repository) return Lease(*this, std::move(handle.repository), std::move(handle.odb));
    if (!present && !create)
        return not_found("SOURCE_004", "this source is no longer kept: " + path_.string() + " is gone");
    if (!present) CICD_CHECK(make_mirror(path_));
    if (git_repository_open_bare(out(handle.repository), path_.c_str()) < 0) {
        CICD_TRY(handle.repository, initialize_at(path_));
    }
    if (git_repository_odb(out(handle.odb), handle.repository.get()) < 0)
        return failure("cannot open the objects of " + path_.string());
    return Lease(*this, std::move(handle.repository), std::move(handle.odb));
}

bool Mirror::is_complete(const git_oid& tree) {
    const std::lock_guard lock(mutex_);
    return complete_.contains(tree);
}

void Mirror::mark_complete(const git_oid& tree) {
    const std::lock_guard lock(mutex_);
    complete_.insert(tree);
}

void Mirror::forget_complete() {
    const std::lock_guard lock(mutex_);
    complete_.clear();
}

namespace {

/// Above this many missing objects their packs are taken whole.
constexpr int pack_threshold = 64;

/// An immutable file of theirs becomes ours: by link where the file system lets us, else as a copy that appears at once.
bool take_file(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_directories(to.parent_path(), error);
    fs::create_hard_link(from, to, error);
    if (!error || error == std::errc::file_exists) return true;
    if (!fs::exists(from, error)) return false;
    const fs::path temporary = to.parent_path() / ("tmp_" + std::to_string(::getpid()) + "_" + to.filename().string());
    if (!fs::copy_file(from, temporary, fs::copy_options::overwrite_existing, error) || error) return false;
    fs::rename(temporary, to, error);
    return !error;
}

}  // namespace

Result<bool> Importer::object(const git_oid& id) {
    if (have(id)) return true;
    if (++taken_ == pack_threshold) {
        take_packs();
        if (have(id)) return true;
    }
    const std::string hex = to_hex(id);
    const fs::path relative = fs::path(hex.substr(0, 2)) / hex.substr(2);
    if (take_file(their_objects_ / relative, mirror_.objects() / relative)) return true;
    return rewrite(id);
}

Result<bool> Importer::rewrite(const git_oid& id) {
    Owned<git_odb_object> object;
    const int status = git_odb_read(out(object), theirs_, &id);
    if (status == GIT_ENOTFOUND) return false;
    if (status < 0) return failure("cannot read object " + to_hex(id));
    git_oid written;
    if (git_odb_write(&written, ours_, git_odb_object_data(object.get()), git_odb_object_size(object.get()),
                      git_odb_object_type(object.get())) < 0)
        return failure("cannot keep object " + to_hex(id));
    return true;
}

void Importer::take_packs() {
    if (packs_taken_) return;
    packs_taken_ = true;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(their_objects_ / "pack", error)) {
        if (entry.path().extension() != ".idx") continue;
        const fs::path target = mirror_.objects() / "pack";
        fs::path pack = entry.path();
        pack.replace_extension(".pack");
        // The index last: a pack without one is not seen.
        if (take_file(pack, target / pack.filename())) take_file(entry.path(), target / entry.path().filename());
    }
    git_odb_refresh(ours_);
}

Result<void> Importer::tree(const git_oid& id) {
    if (mirror_.is_complete(id)) return {};
    Owned<git_odb_object> raw;
    if (git_odb_read(out(raw), theirs_, &id) < 0 && git_odb_read(out(raw), ours_, &id) < 0)
        return failure("cannot read tree " + to_hex(id), "the repository lacks objects: try `git fsck` there");
    std::string_view rest{static_cast<const char*>(git_odb_object_data(raw.get())), git_odb_object_size(raw.get())};
    // A tree's format: mode SP name NUL 20-byte-id, repeated.
    while (!rest.empty()) {
        const auto name_end = rest.find('\0');
        if (name_end == std::string_view::npos || rest.size() < name_end + 1 + GIT_OID_RAWSZ)
            return internal_error("tree " + to_hex(id) + " is damaged", "try `git fsck` in the repository");
        git_oid child;
        git_oid_fromraw(&child, reinterpret_cast<const unsigned char*>(rest.data() + name_end + 1));
        const std::string_view mode = rest.substr(0, rest.find(' '));
        if (mode == "40000") {
            CICD_CHECK(tree(child));
        } else if (mode != "160000") {
            CICD_TRY(const bool found, object(child));
            if (!found)
                return unavailable("SOURCE_005", "object " + to_hex(child) + " is missing in the repository",
                                   "a partial clone lacks files: fetch them first, for example with `git checkout`");
        }
        rest.remove_prefix(name_end + 1 + GIT_OID_RAWSZ);
    }
    CICD_CHECK(object(id));
    mirror_.mark_complete(id);
    return {};
}

Result<git_oid> parse_oid(const std::string& hex) {
    git_oid id;
    if (hex.size() != GIT_OID_HEXSZ || git_oid_fromstr(&id, hex.c_str()) < 0)
        return invalid("SOURCE_003", "'" + hex + "' is no object id");
    return id;
}

}  // namespace cicd::git
