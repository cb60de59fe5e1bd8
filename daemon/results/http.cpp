#include "daemon/results/http.hpp"

#include "common/codec/json.hpp"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace cicd::results {
namespace {

constexpr std::size_t largest_document = 8 << 20;

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            plain += ' ';
        } else if (text[i] == '%') {
            unsigned code = 0;
            const auto* begin = text.data() + i + 1;
            if (i + 2 >= text.size() || std::from_chars(begin, begin + 2, code, 16).ptr != begin + 2 || code == 0) return std::nullopt;
            plain += static_cast<char>(code);
            i += 2;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string Request::query_value(std::string_view name) const {
    for (const auto& [known, value] : query)
        if (known == name) return value;
    return "";
}

Response json(const Value& value, int status) { return {.status = status, .body = codec::to_json(value)}; }

Response refusal(int status, std::string_view code, const std::string& message) {
    return json(Object{{"code", code}, {"msg", message}}, status);
}

Response refusal(const Error& error) {
    const auto text = error.message + (error.hint.empty() ? "" : " (" + error.hint + ")");
    switch (error.kind) {
        case ErrorKind::invalid: return refusal(400, "invalid_argument", text);
        case ErrorKind::forbidden: return refusal(403, "permission_denied", text);
        case ErrorKind::not_found: return refusal(404, "not_found", text);
        case ErrorKind::conflict: return refusal(409, "already_exists", text);
        case ErrorKind::blocked: return refusal(413, "resource_exhausted", text);
        case ErrorKind::unavailable:
        case ErrorKind::timeout:
        case ErrorKind::cancelled:
        case ErrorKind::internal: break;
    }
    return refusal(500, "internal", text);
}

bool read_target(std::string_view target, Request& request) {
    const auto question = target.find('?');
    auto path = decoded(target.substr(0, question), false);
    if (!path || !path->starts_with('/')) return false;
    request.path = std::move(*path);
    auto rest = question == target.npos ? std::string_view() : target.substr(question + 1);
    while (!rest.empty()) {
        const auto part = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        const auto equals = part.find('=');
        auto name = decoded(part.substr(0, equals), true);
        auto value = decoded(equals == part.npos ? std::string_view() : part.substr(equals + 1), true);
        if (!name || !value) return false;
        request.query.emplace_back(std::move(*name), std::move(*value));
    }
    return true;
}

Result<std::string> whole(Body& body, std::size_t most) {
    std::string text;
    char buffer[16 << 10];
    for (;;) {
        CICD_TRY(const std::size_t n, body.read(buffer, sizeof buffer));
        if (n == 0) return text;
        if (text.size() + n > most) return Error{ErrorKind::blocked, "CICD_413", "the request's body is too large", "", {}};
        text.append(buffer, n);
    }
}

Result<Value> json_of(Request& request) {
    CICD_TRY(const auto text, whole(*request.body, largest_document));
    CICD_TRY(auto value, codec::parse_json(text));
    if (!value.is_object()) return invalid("CICD_400", "the request's body is no JSON object");
    return value;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> read_range(std::string_view text, std::uint64_t size) {
    const auto dash = text.find('-');
    if (!text.starts_with("bytes=") || dash == text.npos) return std::nullopt;
    const auto first = number(text.substr(6, dash - 6));
    const auto last = dash + 1 == text.size() ? std::optional(size - 1) : number(text.substr(dash + 1));
    if (!first || !last || *first > *last || *first >= size) return std::nullopt;
    return std::pair(*first, std::min(*last, size - 1));
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> read_content_range(std::string_view text) {
    const auto dash = text.find('-'), slash = text.find('/');
    if (!text.starts_with("bytes ") || dash == text.npos || slash == text.npos || slash < dash) return std::nullopt;
    const auto first = number(text.substr(6, dash - 6)), last = number(text.substr(dash + 1, slash - dash - 1));
    if (!first || !last || *first > *last) return std::nullopt;
    return std::pair(*first, *last);
}

bool are_same(std::string_view a, std::string_view b) {
    unsigned differences = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < a.size(); ++i) differences |= static_cast<unsigned char>(a[i] ^ (i < b.size() ? b[i] : 0));
    return differences == 0;
}

std::string random_word(std::size_t bytes) {
    std::string random(bytes, '\0');
    if (::getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes)) throw std::runtime_error("the system gives no random bytes");
    std::string text;
    for (const char c : random)
        for (const int shift : {4, 0}) text += "0123456789abcdef"[static_cast<unsigned char>(c) >> shift & 15];
    return text;
}

}  // namespace cicd::results
