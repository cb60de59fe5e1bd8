#include "daemon/api/sse.hpp"

#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/errors.hpp"

#include <charconv>

namespace cicd::api {

// JSON holds no raw newline, so one `data:` line is enough.
std::string event_text(std::string_view id, std::string_view type, const Value& data) {
    std::string text;
    if (!id.empty()) {
        text += "id: ";
        text += id;
        text += '\n';
    }
    text += "event: ";
    text += type;
    text += "\ndata: ";
    text += codec::to_json(data);
    text += "\n\n";
    return text;
}

std::string StreamPosition::text() const {
    std::string text = std::to_string(seq);
    for (const auto& [job, line] : lines)
        text += ";" + job + "." + std::to_string(line.attempt) + "." + std::to_string(line.last);
    return text;
}

Result<StreamPosition> read_position(const std::string& id) {
    const auto broken = [&] {
        return invalid(std::string(contract::code::bad_request), "'" + id.substr(0, 100) + "' is no id of this stream",
                       "give the id of the last event as it came, or the number of an event");
    };
    const auto number = [](std::string_view text, auto& out) {
        const auto* end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data(), end, out);
        return error == std::errc{} && stopped == end && out >= 0;
    };
    StreamPosition position;
    const auto parts = split(id, ';');
    if (!number(parts.front(), position.seq)) return broken();
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto fields = split(parts[i], '.');
        StreamPosition::Line line;
        if (fields.size() != 3 || !number(fields[1], line.attempt) || !number(fields[2], line.last)) return broken();
        position.lines[fields[0]] = line;
    }
    return position;
}

Response event_stream(std::function<async::Task<void>(BodyStream&)> stream) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = std::move(stream);
    return response;
}

}  // namespace cicd::api
