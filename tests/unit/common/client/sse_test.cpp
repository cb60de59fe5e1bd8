#include "common/client/sse.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace cicd::client;

namespace {

std::vector<SseEvent> read_in_pieces(const std::string& text, std::size_t piece) {
    SseParser parser;
    std::vector<SseEvent> events;
    for (std::size_t at = 0; at < text.size(); at += piece)
        parser.feed(std::string_view(text).substr(at, piece), [&](const SseEvent& event) {
            events.push_back(event);
            return true;
        });
    return events;
}

}  // namespace

TEST_CASE("events are the same however the stream is cut") {
    const std::string text = ": hello\n\nid: 7\nevent: log\ndata: {\"a\":\ndata: 1}\n\ndata: x\r\n\r\nevent: nothing\n\nid: 8\rdata:y\r\r";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        const auto events = read_in_pieces(text, piece);
        REQUIRE(events.size() == 3);
        CHECK(events[0].id == "7");
        CHECK(events[0].type == "log");
        CHECK(events[0].data == "{\"a\":\n1}");
        CHECK(events[1].type == "message");
        CHECK(events[1].id == "7");
        CHECK(events[2].data == "y");
        CHECK(events[2].id == "8");
    }
}

TEST_CASE("a handler that has had enough is not called again") {
    SseParser parser;
    int calls = 0;
    CHECK_FALSE(parser.feed("data: 1\n\ndata: 2\n\n", [&](const SseEvent&) {
        ++calls;
        return false;
    }));
    CHECK(calls == 1);
}
