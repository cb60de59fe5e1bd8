#pragma once

#include "daemon/api/http.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string_view>

/// From bytes to a Request: the one place where this API reads HTTP. Free of sockets.
namespace cicd::api {

using MessageParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

/// With the limits of this API: 32 KiB of header, 8 MiB of body.
void set_limits(MessageParser& parser);
/// The header's alone: until it is known whether the body is one that is read as it comes.
void set_header_limit(MessageParser& parser);
/// After the header: that of a body which is taken whole. False where the body is said to be larger.
bool set_body_limit(MessageParser& parser);

/// What the message asks for; its target is not read yet (`read_target`).
Request as_request(const boost::beast::http::request<boost::beast::http::string_body>& message, std::string user);

/// A whole request with its target read, from the bytes of one message. Refuses what the server would refuse; never throws.
Result<Request> parse_request(std::string_view bytes);

/// The Error that bytes are answered with which are no request.
Error no_request(const boost::system::error_code& error);

}  // namespace cicd::api
