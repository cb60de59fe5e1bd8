#include "common/client/connection.hpp"

#include "common/contract/errors.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <poll.h>

#include <cerrno>
#include <limits>
#include <optional>

namespace cicd::client {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t longest_socket_path = 107;  // sun_path of unix(7), without its NUL
constexpr std::size_t largest_header = 64 * 1024;
constexpr std::size_t read_size = 64 * 1024;

enum class Waited { readable, idle };

/// Idle also when a signal was caught, so that the caller can look at what its signal handler noted.
Waited wait_readable(int fd, std::chrono::milliseconds limit) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, static_cast<int>(limit.count())) > 0 ? Waited::readable : Waited::idle;
}

http::request<http::string_body> as_http(const WireRequest& request) {
    http::request<http::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(request.target);
    message.set(http::field::host, "localhost");
    message.set(http::field::user_agent, "cicdctl/" CICD_VERSION);
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.body() = request.body;
    if (request.source && request.length) message.content_length(*request.length);
    else if (request.source) message.chunked(true);
    else message.prepare_payload();
    return message;
}

bool is_plain(std::string_view text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return false;
    return !text.empty();
}

}  // namespace

struct Wire::State {
    State(std::string path, WirePeer who) : socket_path(std::move(path)), peer(std::move(who)), socket(io) {}

    std::string socket_path;
    WirePeer peer;
    asio::io_context io{1};
    asio::local::stream_protocol::socket socket;
    beast::flat_buffer buffer;

    void close() {
        error_code ignored;
        socket.close(ignored);
        buffer.clear();
    }

    /// A kept connection on which something is readable is one that the daemon has closed.
    bool is_usable() { return socket.is_open() && wait_readable(socket.native_handle(), {}) == Waited::idle; }

    Result<void> connect();
    /// Fails only where the body's source does; else what happened to the connection.
    Result<error_code> send(const WireRequest& request);
    Error lost(const std::string& doing, const error_code& error) const;
    Result<RawResponse> attempt(const WireRequest& request, BodySink* sink, bool& unanswered);
    Result<void> read_header(http::response_parser<http::string_body>& parser, BodySink* sink, bool& unanswered);
    Result<void> read_body(http::response_parser<http::string_body>& parser, BodySink* sink);
    bool idle(BodySink* sink);
};

Result<void> Wire::State::connect() {
    close();
    if (socket_path.size() > longest_socket_path)
        return invalid("CICD_400", "the socket's path has " + std::to_string(socket_path.size()) + " bytes, at most " +
                                       std::to_string(longest_socket_path) + " are possible: " + socket_path,
                       peer.too_long);
    error_code error;
    socket.connect(asio::local::stream_protocol::endpoint(socket_path), error);
    if (!error) return {};
    close();
    if (error == boost::system::errc::permission_denied)
        return forbidden(std::string(contract::code::forbidden),
                         "not allowed to connect to " + peer.name + " at " + socket_path + ": it belongs to somebody else");
    const bool absent = error == boost::system::errc::no_such_file_or_directory ||
                        error == boost::system::errc::connection_refused ||
                        error == boost::system::errc::not_a_directory;
    return unavailable(std::string(contract::code::unreachable),
                       absent ? peer.name + " is not running: nobody answers at " + socket_path
                              : "cannot reach " + peer.name + " at " + socket_path + ": " + error.message(),
                       peer.start);
}

Error Wire::State::lost(const std::string& doing, const error_code& error) const {
    return unavailable(std::string(contract::code::unreachable),
                       "the connection to " + peer.name + " broke while " + doing + ": " + error.message(), peer.look);
}

bool Wire::State::idle(BodySink* sink) {
    if (!sink || !sink->on_idle || sink->on_idle()) return true;
    sink->stopped = true;
    return false;
}

Result<void> Wire::State::read_header(http::response_parser<http::string_body>& parser, BodySink* sink,
                                      bool& unanswered) {
    for (;;) {
        while (sink && sink->on_idle && buffer.size() == 0 &&
               wait_readable(socket.native_handle(), sink->idle_interval) == Waited::idle)
            if (!idle(sink)) return {};
        error_code error;
        http::read_header(socket, buffer, parser, error);
        if (!error) return {};
        if (error == boost::system::errc::interrupted) {
            if (!idle(sink)) return {};
            continue;
        }
        unanswered = !parser.got_some();
        return lost("waiting for its answer", error);
    }
}

