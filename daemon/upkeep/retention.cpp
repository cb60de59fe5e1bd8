#include "daemon/upkeep/retention.hpp"

#include "common/job/job_directory.hpp"
#include "daemon/os/files.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>

namespace cicd::upkeep {

namespace fs = std::filesystem;

namespace {

constexpr int runs_at_once = 100;
constexpr auto young = std::chrono::hours(1);  ///< a folder that is so new may belong to what is being accepted
constexpr auto clock_tolerance = std::chrono::hours(1);

Timestamp changed(const fs::path& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return Timestamp::max();
    return Timestamp(Milliseconds(std::int64_t{facts.st_mtim.tv_sec} * 1000 + facts.st_mtim.tv_nsec / 1'000'000));
}

Timestamp used(const fs::path& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return Timestamp{};
    return Timestamp(Milliseconds(std::int64_t{std::max(facts.st_atim.tv_sec, facts.st_mtim.tv_sec)} * 1000));
}

std::vector<fs::path> entries(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code failure;
    for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure))
        found.push_back(it->path());
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

void work_in_the_background() {
    constexpr int this_thread = 1, idle_class = 3 << 13;  // ioprio_set: IOPRIO_WHO_PROCESS, IOPRIO_CLASS_IDLE
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
    ::syscall(SYS_ioprio_set, this_thread, 0, idle_class);
}

std::uint64_t bytes_below(const fs::path& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return 0;
    auto bytes = static_cast<std::uint64_t>(facts.st_blocks) * 512;
    if (S_ISDIR(facts.st_mode))
        for (const auto& entry : entries(path)) bytes += bytes_below(entry);
    return bytes;
}

Cleaner::Cleaner(Parts parts, Policy policy)
    : parts_(std::move(parts)), policy_(policy), wall_begin_(parts_.clock.now()),
      steady_begin_(std::chrono::steady_clock::now()) {}

/// Ages are counted on the wall clock. Where that has run differently from the machine's own, nothing is old for sure.
bool Cleaner::clock_is_plausible() {
    const auto wall = parts_.clock.now() - wall_begin_;
    const auto steady = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - steady_begin_);
    return std::chrono::abs(wall - steady) < clock_tolerance;
}

/// One clean-up.
struct Cleaner::Pass {
    const Parts& parts;
    const Policy& policy;
    bool dry_run = false;
    contract::CleanUpReport report;

    [[nodiscard]] bool stopping() const { return parts.stopping && parts.stopping(); }

    std::set<fs::path> counted = {};  ///< in a dry run: what is below any of these is counted already

    bool is_counted(const fs::path& path) const {
        for (auto at = path; at != parts.state && at.has_relative_path(); at = at.parent_path())
            if (counted.contains(at)) return true;
        return false;
    }

    bool remove(const fs::path& path) {
        if (dry_run && is_counted(path)) return false;
        if (dry_run) counted.insert(path);
        const auto bytes = bytes_below(path);
        if (bytes == 0) return false;
        report.bytes += static_cast<std::int64_t>(bytes);
        if (dry_run) return true;
        const auto removed = os::remove_all(path);
        if (!removed) report.notes.push_back(removed.error().message);
        return removed.has_value();
    }

    void remove_logs(const store::EndedRun& run) {
        for (const auto& job : run.jobs)
            if (remove(parts.state / "jobs" / job.str())) ++report.logs;
    }

    /// The rows first: what is not listed any more cannot be asked for. Folders that a crash leaves are found as strays.
    Result<void> remove_runs(const std::vector<store::EndedRun>& runs) {
        std::vector<RunId> ids;
        for (const auto& run : runs) ids.push_back(run.id);
        if (!dry_run) {
            CICD_TRY(const auto removed, parts.store.remove_runs(ids));
            report.runs += removed;
        } else {
            report.runs += static_cast<std::int64_t>(ids.size());
        }
        for (const auto& run : runs) {
            remove_logs(run);
            remove(parts.state / "runs" / run.id.str());
        }
        return {};
    }

    Result<void> old_runs(store::EndedFilter filter) {
        filter.limit = dry_run ? 1'000'000 : runs_at_once;
        while (!stopping()) {
            CICD_TRY(const auto runs, parts.store.ended_runs(filter));
            if (runs.empty()) return {};
            CICD_CHECK(remove_runs(runs));
            if (dry_run) return {};
        }
        return {};
    }

    Result<void> forget_logs(const std::vector<store::EndedRun>& runs) {
        std::vector<RunId> ids;
        for (const auto& run : runs) {
            remove_logs(run);
            ids.push_back(run.id);
        }
        return dry_run ? Result<void>{} : parts.store.mark_logs_removed(ids, parts.clock.now());
    }

