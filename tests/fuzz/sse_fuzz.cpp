// A stream of server-sent events: however it is cut into pieces, the same events come out.
#include "common/client/sse.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

using namespace cicd;

namespace {

struct Seen {
    std::vector<std::tuple<std::string, std::string, std::string>> events;
    std::string last_id;
    bool operator==(const Seen&) const = default;
};

Seen feed(std::string_view stream, std::size_t piece) {
    Seen seen;
    client::SseParser parser;
    const auto handler = [&](const client::SseEvent& event) {
        seen.events.emplace_back(event.id, event.type, event.data);
        return true;
    };
    while (!stream.empty()) {
        const auto length = std::min(piece, stream.size());
        fuzz::require(parser.feed(stream.substr(0, length), handler), "a handler that goes on is not stopped");
        stream.remove_prefix(length);
    }
    seen.last_id = parser.last_id();
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto stream = fuzz::as_text(data, size);
    const std::size_t piece = fuzz::take_byte(stream) % 31 + 1u;
    const auto whole = feed(stream, std::max<std::size_t>(1, stream.size()));
    fuzz::require(feed(stream, piece) == whole, "pieces give the events of the whole");
    for (const auto& [id, type, text] : whole.events) {
        fuzz::require(!type.empty(), "an event has a type");
        fuzz::require((id + type).find_first_of("\r\n") == std::string::npos, "ids and types are of one line");
    }
    return 0;
}