Result<void> Wire::State::read_body(http::response_parser<http::string_body>& parser, BodySink* sink) {
    const int status = parser.get().result_int();
    auto& body = parser.get().body();
    const auto hand_over = [&] {
        if (!sink || !sink->on_piece || body.empty()) return true;
        const bool go_on = sink->on_piece(status, body);
        body.clear();
        sink->stopped = sink->stopped || !go_on;
        return go_on;
    };
    if (!hand_over()) return {};
    parser.eager(true);
    while (!parser.is_done()) {
        error_code error;
        if (buffer.size() > 0) {
            buffer.consume(parser.put(buffer.data(), error));
            if (!hand_over()) return {};
            if (!error) continue;
        }
        // What is left is the beginning of something (the CRLF after a chunk, say): only more bytes help.
        if (error == http::error::need_more) error = {};
        if (!error) {
            if (sink && sink->on_pause) sink->on_pause();
            if (sink && sink->on_idle && wait_readable(socket.native_handle(), sink->idle_interval) == Waited::idle) {
                if (!idle(sink)) return {};
                continue;
            }
            buffer.commit(socket.read_some(buffer.prepare(read_size), error));
        }
        if (!error) continue;
        if (error == boost::system::errc::interrupted) {
            if (!idle(sink)) return {};
            continue;
        }
        if (error == asio::error::eof) {
            parser.put_eof(error);
            if (!error) continue;
        }
        if (!sink) return lost("reading its answer", error);
        sink->cut = true;
        return {};
    }
    return {};
}

/// A source that fails leaves the connection unusable.
Result<error_code> Wire::State::send(const WireRequest& request) {
    error_code error;
    auto message = as_http(request);
    if (!request.source) {
        http::write(socket, message, error);
        return error;
    }
    http::request_serializer<http::string_body> header(message);
    http::write_header(socket, header, error);
    std::uint64_t sent = 0;
    while (!error && request.length != sent) {
        auto piece = request.source();
        if (!piece || (request.length && (piece->empty() || piece->size() > *request.length - sent))) {
            close();
            return piece ? invalid(std::string(contract::code::bad_request), "what is sent changed while it was read", "try again")
                         : piece.error();
        }
        sent += piece->size();
        if (request.length) asio::write(socket, asio::buffer(*piece), error);
        else if (!piece->empty()) asio::write(socket, http::make_chunk(asio::buffer(*piece)), error);
        else return asio::write(socket, http::make_chunk_last(), error), error;
    }
    return error;
}

Result<RawResponse> Wire::State::attempt(const WireRequest& request, BodySink* sink, bool& unanswered) {
    if (!is_usable()) CICD_CHECK(connect());
    CICD_TRY(const auto error, send(request));
    // A daemon that refuses a body may answer and close before it has read everything: look for that answer.
    const bool maybe_answered = error == boost::system::errc::broken_pipe ||
                                (request.source && error == boost::system::errc::connection_reset);
    if (error && !maybe_answered) {
        unanswered = true;
        return lost("sending a request", error);
    }
    http::response_parser<http::string_body> parser;
    parser.body_limit(unlimited);
    parser.header_limit(largest_header);
    if (request.method == "HEAD") parser.skip(true);
    CICD_CHECK(read_header(parser, sink, unanswered));
    if (sink && !sink->stopped && sink->on_header) sink->stopped = !sink->on_header(static_cast<int>(parser.get().result_int()));
    if (!sink || !sink->stopped) CICD_CHECK(read_body(parser, sink));
    auto& message = parser.get();
    RawResponse response{static_cast<int>(message.result_int()), std::string(message[http::field::content_type]),
                         std::move(message.body()), std::string(message[http::field::server]),
                         std::string(message["Api-Version"])};
    if (sink && (sink->stopped || sink->cut)) close();
    if (!message.keep_alive()) close();
    return response;
}

Wire::Wire(std::string socket, WirePeer peer) : state_(std::make_unique<State>(std::move(socket), std::move(peer))) {}
Wire::~Wire() = default;

Result<void> Wire::connect() { return state_->is_usable() ? Result<void>() : state_->connect(); }

Result<RawResponse> Wire::exchange(const WireRequest& request, BodySink* sink) {
    if (!is_plain(request.method) || !is_plain(request.target) || !request.target.starts_with('/'))
        return invalid(std::string(contract::code::bad_request),
                       "'" + request.method + " " + request.target + "' cannot be sent",
                       "the path starts with '/' and holds no spaces; write them as %20");
    const bool kept = state_->is_usable();
    bool unanswered = false;
    auto response = state_->attempt(request, sink, unanswered);
    if (!response) state_->close();
    if (!response && unanswered && kept && request.repeatable) {
        response = state_->attempt(request, sink, unanswered);
        if (!response) state_->close();
    }
    return response;
}

}  // namespace cicd::client