    Result<void> old_logs(Timestamp before) {
        store::EndedFilter filter;
        filter.with_logs = true;
        filter.before = before;
        filter.limit = dry_run ? 1'000'000 : runs_at_once;
        while (!stopping()) {
            CICD_TRY(const auto runs, parts.store.ended_runs(filter));
            if (runs.empty()) return {};
            CICD_CHECK(forget_logs(runs));
            if (dry_run) return {};
        }
        return {};
    }

    Result<void> logs_beyond(std::uint64_t size) {
        auto total = bytes_below(parts.state / "jobs");
        store::EndedFilter filter;
        filter.with_logs = true;
        filter.limit = dry_run ? 1'000'000 : runs_at_once;
        while (total > size && !stopping()) {
            CICD_TRY(auto runs, parts.store.ended_runs(filter));
            if (runs.empty()) break;
            std::size_t enough = 0;
            while (enough < runs.size() && total > size)
                for (const auto& job : runs[enough++].jobs)
                    total -= std::min(total, bytes_below(parts.state / "jobs" / job.str()));
            runs.resize(enough);
            CICD_CHECK(forget_logs(runs));
            if (dry_run) return {};
        }
        if (total > size)
            report.notes.push_back(humanize_size(total) + " of logs belong to runs that are not over: they stay");
        return {};
    }

    /// Folders of jobs that no run has (a daemon died between two steps), and workspaces that should have gone.
    Result<void> strays() {
        const auto now = parts.clock.now();
        for (const auto& job : entries(parts.state / "jobs")) {
            if (stopping()) return {};
            const auto known = parts.store.job(JobId(job.filename().string()));
            if (!known && known.error().kind == ErrorKind::not_found && now - changed(job) > young) {
                if (remove(job)) ++report.logs;
                continue;
            }
            if (!policy.workspaces) continue;
            for (const auto& attempt : entries(job)) {
                const job::Paths paths{attempt};
                std::error_code none;
                if (fs::exists(paths.workspace(), none) && fs::exists(paths.exit(), none) &&
                    now - changed(paths.exit()) > *policy.workspaces && remove(paths.workspace()))
                    ++report.workspaces;
            }
        }
        for (const auto& run : entries(parts.state / "runs")) {
            const auto known = parts.store.run(RunId(run.filename().string()));
            const bool over = known ? model::is_final(known->state) && policy.workspaces && known->end_time &&
                                          now - *known->end_time > *policy.workspaces
                                    : known.error().kind == ErrorKind::not_found && now - changed(run) > young;
            if (over && remove(run)) ++report.workspaces;
        }
        return {};
    }

    void retired_mirrors() {
        for (const auto& mirror : entries(parts.state / "retired"))
            if (remove(mirror)) ++report.mirrors;
    }
};

Result<contract::CleanUpReport> Cleaner::clean(const contract::CleanUp& request) {
    const std::lock_guard lock(one_at_a_time_);
    Pass pass{parts_, policy_, request.dry_run, {}};
    const auto now = parts_.clock.now();
    if (!clock_is_plausible()) {
        pass.report.notes.push_back("the clock was set since the daemon started: nothing is removed for its age until "
                                    "the next start");
    } else {
        store::EndedFilter old;
        if (policy_.age) {
            old.before = now - *policy_.age;
            CICD_CHECK(pass.old_runs(old));
        }
        if (policy_.logs) CICD_CHECK(pass.old_logs(now - *policy_.logs));
        CICD_CHECK(pass.strays());
    }
    if (policy_.runs) {
        store::EndedFilter many;
        many.but_newest = policy_.runs;
        CICD_CHECK(pass.old_runs(many));
    }
    if (policy_.size) CICD_CHECK(pass.logs_beyond(*policy_.size));
    pass.retired_mirrors();
    if (parts_.trim_trees && !request.dry_run) {
        CICD_TRY(const auto freed, parts_.trim_trees(policy_.trees));
        pass.report.bytes += static_cast<std::int64_t>(freed);
    }
    if (parts_.clean_objects && !request.dry_run && clock_is_plausible()) {
        const auto freed = parts_.clean_objects(policy_.caches);
        if (freed) pass.report.bytes += static_cast<std::int64_t>(*freed);
        else pass.report.notes.push_back(freed.error().message);
    }
    return std::move(pass.report);
}

void retire_mirrors(const fs::path& state, Milliseconds unused_for, Timestamp now) {
    const auto aside = state / "retired";
    for (const auto& mirror : entries(state / "repos")) {
        auto last = std::max(used(mirror / "HEAD"), used(mirror));
        for (const char* part : {"config", "objects", "refs", "FETCH_HEAD"}) last = std::max(last, used(mirror / part));
        if (last == Timestamp{} || now - last < unused_for) continue;
        std::error_code failure;
        fs::create_directories(aside, failure);
        fs::rename(mirror, aside / (mirror.filename().string() + "." + std::to_string(now.time_since_epoch().count())),
                   failure);
    }
}

}  // namespace cicd::upkeep
