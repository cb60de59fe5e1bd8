#include "daemon/results/server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace cicd::results {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr int most_connections = 64;
constexpr int patience_ms = 120'000;
constexpr std::uint64_t most_passed_over = 1 << 20;  ///< of a body that nobody read, so that the connection can go on

/// A connection as Beast reads it, and one that does not wait for ever.
class Stream {
public:
    explicit Stream(int fd) : fd_(fd) {}

    template <class Buffers>
    std::size_t read_some(const Buffers& buffers, error_code& failure) {
        for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
            const asio::mutable_buffer buffer(*it);
            if (buffer.size() == 0) continue;
            for (;;) {
                pollfd watched{fd_, POLLIN, 0};
                const int ready = ::poll(&watched, 1, patience_ms);
                if (ready < 0 && errno == EINTR) continue;
                const ssize_t n = ready > 0 ? ::recv(fd_, buffer.data(), buffer.size(), 0) : -1;
                if (n < 0 && ready > 0 && errno == EINTR) continue;
                if (n == 0) failure = http::error::end_of_stream;
                else if (n < 0) failure = error_code(ready == 0 ? ETIMEDOUT : errno, boost::system::generic_category());
                else failure = {};
                return n > 0 ? static_cast<std::size_t>(n) : 0;
            }
        }
        failure = {};
        return 0;
    }
    template <class Buffers>
    std::size_t read_some(const Buffers& buffers) {
        error_code failure;
        const auto n = read_some(buffers, failure);
        if (failure) throw boost::system::system_error(failure);
        return n;
    }

    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            if (!can_send()) return false;
            const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
            if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    bool send(const FilePart& part) const {
        auto at = static_cast<off_t>(part.begin);
        const auto end = static_cast<off_t>(part.begin + part.size);
        while (at < end) {
            if (!can_send()) return false;
            const ssize_t n = ::sendfile(fd_, part.file->get(), &at, static_cast<std::size_t>(std::min<off_t>(end - at, 1 << 20)));
            if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return false;
        }
        return true;
    }

private:
    bool can_send() const {
        for (;;) {
            pollfd watched{fd_, POLLOUT, 0};
            const int ready = ::poll(&watched, 1, patience_ms);
            if (ready < 0 && errno == EINTR) continue;
            return ready > 0;
        }
    }

    int fd_;
};

using Parser = http::request_parser<http::buffer_body>;

class ReceivedBody final : public Body {
public:
    ReceivedBody(Stream& stream, boost::beast::flat_buffer& buffer, Parser& parser)
        : stream_(stream), buffer_(buffer), parser_(parser), waits_(parser.get()[http::field::expect] == "100-continue") {
        if (const auto known = parser.content_length()) length_ = *known;
        else if (!parser.chunked()) length_ = 0;
    }

    Result<std::size_t> read(char* into, std::size_t size) override {
        if (std::exchange(waits_, false)) (void)stream_.send("HTTP/1.1 100 Continue\r\n\r\n");
        while (!parser_.is_done()) {
            auto& body = parser_.get().body();
            body.data = into;
            body.size = size;
            error_code failure;
            http::read_some(stream_, buffer_, parser_, failure);
            if (failure && failure != http::error::need_buffer) return unavailable("CICD_408", "the request broke off: " + failure.message());
            if (const auto n = size - body.size; n > 0) return n;
        }
        return std::size_t{0};
    }
    [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }
    /// So that the next request can be read.
    bool pass_over() {
        char rest[16 << 10];
        for (std::uint64_t passed = 0; !waits_ && passed < most_passed_over;) {
            const auto n = read(rest, sizeof rest);
            if (!n) return false;
            if (*n == 0) return true;
            passed += *n;
        }
        return false;
    }

private:
    Stream& stream_;
    boost::beast::flat_buffer& buffer_;
    Parser& parser_;
    bool waits_;
    std::optional<std::uint64_t> length_;
};

bool send(const Stream& stream, const Response& response, bool head_only, bool goes_on) {
    const auto size = response.file ? response.file->size : response.body.size();
    std::string header = "HTTP/1.1 " + std::to_string(response.status) + " " +
                         std::string(http::obsolete_reason(static_cast<http::status>(response.status))) + "\r\n";
    if (response.status != 204) {
        header += "Content-Length: " + std::to_string(size) + "\r\n";
        if (size > 0) header += "Content-Type: " + response.content_type + "\r\n";
    }
    for (const auto& [name, value] : response.headers) header += name + ": " + value + "\r\n";
    header += goes_on ? "\r\n" : "Connection: close\r\n\r\n";
    if (head_only || response.status == 204) return stream.send(header);
    if (response.file) return stream.send(header) && stream.send(*response.file);
    return stream.send(header + response.body);
}

/// False: the connection ends.
bool serve_one(Stream& stream, boost::beast::flat_buffer& buffer, const Handler& handler) {
    Parser parser;
    parser.header_limit(32 << 10);
    parser.body_limit(boost::none);  // whoever reads it says how much
    error_code failure;
    http::read_header(stream, buffer, parser, failure);
    if (failure == http::error::end_of_stream || failure.category() == boost::system::generic_category()) return false;
    Request request;
    if (failure || !read_target(std::string_view(parser.get().target()), request)) {
        (void)send(stream, refusal(400, "malformed", "that is no request"), false, false);
        return false;
    }
    const auto& message = parser.get();
    const auto field = [&](auto name) {
        const auto value = message[name];
        return std::string(value.data(), value.size());
    };
    request.method = std::string(message.method_string());
    request.authorization = field(http::field::authorization);
    request.content_range = field(http::field::content_range);
    request.range = field("x-ms-range");
    if (request.range.empty()) request.range = field(http::field::range);
    ReceivedBody body(stream, buffer, parser);
    request.body = &body;
    Response response;
    try {
        response = handler(request);
    } catch (const std::exception& error) {
        response = refusal(500, "internal", error.what());
    }
    const bool goes_on = message.keep_alive() && body.pass_over();
    return send(stream, response, request.method == "HEAD", goes_on) && goes_on;
}

/// How many connections are open.
class Places {
public:
    void take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return taken_ < most_connections; });
        ++taken_;
    }
    void give_back() {
        const std::lock_guard lock(mutex_);
        --taken_;
        changed_.notify_all();
    }
    void await_none() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return taken_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int taken_ = 0;
};

}  // namespace

void serve(int socket, const Handler& handler) {
    Places places;
    for (;;) {
        places.take();
        const int accepted = ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
        if (accepted < 0) {
            places.give_back();
            if (errno == EINTR || errno == ECONNABORTED) continue;
            break;
        }
        std::thread([&places, &handler, accepted] {
            const os::Fd connection(accepted);
            try {
                Stream stream(accepted);
                boost::beast::flat_buffer buffer(256 << 10);
                while (serve_one(stream, buffer, handler)) {}
            } catch (const std::exception&) {
                // Nothing can be told to whoever is there.
            }
            places.give_back();
        }).detach();
    }
    places.await_none();
}

}  // namespace cicd::results
