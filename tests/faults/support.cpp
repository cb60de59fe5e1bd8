#include "tests/faults/support.hpp"

#include "common/client/sse.hpp"
#include "common/codec/codecs.hpp"
#include "common/job/job_directory.hpp"

#include <chrono>

namespace cicd::test {
namespace {

/// Sorts the stream's messages into `told`; false after the last one.
bool take_message(const client::SseEvent& message, Told& told) {
    if (message.type == "end") {
        told.ended = true;
        return false;
    }
    const auto value = codec::parse_json(message.data);
    if (!value) {
        told.faults.push_back("no JSON: " + message.data);
        return true;
    }
    if (message.type == "log") {
        const auto entry = codec::decode<contract::LogEntry>(*value);
        if (!entry) {
            told.faults.push_back("no line: " + message.data);
            return true;
        }
        const Attempt attempt{entry->job.str(), entry->attempt};
        auto& lines = told.lines[attempt];
        if (entry->line != lines.size())
            told.faults.push_back("connection " + std::to_string(told.connections) + ": after " +
                                  std::to_string(lines.size()) + " lines of " + entry->job.str() + " attempt " +
                                  std::to_string(entry->attempt) + " came line " + std::to_string(entry->line));
        if (entry->line < lines.size()) return true;
        lines.push_back(entry->text + (entry->partial ? "" : "\n"));
        told.own[attempt].push_back(entry->stream != model::LogStream::system);
        return true;
    }
    auto event = codec::decode<model::RunEvent>(*value);
    const auto last = told.events.empty() ? 0 : told.events.back().seq;
    if (!event)
        told.faults.push_back("no event: " + message.data);
    else if (event->seq != last + 1)
        told.faults.push_back("connection " + std::to_string(told.connections) + ": after event " +
                              std::to_string(last) + " came " + std::to_string(event->seq));
    if (event && event->seq > last) told.events.push_back(std::move(*event));
    return true;
}

void connect_once(const std::filesystem::path& socket, const std::string& run, std::string& last_id, Told& told,
                  const std::atomic<bool>& stop, std::atomic<int>& lines) {
    client::Client client(socket);
    client::SseParser parser;
    std::vector<std::pair<std::string, std::string>> headers{{"Accept", "text/event-stream"}};
    if (!last_id.empty()) headers.emplace_back("Last-Event-ID", last_id);
    ++told.connections;
    (void)client.raw_stream("GET", "/api/v1/runs/" + run + "/events?logs=true", {}, headers,
                            [&](int status, std::string_view piece) {
                                if (status != 200) {
                                    if (status != 503)
                                        told.faults.push_back("status " + std::to_string(status) + " for id '" + last_id + "'");
                                    return false;
                                }
                                return parser.feed(piece, [&](const client::SseEvent& message) {
                                    if (!message.id.empty()) last_id = message.id;
                                    if (message.type == "log") ++lines;
                                    return take_message(message, told) && !stop;
                                });
                            });
}

}  // namespace

std::string Told::log(const Attempt& attempt) const {
    std::string text;
    const auto found = lines.find(attempt);
    if (found == lines.end()) return text;
    for (std::size_t i = 0; i < found->second.size(); ++i)
        if (own.at(attempt)[i]) text += found->second[i];
    return text;
}

RunFollower::RunFollower(std::filesystem::path socket, std::string run) {
    thread_ = std::thread([this, socket = std::move(socket), run = std::move(run)] { follow(socket, run); });
}

RunFollower::~RunFollower() { take(); }

void RunFollower::follow(const std::filesystem::path& socket, const std::string& run) {
    std::string last_id;
    while (!told_.ended && !stop_) {
        connect_once(socket, run, last_id, told_, stop_, lines_);
        if (!told_.ended) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    done_ = true;
}

Told RunFollower::take() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return std::move(told_);
}

Told told_from_the_beginning(const std::filesystem::path& socket, const std::string& run) {
    Told told;
    std::string last_id;
    const std::atomic<bool> stop{false};
    std::atomic<int> lines{0};
    connect_once(socket, run, last_id, told, stop, lines);
    return told;
}

std::unique_ptr<client::RawResponse> insist(const std::filesystem::path& socket, const std::string& target,
                                            const std::string& body, const std::string& key,
                                            const std::atomic<bool>& give_up) {
    while (!give_up) {
        client::Client client(socket);
        auto answer = client.raw("POST", target, body,
                                 {{"Content-Type", "application/json"}, {"Idempotency-Key", key}});
        if (answer && answer->status != 503) return std::make_unique<client::RawResponse>(std::move(*answer));
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return nullptr;
}

std::map<Attempt, int> living_runners(const std::filesystem::path& state) {
    std::map<Attempt, int> found;
    std::error_code gone;  // directories are made and removed while we look
    for (auto job = std::filesystem::directory_iterator(state / "jobs", gone); job != std::filesystem::directory_iterator();
         job.increment(gone)) {
        for (auto one = std::filesystem::directory_iterator(job->path(), gone);
             one != std::filesystem::directory_iterator(); one.increment(gone)) {
            const auto status = job::runner_status(job::Paths{one->path()});
            if (status.liveness == job::RunnerLiveness::alive && status.pid > 0)
                found[{job->path().filename(), std::atoi(one->path().filename().c_str())}] = status.pid;
        }
    }
    return found;
}

}  // namespace cicd::test
