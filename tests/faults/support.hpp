#pragma once

#include "common/client/client.hpp"
#include "common/model/run.hpp"
#include "tests/support/world.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace cicd::test {

/// One attempt of one job.
using Attempt = std::pair<std::string, int>;

/// What a client has been told about a run, over as many connections as it took.
struct Told {
    std::vector<model::RunEvent> events;
    using Lines = std::map<Attempt, std::vector<std::string>>;
    Lines lines;  ///< by number; with their newline, where they have one
    std::map<Attempt, std::vector<bool>> own;            ///< whether the job wrote it, not its runner
    std::vector<std::string> faults;                     ///< gaps and repeats
    int connections = 0;
    bool ended = false;

    /// What the job itself wrote.
    [[nodiscard]] std::string log(const Attempt& attempt) const;
};

/// A client that follows a run's events and logs on a thread of its own and, wherever it is cut off, goes on after the
/// last id it was given (`Last-Event-ID`), until the stream's end.
class RunFollower {
public:
    RunFollower(std::filesystem::path socket, std::string run);
    ~RunFollower();
    RunFollower(const RunFollower&) = delete;
    RunFollower& operator=(const RunFollower&) = delete;

    /// Whether the stream has told its end; `told` is complete then.
    [[nodiscard]] bool has_ended() const { return done_; }
    [[nodiscard]] bool has_lines() const { return lines_ > 0; }
    /// Stops following and gives what was told.
    Told take();

private:
    void follow(const std::filesystem::path& socket, const std::string& run);
    std::atomic<bool> done_{false}, stop_{false};
    std::atomic<int> lines_{0};
    Told told_;
    std::thread thread_;
};

/// What the daemon tells somebody who comes now and starts at the beginning.
Told told_from_the_beginning(const std::filesystem::path& socket, const std::string& run);

/// Says the request again until the daemon has answered, however often it dies meanwhile; null after the limit. The same
/// `key` (Idempotency-Key) makes sure that it is carried out once.
std::unique_ptr<client::RawResponse> insist(const std::filesystem::path& socket, const std::string& target,
                                            const std::string& body, const std::string& key,
                                            const std::atomic<bool>& give_up);

/// Runners of this state directory that are alive now, with their pids.
std::map<Attempt, int> living_runners(const std::filesystem::path& state);

}  // namespace cicd::test
