#include "daemon/api/http.hpp"

#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/errors.hpp"

#include <charconv>

namespace cicd::api {
namespace {

Error bad_request(std::string message, std::string hint = {}) {
    return invalid(std::string(contract::code::bad_request), std::move(message), std::move(hint));
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

const std::string& Request::parameter(std::string_view name) const {
    static const std::string none;
    const auto found = path_parameters.find(name);
    return found == path_parameters.end() ? none : found->second;
}

std::string Request::query_value(std::string_view name) const {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return {};
}

Response json_response(const Value& value, int status) {
    return {status, "application/json", codec::to_json(value), {}, {}, {}, false};
}

Response text_response(std::string text, std::string content_type) {
    return {200, std::move(content_type), std::move(text), {}, {}, {}, false};
}

Response error_response(const Error& error, const std::string& request_id) {
    return json_response(codec::encode_error(error, request_id, "cicdctl help errors#" + error.code),
                         contract::http_status(error));
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+' && plus_is_space) {
            decoded += ' ';
        } else if (text[at] == '%') {
            const int high = at + 1 < text.size() ? hex_digit(text[at + 1]) : -1;
            const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
            if (high < 0 || low < 0) return bad_request("the request's target holds a broken percent-encoding");
            decoded += static_cast<char>(high * 16 + low);
            at += 2;
        } else {
            decoded += text[at];
        }
    }
    if (decoded.find('\0') != std::string::npos || !is_valid_utf8(decoded))
        return bad_request("the request's target is no text", "encode it as UTF-8");
    return decoded;
}

Result<void> read_target(std::string_view target, Request& request) {
    if (!target.starts_with('/')) return bad_request("the request's target does not start with '/'");
    target = target.substr(0, target.find('#'));
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question == std::string_view::npos) return {};
    for (const auto& pair : split(target.substr(question + 1), '&')) {
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        CICD_TRY(auto name, percent_decode(std::string_view(pair).substr(0, equals), true));
        const auto raw = equals == std::string::npos ? std::string_view{} : std::string_view(pair).substr(equals + 1);
        CICD_TRY(auto value, percent_decode(raw, true));
        request.query.emplace_back(std::move(name), std::move(value));
    }
    return {};
}

Result<Value> json_body(const Request& request) {
    if (trim(request.body).empty()) return Value(Object{});
    return codec::parse_json(request.body);
}

Result<std::int64_t> query_number(const Request& request, std::string_view name, std::int64_t fallback,
                                  std::int64_t least, std::int64_t most) {
    const auto text = request.query_value(name);
    if (text.empty()) return fallback;
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stopped != end || number < least || number > most)
        return bad_request("'" + std::string(name) + "' is '" + text + "'",
                           "give a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return number;
}

Result<bool> query_flag(const Request& request, std::string_view name, bool fallback) {
    const auto text = request.query_value(name);
    if (text.empty()) return fallback;
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return bad_request("'" + std::string(name) + "' is '" + text + "'", "give true or false");
}

}  // namespace cicd::api
