#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "daemon/async/task.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Requests and responses as handlers see them, free of any HTTP library.
namespace cicd::api {

/// A body that is read as it comes.
class BodyReader {
public:
    virtual ~BodyReader() = default;
    /// The next bytes, some hundred KiB; empty: the end. An error: the client is gone or too slow.
    virtual async::Task<Result<std::string>> next() = 0;
    [[nodiscard]] virtual bool is_done() const = 0;
    /// What the client says it will be.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;
};

struct Request {
    std::string method, target, path;
    std::map<std::string, std::string, std::less<>> path_parameters;
    std::vector<std::pair<std::string, std::string>> query;  ///< decoded
    std::string body, accept, content_type, last_event_id, idempotency_key, range, if_none_match;
    std::shared_ptr<BodyReader> body_reader;  ///< of endpoints that take a body of any size: `body` is empty there
    std::string id;    ///< "req_…"
    std::string user;  ///< of the peer

    [[nodiscard]] const std::string& parameter(std::string_view name) const;
    /// The first of that name; empty where there is none.
    [[nodiscard]] std::string query_value(std::string_view name) const;
    [[nodiscard]] bool accepts(std::string_view type) const { return accept.find(type) != std::string::npos; }
};

/// Where a long answer is written to. Waits until the client has taken what was sent, so a slow one costs no memory.
class BodyStream {
public:
    virtual ~BodyStream() = default;
    /// False: the client is gone, stop.
    virtual async::Task<bool> send(std::string text) = 0;
    /// What follows cannot be sent: the client shall see that this is not the whole body.
    void cut() { is_cut_ = true; }
    [[nodiscard]] bool is_cut() const { return is_cut_; }

private:
    bool is_cut_ = false;
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    /// Set: the body is what this writes.
    std::function<async::Task<void>(BodyStream&)> stream;
    /// How many bytes `stream` writes, where that is known; else they are sent in chunks.
    std::optional<std::uint64_t> length;
    bool is_immutable = false;  ///< it will be the same whenever it is asked for again
};

Response json_response(const Value& value, int status = 200);
Response text_response(std::string text, std::string content_type = "text/plain; charset=utf-8");
Response error_response(const Error& error, const std::string& request_id);

/// Splits a target into path and query. Fails for broken percent-encoding, NUL bytes and invalid UTF-8.
Result<void> read_target(std::string_view target, Request& request);
/// `%41` → `A`; with `plus_is_space` as in queries.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// The body as JSON; an empty one is an empty object.
Result<Value> json_body(const Request& request);
/// A number in the query, within bounds.
Result<std::int64_t> query_number(const Request& request, std::string_view name, std::int64_t fallback,
                                  std::int64_t least, std::int64_t most);
Result<bool> query_flag(const Request& request, std::string_view name, bool fallback);

}  // namespace cicd::api
