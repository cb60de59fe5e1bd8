#include "common/contract/errors.hpp"
#include "daemon/api/server.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <sys/socket.h>

namespace cicd::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Stream = beast::basic_stream<asio::local::stream_protocol>;
using Parser = http::request_parser<http::string_body>;

namespace {

constexpr std::uint64_t largest_body = 8 * 1024 * 1024;
constexpr std::uint32_t largest_header = 32 * 1024;
constexpr auto idle_limit = std::chrono::seconds(120);  // for a request's first byte, and its header
constexpr auto body_limit = std::chrono::seconds(60);
constexpr auto write_limit = std::chrono::seconds(60);

Request as_request(const http::request<http::string_body>& message, std::string user) {
    const auto field = [&](const auto& name) { return std::string(message[name]); };
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.body = message.body();
    request.accept = field(http::field::accept);
    request.content_type = field(http::field::content_type);
    request.last_event_id = field("Last-Event-ID");
    request.idempotency_key = field("Idempotency-Key");
    request.range = field(http::field::range);
    request.if_none_match = field(http::field::if_none_match);
    request.id = Dispatcher::next_request_id();
    request.user = std::move(user);
    return request;
}

template <class Message>
void set_header(Message& message, const Response& response, const std::string& request_id, bool keep_alive) {
    message.version(11);
    message.result(static_cast<unsigned>(response.status));
    message.set(http::field::server, "cicdd/" CICD_VERSION);
    if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
    message.set("X-Request-Id", request_id);
    message.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : response.headers) message.set(name, value);
    message.keep_alive(keep_alive);
}

class SentBody final : public BodyStream {
public:
    SentBody(Stream& stream, bool chunked) : stream_(stream), chunked_(chunked) {}
    async::Task<bool> send(std::string text) override {
        if (text.empty()) co_return true;
        error_code error;
        // A client that takes nothing for so long is gone: it comes back and resumes.
        stream_.expires_after(write_limit);
        if (chunked_) {
            const auto chunk = http::make_chunk(asio::buffer(text));
            co_await asio::async_write(stream_, chunk, asio::redirect_error(asio::use_awaitable, error));
        } else {
            co_await asio::async_write(stream_, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
        }
        stream_.expires_never();
        co_return !error;
    }

private:
    Stream& stream_;
    bool chunked_;
};

/// Returns when the client has closed its side; never where it sends something more instead.
async::Task<void> until_closed(Stream& stream) {
    auto& socket = stream.socket();
    error_code error;
    co_await socket.async_wait(asio::socket_base::wait_read, asio::redirect_error(asio::use_awaitable, error));
    char byte = 0;
    if (error || ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) co_return;
    asio::steady_timer never(socket.get_executor(), std::chrono::steady_clock::time_point::max());
    co_await never.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

async::Task<bool> write_stream(Stream& stream, Response response, const Request& request, bool keep_alive) {
    using asio::experimental::awaitable_operators::operator||;
    http::response<http::empty_body> message;
    set_header(message, response, request.id, keep_alive);
    if (response.length)
        message.content_length(*response.length);
    else
        message.chunked(true);
    http::response_serializer<http::empty_body> serializer(message);
    error_code error;
    co_await http::async_write_header(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    if (request.method == "HEAD") co_return keep_alive;
    stream.expires_never();
    SentBody body(stream, !response.length);
    const auto outcome = co_await (response.stream(body) || until_closed(stream));
    if (outcome.index() == 1 || body.is_cut()) co_return false;
    if (response.length) co_return keep_alive;
    stream.expires_after(write_limit);
    const auto last = http::make_chunk_last();
    co_await asio::async_write(stream, last, asio::redirect_error(asio::use_awaitable, error));
    co_return keep_alive && !error;
}

/// False: the connection is done.
async::Task<bool> write_response(Stream& stream, Response response, const Request& request, bool keep_alive) {
    stream.expires_after(write_limit);
    if (response.stream) co_return co_await write_stream(stream, std::move(response), request, keep_alive);
    error_code error;
    http::response<http::string_body> message;
    set_header(message, response, request.id, keep_alive);
    const bool has_body = response.status != 204 && response.status != 304;
    if (has_body) message.content_length(response.body.size());
    if (request.method != "HEAD" && has_body) message.body() = std::move(response.body);
    http::response_serializer<http::string_body> serializer(message);
    if (request.method == "HEAD")
        co_await http::async_write_header(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
    else
        co_await http::async_write(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
    co_return keep_alive && !error;
}

/// What to answer to bytes that are no request; nothing where the client simply went away.
std::optional<Response> refusal(const error_code& error, const std::string& request_id) {
    if (error == http::error::end_of_stream || error == http::error::partial_message || error == beast::error::timeout)
        return std::nullopt;
    if (error.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
    if (error == http::error::body_limit)
        return error_response(invalid(std::string(contract::code::too_large), "the request's body is too large",
                                      "at most 8 MiB"), request_id);
    auto response = error_response(invalid(std::string(contract::code::bad_request),
                                           "this is no HTTP request: " + error.message()), request_id);
    if (error == http::error::header_limit) response.status = 431;
    return response;
}

async::Task<error_code> read_request(Stream& stream, beast::flat_buffer& buffer, Parser& parser) {
    error_code error;
    stream.expires_after(idle_limit);
    co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    stream.expires_after(body_limit);
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        http::response<http::empty_body> go_on{http::status::continue_, 11};
        co_await http::async_write(stream, go_on, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return error;
    }
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
}

}  // namespace

async::Task<void> serve_connection(asio::local::stream_protocol::socket socket, Dispatcher& dispatcher,
                                   std::string user) {
    Stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (bool go_on = true; go_on;) {
        Parser parser;
        parser.body_limit(largest_body);
        parser.header_limit(largest_header);
        const auto error = co_await read_request(stream, buffer, parser);
        if (error) {
            Request nothing;
            nothing.id = Dispatcher::next_request_id();
            auto response = refusal(error, nothing.id);
            if (response) co_await write_response(stream, std::move(*response), nothing, false);
            co_return;
        }
        const bool keep_alive = parser.get().keep_alive();
        auto request = as_request(parser.get(), user);
        Request facts;
        facts.id = request.id;
        facts.method = request.method;
        stream.expires_never();
        auto response = co_await dispatcher.answer(std::move(request));
        go_on = co_await write_response(stream, std::move(response), facts, keep_alive);
    }
}

}  // namespace cicd::api
