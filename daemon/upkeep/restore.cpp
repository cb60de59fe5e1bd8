#include "common/codec/json.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/os/files.hpp"
#include "daemon/upkeep/archive.hpp"
#include "daemon/upkeep/backup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace cicd::upkeep {

namespace fs = std::filesystem;

namespace {

constexpr auto unpacked_name = "restore.unpacked", mark_name = "restore.unfinished";
constexpr std::uint64_t largest_text = 256 << 20;

struct Unpacked {
    std::map<std::string, ArchiveWriter::Added> files;
    std::string manifest, checksums;
};

Error unusable(const fs::path& archive, const std::string& why) {
    return invalid("BACKUP_002", archive.string() + " cannot be restored: " + why,
                   "nothing was changed; take another backup");
}

bool has_a_place(const std::string& name) {
    return name == "state.db" || name.starts_with("jobs/") || name.starts_with("keys/");
}

Result<void> write_all(int fd, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("cannot write " + path.string());
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

/// A file of the archive on its way to disk.
struct Writing {
    std::string name;
    fs::path path;
    os::Fd file;
    Digest digest;
    std::uint64_t size = 0;

    Result<void> end(std::map<std::string, ArchiveWriter::Added>& files) {
        if (file && ::fsync(file.get()) != 0) return os::last_error("cannot write " + path.string());
        files[name] = {size, digest.finish()};
        return {};
    }
};

class Unpacking {
public:
    Unpacking(fs::path archive, fs::path into) : archive_(std::move(archive)), into_(std::move(into)) {}

    Result<Unpacked> all() {
        CICD_CHECK(read_archive(archive_, [this](const ArchivedFile& file) { return begin(file); }));
        CICD_CHECK(end());
        return std::move(unpacked_);
    }

private:
    Result<void> end() {
        if (!now_) return {};
        const auto last = std::exchange(now_, nullptr);
        return last->end(unpacked_.files);
    }

    Result<Sink> begin(const ArchivedFile& file) {
        CICD_CHECK(end());
        if (!unpacked_.checksums.empty()) return unusable(archive_, "something follows its checksums");
        now_ = std::make_shared<Writing>();
        now_->name = file.name;
        if (file.name == "manifest.json") return into_text(unpacked_.manifest);
        if (file.name == "checksums") return into_text(unpacked_.checksums);
        if (!has_a_place(file.name)) return unusable(archive_, "it holds '" + file.name + "', which has no place in a state");
        if (unpacked_.files.contains(file.name)) return unusable(archive_, "it holds '" + file.name + "' twice");
        return into_file(file);
    }

    Result<Sink> into_text(std::string& text) {
        if (!text.empty()) return unusable(archive_, "it holds '" + now_->name + "' twice");
        return Sink([this, &text](std::string_view bytes) -> Result<void> {
            if (text.size() + bytes.size() > largest_text) return unusable(archive_, "its " + now_->name + " is too large");
            text += bytes;
            now_->digest.feed(bytes);
            now_->size += bytes.size();
            return {};
        });
    }

    Result<Sink> into_file(const ArchivedFile& file) {
        now_->path = into_ / file.name;
        std::error_code failure;
        fs::create_directories(now_->path.parent_path(), failure);
        if (failure) return unavailable("BACKUP_001", "cannot create " + now_->path.parent_path().string() + ": " + failure.message());
        // The job directory's files are read by the runner's user too; all others are ours alone.
        const int mode = file.name.starts_with("jobs/") ? 0644 : 0600;
        now_->file = os::Fd(::open(now_->path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
        if (!now_->file) return os::last_error("cannot create " + now_->path.string());
        return Sink([writing = now_](std::string_view bytes) -> Result<void> {
            writing->digest.feed(bytes);
            writing->size += bytes.size();
            return write_all(writing->file.get(), bytes, writing->path);
        });
    }

    fs::path archive_, into_;
    Unpacked unpacked_;
    std::shared_ptr<Writing> now_;
};

Result<void> check_manifest(const fs::path& archive, const std::string& text) {
    const auto manifest = codec::parse_json(text);
    if (!manifest || !(*manifest)["format"].is_number()) return unusable(archive, "it has no manifest");
    if ((*manifest)["format"].as_number() > 1)
        return unusable(archive, "a newer cicd wrote it (format " + codec::to_json((*manifest)["format"]) + "): use that one");
    return {};
}

/// Each line names a file that is there with just these bytes, and every file has its line.
Result<void> check_sums(const fs::path& archive, Unpacked& unpacked) {
    if (unpacked.checksums.empty()) return unusable(archive, "its end is missing");
    auto left = unpacked.files;
    left.erase("checksums");
    std::istringstream lines(unpacked.checksums);
    std::string sum, size, name;
    while (lines >> sum >> size && std::getline(lines >> std::ws, name)) {
        const auto found = left.find(name);
        if (found == left.end()) return unusable(archive, "'" + name + "' is missing");
        if (found->second.sha256 != sum || std::to_string(found->second.size) != size)
            return unusable(archive, "'" + name + "' is not what was backed up");
        left.erase(found);
    }
    if (!left.empty()) return unusable(archive, "'" + left.begin()->first + "' has no checksum");
    return {};
}

bool stays(const fs::path& entry) {
    const auto name = entry.filename().string();
    // The lock is held by us; the socket and the log are the daemon's, not the state's.
    return name == "cicdd.lock" || name == "autostart.lock" || name.starts_with("cicdd.log") || name == unpacked_name ||
           name == mark_name || name.starts_with("before-restore-");
}

Result<void> move(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return os::last_error("cannot move " + from.string() + " to " + to.string());
    return {};
}

Result<std::vector<std::pair<fs::path, fs::path>>> put_aside(const fs::path& state, const fs::path& aside) {
    std::vector<std::pair<fs::path, fs::path>> moved;
    for (const auto& entry : fs::directory_iterator(state)) {
        if (stays(entry.path())) continue;
        std::error_code failure;
        fs::create_directory(aside, failure);
        ::chmod(aside.c_str(), 0700);
        if (const auto done = move(entry.path(), aside / entry.path().filename()); !done) {
            for (const auto& [from, to] : moved) static_cast<void>(move(to, from));
            return done.error();
        }
        moved.emplace_back(entry.path(), aside / entry.path().filename());
    }
    return moved;
}

/// From here on a crash leaves a mark, and the daemon refuses to go on with half of each.
Result<fs::path> replace(const fs::path& state, const fs::path& unpacked, Timestamp now) {
    const auto aside = state / ("before-restore-" + std::to_string(now.time_since_epoch().count()));
    CICD_CHECK(os::write_durably(state / mark_name, "what was there is in " + aside.string() + "\n", 0600));
    CICD_TRY(const auto moved, put_aside(state, aside));
    for (const auto& entry : fs::directory_iterator(unpacked))
        if (const auto placed = move(entry.path(), state / entry.path().filename()); !placed) {
            for (const auto& back : fs::directory_iterator(state))
                if (!stays(back.path())) static_cast<void>(move(back.path(), unpacked / back.path().filename()));
            for (const auto& [from, to] : moved) static_cast<void>(move(to, from));
            fs::remove(state / mark_name);
            return placed.error();
        }
    CICD_CHECK(os::sync_directory(state));
    fs::remove(state / mark_name);
    CICD_CHECK(os::sync_directory(state));
    return moved.empty() ? fs::path() : aside;
}

/// Runners outlive their daemon. What they write must not be moved away under them.
Result<void> refuse_running_jobs(const fs::path& state) {
    std::error_code failure;
    for (const auto& job : fs::directory_iterator(state / "jobs", failure))
        for (const auto& attempt : fs::directory_iterator(job.path(), failure)) {
            const job::Paths paths{attempt.path()};
            if (fs::exists(paths.exit(), failure) || job::runner_status(paths).liveness != job::RunnerLiveness::alive) continue;
            return conflict("CICD_409", job.path().filename().string() + " still runs", "wait until it has ended, or start the "
                            "daemon and cancel it");
        }
    return {};
}

}  // namespace

Result<Restored> restore(const fs::path& archive, const fs::path& state, Timestamp now) {
    CICD_CHECK(refuse_running_jobs(state));
    const auto unpacked_folder = state / unpacked_name;
    CICD_CHECK(os::remove_all(unpacked_folder));
    const auto fill = [&]() -> Result<Restored> {
        fs::create_directory(unpacked_folder);
        ::chmod(unpacked_folder.c_str(), 0700);
        CICD_TRY(auto unpacked, Unpacking(archive, unpacked_folder).all());
        CICD_CHECK(check_manifest(archive, unpacked.manifest));
        CICD_CHECK(check_sums(archive, unpacked));
        if (!unpacked.files.contains("state.db")) return unusable(archive, "it holds no state");
        CICD_TRY(const auto facts, store::inspect_copy(unpacked_folder / "state.db"));
        Restored restored{facts.runs, static_cast<std::int64_t>(unpacked.files.size()), facts.schema, {}};
        CICD_TRY(restored.before, replace(state, unpacked_folder, now));
        return restored;
    };
    auto outcome = fill();
    static_cast<void>(os::remove_all(unpacked_folder));
    return outcome;
}

Result<void> refuse_half_restored(const fs::path& state) {
    std::ifstream mark(state / mark_name);
    if (!mark) return {};
    std::string text;
    std::getline(mark, text);
    return unavailable("BACKUP_004", "a restore of " + state.string() + " did not come to its end; " + text,
                       "restore again: cicdd restore FILE --state-dir " + state.string());
}

}  // namespace cicd::upkeep
