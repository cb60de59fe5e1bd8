#pragma once

#include "daemon/api/answer_cache.hpp"
#include "daemon/api/http.hpp"
#include "daemon/api/idempotency.hpp"
#include "daemon/api/router.hpp"
#include "daemon/api/services.hpp"

#include <string>

namespace cicd::api {

/// From a request to its response, whatever happens. On the io thread.
class Dispatcher {
public:
    Dispatcher(const boost::asio::any_io_executor& executor, Services& services)
        : services_(services), idempotency_(executor, services) {}
    async::Task<Response> answer(Request request);
    /// Whether the handler reads the body itself.
    [[nodiscard]] static bool takes_stream(std::string_view method, std::string_view target);
    [[nodiscard]] Services& services() const { return services_; }

private:
    struct Answered {
        Response response;
        const Endpoint* endpoint = nullptr;
    };
    async::Task<Answered> route(Request request);
    async::Task<Response> read(const Endpoint& endpoint, Request request);
    async::Task<Response> call(const Endpoint& endpoint, Request request);

    Services& services_;
    Idempotency idempotency_;
    AnswerCache cache_;
};

/// Gives a whole answer its ETag; a client that has it already (`If-None-Match`) is told just that.
void tag(const Request& request, Response& response);

}  // namespace cicd::api
