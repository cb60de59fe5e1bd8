#include "daemon/api/metrics.hpp"

#include "common/base/value.hpp"
#include "daemon/api/services.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

// The text format: https://prometheus.io/docs/instrumenting/exposition_formats/
namespace cicd::api {
namespace {

constexpr std::array job_bounds{0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 10800.0};
constexpr std::array queue_bounds{0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 7200.0};
constexpr std::array request_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0};

void describe(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type);
    out += '\n';
}

void sample(std::string& out, std::string_view name, std::string_view labels, double value) {
    out += name;
    if (!labels.empty()) out.append("{").append(labels).append("}");
    out.append(" ").append(number_text(value)).append("\n");
}

void single(std::string& out, std::string_view name, std::string_view type, std::string_view help, double value) {
    describe(out, name, type, help);
    sample(out, name, {}, value);
}

/// Values are ours: routes, methods, states; none needs escaping.
std::string label(std::string_view name, std::string_view value) {
    return std::string(name) + "=\"" + std::string(value) + "\"";
}

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

/// Fields of /proc/self/stat behind the command's name, from the third on (proc(5)).
std::vector<double> process_facts() {
    std::ifstream file("/proc/self/stat");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto name_end = text.rfind(')');
    std::vector<double> fields;
    if (name_end == std::string::npos) return fields;
    std::string rest = text.substr(name_end + 4);  // ") S "
    for (const char* at = rest.c_str();;) {
        char* end = nullptr;
        const double value = std::strtod(at, &end);
        if (end == at) return fields;
        fields.push_back(value);
        at = end;
    }
}

double boot_time() {
    std::ifstream file("/proc/stat");
    for (std::string word; file >> word;)
        if (double time = 0; word == "btime" && file >> time) return time;
    return 0;
}

std::ptrdiff_t open_files() {
    std::error_code error;
    const std::filesystem::directory_iterator all("/proc/self/fd", error);
    return error ? 0 : std::distance(begin(all), end(all));
}

}  // namespace

void Histogram::add(double value) {
    ++counts_[static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin())];
    sum_ += value;
}

void Histogram::write(std::string& out, std::string_view name, std::string_view labels) const {
    const std::string bucket = std::string(name) + "_bucket";
    const std::string before = labels.empty() ? "" : std::string(labels) + ",";
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        count += counts_[i];
        const auto bound = i < bounds_.size() ? number_text(bounds_[i]) : "+Inf";
        sample(out, bucket, before + label("le", bound), static_cast<double>(count));
    }
    sample(out, std::string(name) + "_sum", labels, sum_);
    sample(out, std::string(name) + "_count", labels, static_cast<double>(count));
}

Metrics::Metrics(RunEvents& events) : job_duration_(job_bounds), queue_time_(queue_bounds) {
    for (const auto state : {model::RunState::success, model::RunState::failed, model::RunState::cancelled}) runs_[state] = 0;
    for (const auto state : {model::JobState::success, model::JobState::failed, model::JobState::cancelled,
                             model::JobState::skipped})
        jobs_[state] = 0;
    subscription_ = events.follow_all([this](const model::RunEvent& event) { take(event); });
}

void Metrics::take(const model::RunEvent& event) {
    if (event.type == "run.state") {
        const auto state = from_text<model::RunState>(event.state);
        if (state && is_final(*state)) ++runs_[*state];
        return;
    }
    const auto state = event.type == "job.state" ? from_text<model::JobState>(event.state) : std::nullopt;
    if (!state) return;
    const auto job = event.job.str();
    if (*state == model::JobState::queued) {
        queued_.try_emplace(job, event.time);
        return;
    }
    const auto waited = queued_.find(job);
    if (*state == model::JobState::running && waited != queued_.end())
        queue_time_.add(std::max(0.0, seconds(event.time - waited->second)));
    if (waited != queued_.end() && *state != model::JobState::scheduled) queued_.erase(waited);
    if (!is_final(*state)) return;
    ++jobs_[*state];
    if (*state != model::JobState::skipped) job_duration_.add(seconds(Milliseconds(event.duration_ms)));
}

