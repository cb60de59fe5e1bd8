#pragma once

#include "common/base/time.hpp"
#include "daemon/events/bus.hpp"
#include "daemon/git/source.hpp"
#include "daemon/planner/prepare.hpp"
#include "daemon/scheduler/core.hpp"
#include "daemon/scheduler/retry.hpp"
#include "daemon/scheduler/run_service.hpp"
#include "daemon/store/store.hpp"
#include "daemon/zones/zone.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cicd::scheduler {

struct SchedulerOptions {
    std::filesystem::path state_directory, socket;  ///< as `status` tells them
    Capacity capacity;
    bool allow_host_executor = false;
    planner::PinImage pin_image = nullptr;
    std::function<std::optional<std::string>()> why_no_engine = nullptr;
    model::Strings mountable = {};  ///< see planner::PrepareOptions
    planner::ActionServers actions;
    model::Texts labels;  ///< see planner::PlanRequest
    std::function<void(const std::string&)> warn;  ///< what an operator should see in the daemon's log
    /// What a run may have; asked on the pool, when its pipeline reads secrets.
    std::function<Result<std::vector<model::KnownSecret>>(const model::SecretPlace&)> known_secrets;
    std::function<void()> before_accepting;        ///< may pause: asked before each run
    /// For jobs that can be reused; asked on the pool. A version of each secret that a job would be given, and whether the
    /// content of an artifact is all there (then it also stays for the next hour).
    std::function<Result<model::Texts>(const model::Strings& names, const model::SecretPlace&)> secret_versions;
    std::function<bool(const std::string& digest)> is_kept;
};

/// All cores and all memory of this machine; as many slots as cores, but at least four.
Capacity machine_capacity();

Error over_already(const model::Run& run);
Error over_already(const model::JobRun& job);

/// Carries out what the core decides: durable first, then told, then done. Lives on the io thread; everything that
/// blocks happens elsewhere. What was decided while a commit was under way goes into the next one.
class Scheduler final : public RunService, private zones::Listener {
public:
    /// All of these outlive the scheduler.
    struct Parts {
        async::asio::any_io_executor io;
        async::asio::thread_pool& pool;
        store::Store& store;
        git::Sources& sources;
        events::Bus& bus;
        zones::Zone& zone;
        const Clock& clock;
    };
    Scheduler(Parts parts, SchedulerOptions options);
    ~Scheduler() override;

    /// Goes on with the runs of the daemon before this one. Once, before anything else; blocks.
    Result<void> resume();
    /// Takes no more work, leaves runners running, makes durable what is not yet, and returns promptly.
    void shutdown();

    /// No new job starts, and nothing new is taken, until `resume_work`; what runs goes on. On the io thread.
    void pause(std::string reason);
    void resume_work();

    async::Task<Result<model::Run>> start(contract::StartRun request, std::string user, std::string request_key = {}) override;
    async::Task<Result<model::Run>> cancel(RunId run, contract::Cancel how) override;
    async::Task<Result<model::Run>> retry(RunId run, contract::RetryRun options, std::string user,
                                                  std::string request_key = {}) override;
    async::Task<Result<model::JobRun>> cancel_job(JobId job, contract::Cancel how) override;
    async::Task<Result<model::Run>> restart_job(JobId job, std::string user, std::string request_key = {}) override;
    async::Task<Result<model::Run>> reschedule(RunId run, contract::Reschedule change, std::string user) override;
    async::Task<Result<model::JobRun>> reschedule_job(JobId job, contract::Reschedule change, std::string user) override;
    async::Task<Result<contract::Explanation>> explain(RunId run) override;
    async::Task<Result<contract::Explanation>> explain_job(JobId job) override;
    [[nodiscard]] std::vector<model::JobRun> queue() const override { return core_.queue(); }
    [[nodiscard]] std::filesystem::path job_directory(const JobId& job, int attempt) const override;
    [[nodiscard]] contract::DaemonStatus status() const override;

private:
    /// Somebody who waits until what was decided is durable.
    struct Ticket {
        explicit Ticket(const async::asio::any_io_executor& io) : signal(io) {}
        async::Signal signal;
        bool done = false;
        Result<void> outcome;
    };
    struct Batch {
        Actions actions;
        std::vector<std::shared_ptr<Ticket>> tickets;
        bool refused = false;
        bool urgent = false;  ///< somebody waits for it
    };

    void progressed(const JobId& job, int attempt, const model::JournalEntry& entry) override;
    void ended(const JobId& job, int attempt, const model::JobExit& exit) override;

    void submit(Event event);
    void decide(Event event);
    void wait_for_company();
    void commit_soon();
    void commit();
    void write(std::shared_ptr<Batch> batch);
    void written(std::shared_ptr<Batch> batch, const Result<void>& outcome);
    void refuse(Batch& batch, const Error& error);
    void carry_out(Batch& batch);
    void look_up(InputsQuestion question);
    void arm_timer();
    void fire_timers();
    void warn(const std::string& text) const;

    async::Task<Result<void>> durable();
    async::Task<Result<model::Run>> accept(Result<store::NewRun> content);
    async::Task<Result<model::Run>> snapshot(RunId id);
    async::Task<Result<model::Run>> stored(RunId id);
    async::Task<Result<model::JobRun>> stored(JobId id);
    async::Task<Result<contract::Explanation>> explain_stored(RunId run, JobId only);
    async::Task<Result<model::Run>> succeed(RunId old,
                                            std::function<Result<store::NewRun>(const Ancestor&, const Birth&)> make,
                                            std::string user, std::string request_key);
    Result<store::NewRun> prepare(contract::StartRun request, const std::string& user);
    Birth birth(const std::string& user);
    Result<void> accepting() const;

    Parts parts_;
    SchedulerOptions options_;
    Core core_;
    Batch pending_;
    static constexpr Milliseconds first_write_wait{250};
    Milliseconds write_again_in_ = first_write_wait;
    std::optional<Error> write_failure_;  ///< while the state cannot be written: nothing new is taken
    bool committing_ = false, commit_posted_ = false, waiting_ = false, stopping_ = false;
    /// By the machine's own clock, which nobody sets: a timeout is a duration.
    std::multimap<std::chrono::steady_clock::time_point, Timer> timers_;
    async::asio::steady_timer alarm_, again_, company_;
    Timestamp start_time_;
    async::asio::thread_pool committer_{1};
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace cicd::scheduler
