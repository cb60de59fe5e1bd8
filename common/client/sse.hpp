#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cicd::client {

/// One event of a stream (WHATWG HTML, "Server-sent events").
struct SseEvent {
    std::string id, type, data;
};

/// Cuts a stream that arrives in pieces of any size into events. Comments (heartbeats) are dropped.
class SseParser {
public:
    using Handler = std::function<bool(const SseEvent&)>;

    /// False as soon as the handler gives false; what is left of the piece is then dropped.
    bool feed(std::string_view piece, const Handler& handler);
    /// The id to resume after, "" for none yet.
    [[nodiscard]] const std::string& last_id() const { return last_id_; }

private:
    bool take_line(std::string_view line, const Handler& handler);
    std::string pending_, last_id_;
    SseEvent event_;
    bool has_data_ = false;
    bool after_carriage_return_ = false;
};

}  // namespace cicd::client
