#include "common/codec/codecs.hpp"
#include "daemon/api/run_events.hpp"
#include "daemon/api/sse.hpp"
#include "daemon/api/wake.hpp"

#include <algorithm>

// Events come from the store alone, in its order; the bus only says that there are more. So nothing is kept for a slow
// client, and nothing is missed between two readings.
namespace cicd::api {
namespace {

constexpr int events_at_once = 500;

}  // namespace

bool EventStream::takes(const model::RunEvent& event) const {
    return types.empty() || std::find(types.begin(), types.end(), event.type) != types.end();
}

async::Task<void> stream_events(Services& services, EventStream what, BodyStream& out) {
    Wake wake(co_await boost::asio::this_coro::executor);
    const auto subscription = services.run_events->follow_all([&](const model::RunEvent&) { wake.notify(); });
    auto next_heartbeat = std::chrono::steady_clock::now() + heartbeat_interval;
    for (;;) {
        const auto read = [&services, &what] { return services.store.all_events(what.after, events_at_once); };
        const auto page = co_await async::offload(services.pool, read);
        if (!page) {
            services.warn("cannot read events: " + page.error().message);
            co_return;
        }
        std::string text;
        for (const auto& [id, event] : page->events)
            if (what.takes(event)) text += event_text(std::to_string(id), event.type, codec::encode(event));
        // What was passed over is not looked at again by a client that resumes.
        if (text.empty() && page->next != what.after) text = "id: " + std::to_string(page->next) + "\n\n";
        what.after = page->next;
        if (!text.empty()) next_heartbeat = std::chrono::steady_clock::now() + heartbeat_interval;
        if (!text.empty() && !co_await out.send(std::move(text))) co_return;
        if (page->has_next) continue;
        if (co_await wake.wait_until(next_heartbeat)) continue;
        next_heartbeat = std::chrono::steady_clock::now() + heartbeat_interval;
        if (!co_await out.send(std::string(heartbeat_text))) co_return;
    }
}

}  // namespace cicd::api
