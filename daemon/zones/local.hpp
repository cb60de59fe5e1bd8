#pragma once

#include "daemon/async/task.hpp"
#include "daemon/git/source.hpp"
#include "daemon/images/store.hpp"
#include "daemon/zones/zone.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace cicd::zones {

struct LocalOptions {
    std::filesystem::path state_directory;
    std::filesystem::path runner;    ///< cicd-runner; empty: beside this program or installed
    Milliseconds kill_after{5'000};  ///< after a job's own grace
    /// The secrets that a job asks for, by name. Blocks; called on a thread of the zone's own.
    std::function<Result<Object>(const Assignment&)> secrets;
    /// Brings the content of an artifact that a job needs to this disk. Blocks, maybe for long. Not set: it is here.
    std::function<Result<void>(const std::string& digest)> fetch;
    std::string engine = "auto";     ///< for the executor `container`: see daemon/engines/finding.hpp
    std::shared_ptr<images::Store> images = nullptr;  ///< absent: its own, of the same state
    model::Strings mountable = {};   ///< folders of this machine that containers may be given
};

/// Jobs on this machine: a cicd-runner each, in a session of its own, followed through its job directory. Runners
/// outlive this object. All calls on `io`'s thread; `sources` and `pool` outlive it.
class Local final : public Zone {
public:
    Local(boost::asio::any_io_executor io, boost::asio::thread_pool& pool, git::Sources& sources, LocalOptions options);
    ~Local() override;

    void listen(Listener& listener) override;
    void prepare(const Assignment& assignment) override;
    void start(const Assignment& assignment) override;
    void discard(const JobId& job, int attempt) override;
    void adopt(const Assignment& assignment) override;
    void cancel(const JobId& job, int attempt, const Cancellation& why) override;
    void release(const RunId& run) override;
    void detach() override;
    [[nodiscard]] std::filesystem::path job_directory(const JobId& job, int attempt) const override;

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace cicd::zones