void Metrics::answered(std::string_view method, std::string_view route, int status, std::chrono::nanoseconds took) {
    ++answers_[{method, route, status}];
    took_.try_emplace({method, route}, request_bounds).first->second.add(seconds(took));
}

std::string Metrics::text(const Services& services) const {
    std::string out;
    describe(out, "cicd_build_info", "gauge", "The daemon's version.");
    sample(out, "cicd_build_info", label("version", CICD_VERSION), 1);

    describe(out, "cicd_runs_total", "counter", "Runs that ended, by how.");
    for (const auto& [state, count] : runs_)
        sample(out, "cicd_runs_total", label("status", to_text(state)), static_cast<double>(count));
    describe(out, "cicd_jobs_total", "counter", "Jobs that ended, by how.");
    for (const auto& [state, count] : jobs_)
        sample(out, "cicd_jobs_total", label("status", to_text(state)), static_cast<double>(count));
    describe(out, "cicd_job_duration_seconds", "histogram", "From a job's start to its end.");
    job_duration_.write(out, "cicd_job_duration_seconds", {});
    describe(out, "cicd_queue_seconds", "histogram", "From when a job could run to when it ran.");
    queue_time_.write(out, "cicd_queue_seconds", {});

    const auto status = services.runs.status();
    single(out, "cicd_runs_active", "gauge", "Runs that have not ended.", static_cast<double>(status.active_runs));
    single(out, "cicd_jobs_running", "gauge", "Jobs that run.", static_cast<double>(status.running_jobs));
    single(out, "cicd_jobs_queued", "gauge", "Jobs that wait for a place.", static_cast<double>(status.queued_jobs));
    describe(out, "cicd_slots", "gauge", "How many jobs may run at once.");
    const auto used = std::min<std::int64_t>(status.slots, status.running_jobs);
    sample(out, "cicd_slots", label("state", "used"), static_cast<double>(used));
    sample(out, "cicd_slots", label("state", "free"), static_cast<double>(status.slots - used));
    single(out, "cicd_accepting", "gauge", "1 while new runs are taken.", status.accepting ? 1 : 0);

    describe(out, "cicd_http_requests_total", "counter", "Requests that were answered.");
    for (const auto& [key, count] : answers_) {
        const auto& [method, route, code] = key;
        sample(out, "cicd_http_requests_total",
               label("method", method) + "," + label("route", route) + "," + label("code", std::to_string(code)),
               static_cast<double>(count));
    }
    describe(out, "cicd_http_request_duration_seconds", "histogram", "From a request's last byte to its answer's first.");
    for (const auto& [key, histogram] : took_)
        histogram.write(out, "cicd_http_request_duration_seconds",
                        label("method", key.first) + "," + label("route", key.second));
    single(out, "cicd_http_connections", "gauge", "Connections that are open.", static_cast<double>(connections_));
    single(out, "cicd_events_streams", "gauge", "Streams of events and logs that are open.", static_cast<double>(streams_));
    return out;
}

std::string system_metrics(const std::string& state_directory) {
    std::string out;
    struct statvfs disk {};
    if (::statvfs(state_directory.c_str(), &disk) == 0)
        single(out, "cicd_disk_free_bytes", "gauge", "Free for the daemon where it keeps its state.",
               static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize));
    // Counted from field 4 (ppid) on: 10 and 11 are utime and stime, 18 the start time, 19 vsize, 20 rss.
    if (const auto facts = process_facts(); facts.size() > 20) {
        const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        single(out, "process_cpu_seconds_total", "counter", "Time of the processor, user and system.",
               (facts[10] + facts[11]) / ticks);
        single(out, "process_start_time_seconds", "gauge", "When the daemon started, since the epoch.",
               boot_time() + facts[18] / ticks);
        single(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", facts[19]);
        single(out, "process_resident_memory_bytes", "gauge", "Memory that is resident.",
               facts[20] * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    }
    single(out, "process_open_fds", "gauge", "Open file descriptors.", static_cast<double>(open_files()));
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0)
        single(out, "process_max_fds", "gauge", "Most file descriptors that it may have open.",
               static_cast<double>(files.rlim_cur));
    return out;
}

}  // namespace cicd::api
