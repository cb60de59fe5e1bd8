#include "daemon/upkeep/backup.hpp"

#include "common/codec/json.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/os/files.hpp"
#include "daemon/upkeep/archive.hpp"
#include "daemon/upkeep/room.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace cicd::upkeep {

namespace fs = std::filesystem;

namespace {

/// Files of an attempt that tell what happened. Workspaces are not kept.
constexpr std::string_view ended_files[] = {"spec.json", "journal", "log", "log.idx", "summary.md", "exit"};
/// Of one that has not ended: with lock and pid, whoever follows it finds its runner dead and counts it as lost; without
/// them it would be started a second time.
constexpr std::string_view running_files[] = {"spec.json", "lock", "pid", "cancel", "journal", "log", "log.idx"};

/// Removed, whatever happens, unless it was renamed away.
class Temporary {
public:
    explicit Temporary(fs::path path) : path_(std::move(path)) {}
    ~Temporary() { ::unlink(path_.c_str()); }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

class Packing {
public:
    Packing(ArchiveWriter& writer, const fs::path& state) : writer_(writer), state_(state) {}

    Result<void> text(const std::string& name, const std::string& text) {
        CICD_TRY(const auto added, writer_.add_text(name, text));
        note(name, added);
        return {};
    }
    Result<void> file(const std::string& name, const fs::path& from) {
        CICD_TRY(const auto added, writer_.add_file(name, from));
        note(name, added);
        return {};
    }
    Result<bool> job(const store::CopiedJob& job) {
        bool any = false;
        std::error_code none;
        for (int attempt = 1; attempt <= job.attempt; ++attempt) {
            const auto folder = fs::path("jobs") / job.id.str() / std::to_string(attempt);
            const bool ended = fs::exists(state_ / folder / "exit", none) && (attempt < job.attempt || is_final(job.state));
            const auto add = [&](const auto& names) -> Result<void> {
                for (const auto name : names) {
                    const auto from = state_ / folder / name;
                    if (!fs::is_regular_file(from, none)) continue;
                    CICD_CHECK(file((folder / name).string(), from));
                    any = true;
                }
                return {};
            };
            CICD_CHECK(ended ? add(ended_files) : add(running_files));
        }
        return any;
    }
    Result<void> keys() {
        std::error_code failure;
        for (fs::recursive_directory_iterator it(state_ / "keys", failure), end; !failure && it != end; it.increment(failure))
            if (it->is_regular_file() && !it->is_symlink()) {
                CICD_CHECK(file(fs::relative(it->path(), state_).string(), it->path()));
            }
        return {};
    }
    Result<void> checksums() {
        CICD_TRY(const auto added, writer_.add_text("checksums", checksums_));
        static_cast<void>(added);
        return {};
    }

private:
    void note(const std::string& name, const ArchiveWriter::Added& added) {
        checksums_ += added.sha256 + " " + std::to_string(added.size) + " " + name + "\n";
    }
    ArchiveWriter& writer_;
    const fs::path& state_;
    std::string checksums_;
};

Result<void> check_place(const contract::Backup& request) {
    const fs::path path(request.path);
    if (!path.is_absolute()) return invalid("CICD_400", "the backup's path must be absolute: " + request.path);
    std::error_code none;
    if (fs::is_directory(path, none))
        return invalid("CICD_400", request.path + " is a folder", "name the file to write, for example " +
                                                                      (path / "cicd-backup.tar.zst").string());
    if (!request.overwrite && fs::exists(fs::symlink_status(path, none)))
        return conflict("CICD_409", request.path + " is there already", "choose another name, or allow it to be replaced");
    if (!fs::is_directory(path.parent_path(), none))
        return invalid("CICD_400", "there is no folder " + path.parent_path().string());
    return {};
}

/// The copy of the state file stands on the state's own disk for as long as the backup takes.
Result<void> check_room(const fs::path& state) {
    CICD_TRY(const auto room, room_at(state));
    std::error_code none;
    const auto size = fs::file_size(state / "state.db", none);
    if (none || room.free > size + size / 8) return {};
    return unavailable("BACKUP_001", "a backup needs " + humanize_size(size) + " for a while in " + state.string() + ", only " +
                                         humanize_size(room.free) + " are free there",
                       "make room, for example with 'cicdctl daemon cleanup'");
}

}  // namespace

Result<contract::BackupReport> back_up(store::Store& store, const fs::path& state, Timestamp now,
                                       const contract::Backup& request) {
    CICD_CHECK(check_place(request));
    CICD_CHECK(check_room(state));
    const fs::path path(request.path);
    const auto mark = "." + std::to_string(::getpid()) + "." + std::to_string(now.time_since_epoch().count());
    const Temporary copy(state / ("backup" + mark + ".db"));
    CICD_CHECK(store.copy_to(copy.path()));
    CICD_TRY(const auto facts, store::inspect_copy(copy.path()));
    CICD_TRY(const auto jobs, store::jobs_of_copy(copy.path()));

    const Temporary unfinished(path.string() + mark + ".part");
    CICD_TRY(const auto writer, ArchiveWriter::create(unfinished.path()));
    Packing packing(*writer, state);
    const Object manifest{{"format", 1}, {"program", "cicd " CICD_VERSION}, {"schema", facts.schema},
                          {"runs", static_cast<double>(facts.runs)}, {"created", format_time(now)}};
    CICD_CHECK(packing.text("manifest.json", codec::to_json(manifest) + "\n"));
    CICD_CHECK(packing.file("state.db", copy.path()));
    contract::BackupReport report;
    for (const auto& job : jobs) {
        if (!request.logs && is_final(job.state)) continue;
        CICD_TRY(const bool any, packing.job(job));
        report.logs += any ? 1 : 0;
    }
    CICD_CHECK(packing.keys());
    CICD_CHECK(packing.checksums());
    CICD_TRY(const auto whole, writer->finish());
    if (::rename(unfinished.path().c_str(), path.c_str()) != 0) return os::last_error("cannot rename to " + path.string());
    CICD_CHECK(os::sync_directory(path.parent_path()));
    report.path = path.string();
    report.sha256 = whole.sha256;
    report.bytes = static_cast<std::int64_t>(whole.size);
    report.runs = facts.runs;
    return report;
}

}  // namespace cicd::upkeep
