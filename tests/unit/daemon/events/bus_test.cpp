#include "daemon/events/bus.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using events::Bus;

TEST_CASE("each subscriber hears each event, in order of subscription") {
    Bus bus;
    std::string heard;
    const auto first = bus.subscribe([&](const model::RunEvent& event) { heard += "a" + std::to_string(event.seq); });
    const auto second = bus.subscribe([&](const model::RunEvent& event) { heard += "b" + std::to_string(event.seq); });
    model::RunEvent event;
    event.seq = 1;
    bus.publish(event);
    event.seq = 2;
    bus.publish(event);
    CHECK(heard == "a1b1a2b2");
}

TEST_CASE("a subscription ends with its holder, and moves with it") {
    Bus bus;
    int heard = 0;
    {
        auto one = bus.subscribe([&](const model::RunEvent&) { ++heard; });
        const auto other = std::move(one);
        bus.publish({});
    }
    bus.publish({});
    CHECK(heard == 1);
}

TEST_CASE("handlers may end themselves, end others and subscribe while an event is told") {
    Bus bus;
    int own = 0, others = 0, late = 0;
    Bus::Subscription self, other, added;
    self = bus.subscribe([&](const model::RunEvent&) {
        ++own;
        other.reset();
        added = bus.subscribe([&](const model::RunEvent&) { ++late; });
        self.reset();
    });
    other = bus.subscribe([&](const model::RunEvent&) { ++others; });
    bus.publish({});
    bus.publish({});
    CHECK(own == 1);
    CHECK(others == 0);
    CHECK(late == 2);  // it was there before the first round ended
}
