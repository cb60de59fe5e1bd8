#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/services.hpp"
#include "daemon/async/task.hpp"

#include <functional>
#include <set>
#include <string>
#include <utility>

namespace cicd::api {

/// Requests with an `Idempotency-Key` have one effect and one answer, also across a restart of the daemon: what was
/// answered, or accepted as a run, is in the state file for 24 hours. Keys are each user's own.
class Idempotency {
public:
    Idempotency(const boost::asio::any_io_executor& executor, Services& services)
        : services_(services), changed_(executor) {}

    using Work = std::function<async::Task<Response>(Request)>;
    /// The answer of an earlier request with this key, or that of `work`.
    /// `confidential`: see Endpoint.
    async::Task<Response> once(Request request, Work work, bool confidential);

private:
    async::Task<Result<std::string>> mark_of(std::string text, bool confidential);
    async::Task<Response> claimed(Request request, store::RequestKey key, Work work);

    Services& services_;
    std::set<std::pair<std::string, std::string>> under_way_;  ///< user and key
    async::Signal changed_;
};

}  // namespace cicd::api
