#include "daemon/api/sse.hpp"

#include "common/codec/codecs.hpp"

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

Response event_stream(std::function<async::Task<void>(BodyStream&)> stream) {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = std::move(stream);
    return response;
}

}  // namespace cicd::api
