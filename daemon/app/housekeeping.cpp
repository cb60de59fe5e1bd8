#include "daemon/app/housekeeping.hpp"

#include "daemon/app/logging.hpp"
#include "daemon/objects/caches.hpp"
#include "daemon/objects/collect.hpp"
#include "daemon/objects/partial.hpp"
#include "daemon/upkeep/backup.hpp"
#include "daemon/zones/trees.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <future>

namespace cicd::app {

namespace asio = async::asio;

namespace {

constexpr auto disk_interval = std::chrono::seconds(1);
constexpr auto clean_interval = std::chrono::hours(1);
constexpr std::size_t kept_trees = 500;
constexpr auto settled = std::chrono::minutes(10);  ///< after that every end of a job before the start is noted

/// Done on the pool's thread; the caller waits.
template <class Work>
std::invoke_result_t<Work> done_on(asio::thread_pool& pool, Work work) {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Work>()>>(std::move(work));
    auto outcome = task->get_future();
    asio::post(pool, [task] { (*task)(); });
    return outcome.get();
}

void log_report(const Result<contract::CleanUpReport>& report) {
    if (!report) return spdlog::warn(log_line("cleaning up failed: " + report.error().message));
    for (const auto& note : report->notes) spdlog::warn(log_line("clean-up: " + note));
    if (report->runs + report->logs + report->workspaces + report->mirrors == 0) return;
    spdlog::info(log_line("cleaned up", {{"runs", std::to_string(report->runs)},
                                         {"logs", std::to_string(report->logs)},
                                         {"workspaces", std::to_string(report->workspaces)},
                                         {"mirrors", std::to_string(report->mirrors)},
                                         {"bytes", std::to_string(report->bytes)}}));
}

}  // namespace

Housekeeping::Housekeeping(Parts parts, upkeep::Reserve reserve, upkeep::Policy policy)
    : parts_(std::move(parts)),
      watermark_(parts_.state, reserve),
      reserve_(reserve),
      policy_(policy),
      cleaner_({parts_.store, parts_.state, parts_.clock, [this] { return stopping_.load(); },
                [this](std::uint64_t bytes) { return zones::trim_trees(parts_.state, bytes, kept_trees); },
                [this](std::uint64_t caches) { return clean_objects(caches); }}, policy),
      disk_timer_(parts_.io),
      clean_timer_(parts_.io) {
    asio::post(background_, [] { upkeep::work_in_the_background(); });
    if (policy_.mirrors) upkeep::retire_mirrors(parts_.state, *policy_.mirrors, parts_.clock.now());
}

Housekeeping::~Housekeeping() {
    stop();
    join();
}

void Housekeeping::start() {
    watch_disk();
    clean_every_hour();
    if (parts_.store.wants_check()) check_state();
}

void Housekeeping::stop() {
    stopping_ = true;
    alive_.reset();
    disk_timer_.cancel();
    clean_timer_.cancel();
}

void Housekeeping::join() {
    background_.join();
}

void Housekeeping::look_at_disk() {
    if (stopping_) return;
    const auto reason = damage_.empty() ? watermark_.look() : damage_;
    // The numbers in a reason change all the time: the log is told once.
    if (reason.empty() != told_.empty()) {
        if (reason.empty())
            spdlog::info(log_line("new work is taken again"));
        else
            spdlog::warn(log_line("no new work is taken", {{"reason", reason}}));
    }
    if (reason == told_) return;
    told_ = reason;
    if (reason.empty())
        parts_.resume();
    else
        parts_.pause(reason);
}

void Housekeeping::watch_disk() {
    look_at_disk();
    disk_timer_.expires_after(disk_interval);
    disk_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& failure) {
        if (!failure && !alive.expired()) watch_disk();
    });
}

/// First what refers to content, then the content that nothing refers to any more.
Result<std::uint64_t> Housekeeping::clean_objects(std::uint64_t caches) {
    const auto now = parts_.clock.now();
    CICD_CHECK(parts_.store.expire_artifacts(now));
    const objects::CacheIndex index(parts_.state);
    index.remove_leavings(now);
    objects::sweep_partial_uploads(parts_.state, now);
    index.trim(caches, now);
    // Jobs that ended while no daemon ran may have saved what nobody has noted yet.
    if (std::chrono::steady_clock::now() - begin_ < settled) return 0;
    CICD_TRY(auto roots, parts_.store.artifact_digests());
    auto cached = objects::cache_roots(parts_.state);
    roots.insert(roots.end(), std::make_move_iterator(cached.begin()), std::make_move_iterator(cached.end()));
    CICD_TRY(const auto collected, objects::collect(objects::ObjectStore(parts_.state / "objects"), roots, now,
                                                    [this] { return stopping_.load(); }));
    if (!trim_objects_) return collected.bytes;
    CICD_TRY(const auto trimmed, trim_objects_());
    return collected.bytes + trimmed;
}

void Housekeeping::clean_every_hour() {
    asio::post(background_, [this] {
        if (!stopping_) log_report(cleaner_.clean({}));
    });
    clean_timer_.expires_after(clean_interval);
    clean_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& failure) {
        if (!failure && !alive.expired()) clean_every_hour();
    });
}

/// A large file is looked through while the daemon works. What runs goes on in any case: its end is worth trying to keep.
void Housekeeping::check_state() {
    asio::post(background_, [this, io = parts_.io, alive = std::weak_ptr(alive_)] {
        const auto sound = parts_.store.check(parts_.clock.now(), [this] { return stopping_.load(); });
        if (sound || stopping_) return;
        asio::post(io, [this, alive, error = sound.error()] {
            if (alive.expired()) return;
            if (error.code == "STATE_002") damage_ = error.message + "; " + error.hint;
            spdlog::error(log_line("the state file was checked", {{"error", error.message}}));
            look_at_disk();
        });
    });
}

Result<contract::BackupReport> Housekeeping::backup(const contract::Backup& request) {
    if (stopping_) return unavailable("CICD_503", "the daemon is stopping");
    auto report = done_on(background_, [this, request] {
        return upkeep::back_up(parts_.store, parts_.state, parts_.clock.now(), request);
    });
    if (report)
        spdlog::info(log_line("backed up", {{"path", report->path}, {"runs", std::to_string(report->runs)},
                                            {"bytes", std::to_string(report->bytes)}, {"sha256", report->sha256}}));
    return report;
}

Result<contract::CleanUpReport> Housekeeping::clean_up(const contract::CleanUp& request) {
    if (stopping_) return unavailable("CICD_503", "the daemon is stopping");
    auto report = done_on(background_, [this, request] { return cleaner_.clean(request); });
    if (!request.dry_run) log_report(report);
    return report;
}

Result<std::uint64_t> Housekeeping::room() {
    CICD_TRY(const auto room, upkeep::room_at(parts_.state));
    return room.free - std::min(room.free, upkeep::bytes_to_keep(room, reserve_));
}

std::string Housekeeping::log_level() const { return app::log_level(); }

Result<void> Housekeeping::set_log_level(const std::string& level) {
    CICD_CHECK(app::set_log_level(level));
    spdlog::info(log_line("log level changed", {{"to", level}}));
    return {};
}

}  // namespace cicd::app
