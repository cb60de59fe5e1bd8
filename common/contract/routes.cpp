#include "common/contract/routes.hpp"

#include <stdexcept>

namespace cicd::contract {
namespace {

// RFC 3986, section 2.3: everything else is encoded.
bool is_unreserved(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

}  // namespace

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        if (is_unreserved(byte)) {
            encoded += character;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4];
            encoded += digits[byte & 15];
        }
    }
    return encoded;
}

std::string path_of(const Route& route, std::initializer_list<std::string_view> parameters) {
    std::string path(api_root);
    auto parameter = parameters.begin();
    for (std::size_t at = 0; at < route.path.size();) {
        const auto open = route.path.find('{', at);
        if (open == std::string_view::npos) {
            path += route.path.substr(at);
            break;
        }
        if (parameter == parameters.end())
            throw std::logic_error("too few parameters for route " + std::string(route.name));
        path += route.path.substr(at, open - at);
        path += percent_encode(*parameter++);
        at = route.path.find('}', open) + 1;
    }
    return path;
}

std::string query_text(const Query& query) {
    std::string text;
    for (const auto& [name, value] : query) {
        if (value.empty()) continue;
        text += text.empty() ? '?' : '&';
        text += percent_encode(name) + "=" + percent_encode(value);
    }
    return text;
}

}  // namespace cicd::contract
