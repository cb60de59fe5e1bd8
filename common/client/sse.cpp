#include "common/client/sse.hpp"

#include <utility>

namespace cicd::client {

bool SseParser::feed(std::string_view piece, const Handler& handler) {
    // A line ends with LF, CR or CRLF; the CRLF may be cut by the end of a piece.
    while (!piece.empty()) {
        if (after_carriage_return_ && piece.front() == '\n') piece.remove_prefix(1);
        after_carriage_return_ = false;
        const auto end = piece.find_first_of("\r\n");
        if (end == std::string_view::npos) {
            pending_ += piece;
            return true;
        }
        after_carriage_return_ = piece[end] == '\r';
        bool go_on = true;
        if (pending_.empty()) {
            go_on = take_line(piece.substr(0, end), handler);
        } else {
            pending_ += piece.substr(0, end);
            const auto line = std::exchange(pending_, {});
            go_on = take_line(line, handler);
        }
        if (!go_on) return false;
        piece.remove_prefix(end + 1);
    }
    return true;
}

bool SseParser::take_line(std::string_view line, const Handler& handler) {
    if (line.empty()) {
        auto event = std::exchange(event_, {});
        if (!std::exchange(has_data_, false)) return true;
        event.id = last_id_;
        if (event.type.empty()) event.type = "message";
        return handler(event);
    }
    const auto colon = line.find(':');
    if (colon == 0) return true;
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    } else if (field == "event") {
        event_.type = value;
    } else if (field == "id") {
        last_id_ = value;
    }
    return true;
}

}  // namespace cicd::client
