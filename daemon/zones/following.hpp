#pragma once

#include "common/job/file.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/inotify.hpp"
#include "daemon/zones/local.hpp"
#include "daemon/zones/workspaces.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

/// Inside of the local zone.
namespace cicd::zones {

namespace asio = boost::asio;
using Key = Attempt;

/// A job from its assignment to its end.
struct Following {
    enum class Phase { preparing, starting, running };

    Following(const asio::any_io_executor& io, Assignment given, job::Paths where)
        : assignment(std::move(given)), paths(std::move(where)), runner(io), timer(io) {}

    Assignment assignment;
    job::Paths paths;
    Phase phase = Phase::preparing;
    bool wanted = false;     ///< its turn has come; until then its runner is held back
    bool discarded = false;  ///< its turn will not come: its runner is leaving
    enum class Again { no, prepare, start } again = Again::no;  ///< of one discarded: what was asked for since
    std::shared_ptr<std::atomic<bool>> given_up = std::make_shared<std::atomic<bool>>(false);  ///< whoever makes its place may stop
    bool adopted = false;
    os::Fd gate;             ///< see common/job/gate.hpp
    struct News {
        Value contexts;
        std::vector<model::NeededArtifact> needed;
    };
    std::optional<News> news;  ///< what the runner is to be told before it goes on
    std::optional<Cancellation> cancel;
    int pid = 0;
    asio::posix::stream_descriptor runner;  ///< pidfd
    asio::steady_timer timer;  ///< for killing it; of one taken over, for looking again
    Held held;  ///< while the job may need it
    int folder_watch = -1, journal_watch = -1;
    std::uint64_t journal_offset = 0;
};

/// When a spare is made: as soon as the machine is likely to have nothing more urgent to do.
constexpr Milliseconds after_end{2};
/// A runner that waits for a job with its place made: see common/job/spare.hpp.
struct Spare {
    int pid = 0;
    os::Fd gate;
    bool is_being_made = false;
    int failures = 0;  ///< in a row; where it cannot be, nobody goes on trying
};

class Local::State : public std::enable_shared_from_this<Local::State> {
public:
    State(asio::any_io_executor io, asio::thread_pool& pool, git::Sources& sources, LocalOptions options);
    void open();
    void detach();

    Following& prepare(const Assignment& assignment);
    void start(const Assignment& assignment);
    void discard(const Key& key);
    void adopt(const Assignment& assignment);
    void cancel(const Key& key, const Cancellation& why);
    void release(const RunId& run);

    Listener* listener = nullptr;
    Folders folders;

private:
    // local.cpp: from an assignment to a runner
    void sweep(std::vector<Attempt> found);
    void make(const Key& key, const Assignment& assignment, const std::shared_ptr<std::atomic<bool>>& given_up);
    void prepared(const Key& key, const Result<Held>& outcome);
    void spawn(const Key& key, Following& job);
    bool spawn_spare(const Key& key, Following& job, const job::File& lock);
    void make_spare(Milliseconds delay);
    void spawned(const Key& key, const Result<int>& pid);
    void open_gate(const Key& key, Following& job);
    void forget(const Key& key);
    void remove_later(const std::filesystem::path& attempt);
    void start_again(const Key& key);
    void begin_again(const Following& before);
    void adopt_now(const Key& key);
    void stop(const Key& key, Following& job);
    void kill_later(const Key& key, Following& job, Milliseconds wait);

    // follow.cpp: from a runner to its end
    Result<void> watch(const Key& key, Following& job);
    void unwatch(const Following& job);
    void wait_for_files();
    void files_changed();
    void wait_for_death(const Key& key, Following& job);
    void wait_for_death_later(const Key& key);
    void wait_for_runner(const Key& key, Following& job);
    void died(const Key& key);
    void read_journal(const Key& key, Following& job);
    bool collect_exit(const Key& key, Following& job);
    void end(const Key& key, model::JobExit exit);
    void end_early(const Key& key, model::EndReason reason, const std::string& message);

    Following* find(const Key& key);

    asio::any_io_executor io_;
    asio::thread_pool& pool_;
    git::Sources& sources_;
    LocalOptions options_;
    std::optional<os::Inotify> inotify_;
    std::string inotify_problem_;
    std::optional<asio::posix::stream_descriptor> files_;
    std::map<Key, std::shared_ptr<Following>> jobs_;
    std::unordered_map<int, Key> watches_;
    Trees trees_;
    std::shared_ptr<images::Store> images_;
    bool detached_ = false;
    Spare spare_;
    asio::steady_timer spare_timer_;
    asio::thread_pool maker_{1};    ///< checkouts of whole repositories, which everybody else would wait behind
    asio::thread_pool puller_{1};   ///< images, as fast as the network is
    std::atomic<bool> stop_pulling_ = false;
    asio::thread_pool spawner_{1};  ///< starting a runner never waits behind a checkout
    asio::thread_pool sweeper_{1};  ///< and nothing waits behind a removal
};

}  // namespace cicd::zones
