#include "daemon/api/received_body.hpp"

#include "common/contract/errors.hpp"

#include <boost/beast/http.hpp>

namespace cicd::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto piece_limit = std::chrono::seconds(60);
constexpr std::size_t piece_size = 512 << 10;

}  // namespace

ReceivedBody::ReceivedBody(Stream& stream, beast::flat_buffer& buffer, MessageParser&& parser)
    : stream_(stream), buffer_(buffer), parser_(std::move(parser)),
      is_awaited_(beast::iequals(parser_.get()[http::field::expect], "100-continue")) {
    parser_.body_limit(boost::none);
}

std::optional<std::uint64_t> ReceivedBody::length() const {
    const auto length = parser_.content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

async::Task<Result<std::string>> ReceivedBody::next() {
    boost::system::error_code error;
    stream_.expires_after(piece_limit);
    if (std::exchange(is_awaited_, false)) {
        http::response<http::empty_body> go_on{http::status::continue_, 11};
        co_await http::async_write(stream_, go_on, asio::redirect_error(asio::use_awaitable, error));
    }
    std::string piece;
    if (!error && !parser_.is_done()) {
        piece.resize(piece_size);
        parser_.get().body() = {piece.data(), piece.size(), true};
        co_await http::async_read(stream_, buffer_, parser_, asio::redirect_error(asio::use_awaitable, error));
        if (error == http::error::need_buffer) error = {};
        piece.resize(piece.size() - parser_.get().body().size);
    }
    stream_.expires_never();
    if (error == beast::error::timeout)
        co_return Error{ErrorKind::timeout, std::string(contract::code::too_slow), "the body did not arrive in time",
                        "each half a MiB of it has 60 seconds", {}};
    if (error) co_return invalid(std::string(contract::code::bad_request), "the body broke off: " + error.message());
    co_return piece;
}

}  // namespace cicd::api
