#include "common/contract/errors.hpp"
#include "daemon/api/metrics.hpp"
#include "daemon/api/received_body.hpp"
#include "daemon/api/request_id.hpp"
#include "daemon/api/request_parser.hpp"
#include "daemon/api/server.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <sys/socket.h>

#include <cerrno>

namespace cicd::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Stream = beast::basic_stream<asio::local::stream_protocol>;

namespace {

constexpr auto idle_limit = std::chrono::seconds(120);   // for a request's first byte
constexpr auto header_limit = std::chrono::seconds(10);  // from then on, for its whole header
constexpr auto body_limit = std::chrono::seconds(60);
constexpr auto write_limit = std::chrono::seconds(60);
constexpr std::size_t read_at_once = 4096;

template <class Message>
void set_header(Message& message, const Response& response, const std::string& request_id, bool keep_alive) {
    message.version(11);
    message.result(static_cast<unsigned>(response.status));
    message.set(http::field::server, "cicdd/" CICD_VERSION);
    if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
    message.set("X-Request-Id", request_id);
    message.set(http::field::cache_control, "no-cache");
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
    char byte = 0;
    ssize_t there = -1;
    do {  // the reactor may say so without a reason
        co_await socket.async_wait(asio::socket_base::wait_read, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        there = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (there < 0 && (errno == EAGAIN || errno == EINTR));
    if (there <= 0) co_return;
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
    if (error == beast::error::timeout)
        return error_response({ErrorKind::timeout, std::string(contract::code::too_slow),
                               "the request did not arrive in time", "a header has 10 seconds, a body 60", {}},
                              request_id);
    if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
    if (error.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
    return error_response(no_request(error), request_id);
}

/// Bytes of a next request, which may be here already.
async::Task<error_code> wait_for_request(Stream& stream, beast::flat_buffer& buffer) {
    error_code error;
    if (buffer.size() > 0) co_return error;
    stream.expires_after(idle_limit);
    const auto size = co_await stream.async_read_some(buffer.prepare(read_at_once),
                                                      asio::redirect_error(asio::use_awaitable, error));
    buffer.commit(size);
    co_return error;
}

/// The header, and the body unless it is one that its handler reads.
async::Task<error_code> read_request(Stream& stream, beast::flat_buffer& buffer, MessageParser& parser) {
    error_code error;
    stream.expires_after(header_limit);
    co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error || parser.is_done()) co_return error;
    if (Dispatcher::takes_stream(parser.get().method_string(), parser.get().target())) co_return error;
    if (!set_body_limit(parser)) co_return make_error_code(http::error::body_limit);
    stream.expires_after(body_limit);
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        http::response<http::empty_body> go_on{http::status::continue_, 11};
        co_await http::async_write(stream, go_on, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return error;
    }
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
}

/// Counts itself while it is there.
class Counted {
public:
    using Change = void (Metrics::*)();
    Counted(std::shared_ptr<Metrics> metrics, Change begin, Change end) : metrics_(std::move(metrics)), end_(end) {
        if (metrics_) (*metrics_.*begin)();
    }
    ~Counted() {
        if (metrics_) (*metrics_.*end_)();
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    std::shared_ptr<Metrics> metrics_;
    Change end_;
};

}  // namespace

async::Task<void> serve_connection(asio::local::stream_protocol::socket socket, Dispatcher& dispatcher,
                                   std::string user) {
    const auto metrics = dispatcher.services().metrics;
    const Counted connection(metrics, &Metrics::connection_opened, &Metrics::connection_closed);
    Stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (bool go_on = true; go_on;) {
        MessageParser parser;
        set_header_limit(parser);
        auto error = co_await wait_for_request(stream, buffer);
        if (error) co_return;
        error = co_await read_request(stream, buffer, parser);
        if (error) {
            Request nothing;
            nothing.id = next_request_id();
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
        const auto body = parser.is_done() ? nullptr : std::make_shared<ReceivedBody>(stream, buffer, std::move(parser));
        request.body_reader = body;
        auto response = co_await dispatcher.answer(std::move(request));
        const Counted streaming(response.stream ? metrics : nullptr, &Metrics::stream_opened, &Metrics::stream_closed);
        // What is left of a body that was refused is not read: the connection ends.
        go_on = co_await write_response(stream, std::move(response), facts, keep_alive && (!body || body->is_done()));
    }
}

}  // namespace cicd::api
