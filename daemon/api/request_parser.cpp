#include "daemon/api/request_parser.hpp"

#include "common/contract/errors.hpp"
#include "daemon/api/request_id.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

namespace cicd::api {

namespace http = boost::beast::http;

namespace {

constexpr std::uint64_t largest_body = 8 * 1024 * 1024;
constexpr std::uint32_t largest_header = 32 * 1024;

}  // namespace

void set_limits(MessageParser& parser) {
    parser.body_limit(largest_body);
    parser.header_limit(largest_header);
}

void set_header_limit(MessageParser& parser) {
    parser.body_limit(boost::none);
    parser.header_limit(largest_header);
}

bool set_body_limit(MessageParser& parser) {
    const auto length = parser.content_length();
    parser.body_limit(largest_body);
    return !length || *length <= largest_body;
}

Request as_request(const http::request<http::string_body>& message, std::string user) {
    const auto field = [&](const auto& name) { return std::string(message[name]); };
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.body = message.body();
    request.accept = field(http::field::accept);
    request.content_type = field(http::field::content_type);
    request.range = field(http::field::range);
    request.if_none_match = field(http::field::if_none_match);
    request.last_event_id = field("Last-Event-ID");
    request.idempotency_key = field("Idempotency-Key");
    request.id = request_id(message["X-Request-Id"]);
    request.user = std::move(user);
    return request;
}

Error no_request(const boost::system::error_code& error) {
    if (error == http::error::body_limit)
        return invalid(std::string(contract::code::too_large), "the request's body is too large", "at most 8 MiB");
    if (error == http::error::header_limit)
        return invalid(std::string(contract::code::header_too_large), "the request's header is too large", "at most 32 KiB");
    return invalid(std::string(contract::code::bad_request), "this is no HTTP request: " + error.message());
}

Result<Request> parse_request(std::string_view bytes) {
    MessageParser parser;
    set_limits(parser);
    parser.eager(true);
    boost::system::error_code error;
    while (!parser.is_done()) {
        const auto used = parser.put(boost::asio::buffer(bytes), error);
        bytes.remove_prefix(used);
        if (error == http::error::need_more || (!error && used == 0)) {
            error = {};
            if (!bytes.empty() && used > 0) continue;
            if (parser.got_some()) parser.put_eof(error);
            if (!error && !parser.is_done()) error = http::error::partial_message;
        }
        if (error) return no_request(error);
    }
    auto request = as_request(parser.get(), {});
    CICD_CHECK(read_target(request.target, request));
    return request;
}

}  // namespace cicd::api
