#pragma once

#include "daemon/api/run_events.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace cicd::api {

struct Services;

/// Prometheus' histogram: how many values were at most each bound.
class Histogram {
public:
    explicit Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}
    void add(double value);
    /// `name_bucket{labels,le="…"} n` for each bound, `name_sum` and `name_count`.
    void write(std::string& out, std::string_view name, std::string_view labels) const;

private:
    std::span<const double> bounds_;
    std::vector<std::uint64_t> counts_;
    double sum_ = 0;
};

/// What GET /metrics tells, counted since the daemon started. On the io thread.
class Metrics {
public:
    explicit Metrics(RunEvents& events);

    /// `route` is the operation's path pattern, so there are no more series than routes.
    void answered(std::string_view method, std::string_view route, int status, std::chrono::nanoseconds took);
    void stream_opened() { ++streams_; }
    void stream_closed() { --streams_; }
    void connection_opened() { ++connections_; }
    void connection_closed() { --connections_; }
    [[nodiscard]] std::int64_t connections() const { return connections_; }

    /// Text exposition format 0.0.4; what the system knows of the process comes from `system_metrics`.
    [[nodiscard]] std::string text(const Services& services) const;

private:
    void take(const model::RunEvent& event);

    std::map<model::RunState, std::uint64_t> runs_;
    std::map<model::JobState, std::uint64_t> jobs_;
    Histogram job_duration_, queue_time_;
    std::map<std::string, Timestamp> queued_;  ///< jobs that wait
    std::map<std::tuple<std::string_view, std::string_view, int>, std::uint64_t> answers_;
    std::map<std::pair<std::string_view, std::string_view>, Histogram> took_;
    std::int64_t streams_ = 0, connections_ = 0;
    RunEvents::Subscription subscription_;
};

/// process_* and the free space of the state directory. Blocks for a moment.
std::string system_metrics(const std::string& state_directory);

}  // namespace cicd::api
