#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/router.hpp"
#include "daemon/api/services.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cicd::api {

/// Answers that were given, by `Idempotency-Key`. Kept for 24 hours in memory: a restarted daemon does not know them.
class Answered {
public:
    explicit Answered(boost::asio::any_io_executor executor) : changed_(std::move(executor)) {}

    struct Entry {
        std::size_t fingerprint = 0;
        std::optional<Response> response;  ///< absent while the first one is being worked on
        std::chrono::steady_clock::time_point time;
    };
    /// The entry of an earlier request, or null and the key is taken by the caller, who must `finish` it.
    const Entry* find_or_begin(const std::string& key, std::size_t fingerprint);
    /// Failures of ours are not kept, so that they can be tried again.
    void finish(const std::string& key, const Response& response);
    async::Task<void> wait() { return changed_.wait(); }

private:
    void forget_old();
    std::map<std::string, Entry> entries_;
    async::Signal changed_;
};

/// From a request to its response, whatever happens. On the io thread.
class Dispatcher {
public:
    Dispatcher(boost::asio::any_io_executor executor, Services& services)
        : services_(services), answered_(std::move(executor)) {}
    async::Task<Response> answer(Request request);
    static std::string next_request_id();

private:
    async::Task<Response> route(Request request);
    async::Task<Response> call(const Endpoint& endpoint, Request request);
    async::Task<Response> once(const Endpoint& endpoint, Request request);

    Services& services_;
    Answered answered_;
};

}  // namespace cicd::api
