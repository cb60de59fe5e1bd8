#pragma once

#include "daemon/api/services.hpp"
#include "daemon/async/task_group.hpp"
#include "daemon/upkeep/retention.hpp"
#include "daemon/upkeep/room.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <filesystem>
#include <functional>

namespace cicd::app {

/// The daemon's care for itself: room on the disk, retention, checks of the state file, backups. What is long runs on
/// one thread of the lowest priority; timers are steady, whatever happens to the wall clock.
class Housekeeping final : public api::Upkeep {
public:
    struct Parts {
        async::asio::any_io_executor io;
        store::Store& store;
        std::filesystem::path state;
        const Clock& clock;
        std::function<void(std::string reason)> pause;  ///< on the io thread; again with another reason
        std::function<void()> resume;
    };
    Housekeeping(Parts parts, upkeep::Reserve reserve, upkeep::Policy policy);
    ~Housekeeping() override;

    /// What makes room by leaving objects elsewhere; asked with each clean-up. Before `start`.
    void trim_objects_by(std::function<Result<std::uint64_t>()> trim) { trim_objects_ = std::move(trim); }
    /// Looks at the disk at once, then every second; cleans now and every hour; checks the state file where it is due.
    void start();
    void stop();
    /// Waits for what runs now.
    void join();
    /// Pauses or resumes by what is free at this moment.
    void look_at_disk();

    Result<contract::BackupReport> backup(const contract::Backup& request) override;
    Result<contract::CleanUpReport> clean_up(const contract::CleanUp& request) override;
    Result<std::uint64_t> room() override;
    [[nodiscard]] std::string log_level() const override;
    Result<void> set_log_level(const std::string& level) override;

private:
    void watch_disk();
    void clean_every_hour();
    void check_state();
    Result<std::uint64_t> clean_objects(std::uint64_t caches);

    Parts parts_;
    upkeep::Watermark watermark_;
    const upkeep::Reserve reserve_;
    upkeep::Policy policy_;
    std::function<Result<std::uint64_t>()> trim_objects_;
    std::atomic<bool> stopping_ = false;
    upkeep::Cleaner cleaner_;
    std::string damage_, told_;  ///< io thread only
    async::asio::steady_timer disk_timer_, clean_timer_;
    async::asio::thread_pool background_{1};
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace cicd::app
