#pragma once

#include "daemon/api/request_parser.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>

namespace cicd::api {

/// A body off a connection, no faster than it is taken. Outlived by the connection's stream and buffer.
class ReceivedBody final : public BodyReader {
public:
    using Stream = boost::beast::basic_stream<boost::asio::local::stream_protocol>;
    /// The header has been read, nothing of the body.
    ReceivedBody(Stream& stream, boost::beast::flat_buffer& buffer, MessageParser&& parser);

    async::Task<Result<std::string>> next() override;
    [[nodiscard]] bool is_done() const override { return parser_.is_done(); }
    [[nodiscard]] std::optional<std::uint64_t> length() const override;

private:
    Stream& stream_;
    boost::beast::flat_buffer& buffer_;
    boost::beast::http::request_parser<boost::beast::http::buffer_body> parser_;
    bool is_awaited_;  ///< the client sends it once it is told to
};

}  // namespace cicd::api
