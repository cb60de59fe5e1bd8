#include "common/base/text.hpp"
#include "common/contract/errors.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"
#include "daemon/api/sse.hpp"

#include <algorithm>

// What happens in all runs, in one order: `?after=` a number, `?types=` run.state,job.state,…
namespace cicd::api {
namespace {

Result<std::vector<std::string>> read_types(const Request& request) {
    static const std::vector<std::string> known{"run.state", "stage.state", "job.state", "step.state", "notice"};
    std::vector<std::string> types;
    for (const auto& type : split(request.query_value("types"), ',')) {
        if (type.empty()) continue;
        if (std::find(known.begin(), known.end(), type) == known.end())
            return invalid(std::string(contract::code::bad_request), "'" + type + "' is no type of event",
                           "there are: " + join(known, ", "));
        types.push_back(type);
    }
    return types;
}

/// The number to go on after; absent where the request says nothing of it.
Result<std::optional<std::int64_t>> read_begin(const Request& request) {
    auto asked = request;
    if (asked.query_value("after").empty() && !asked.last_event_id.empty())
        asked.query.emplace_back("after", asked.last_event_id);
    if (asked.query_value("after").empty()) return std::optional<std::int64_t>();
    CICD_TRY(const auto after, query_number(asked, "after", 0, 0, std::numeric_limits<std::int64_t>::max()));
    return std::optional<std::int64_t>(after);
}

Response as_page(const store::EventPage& page, const EventStream& what) {
    Array data;
    for (const auto& [id, event] : page.events) {
        if (!what.takes(event)) continue;
        const auto value = codec::encode(event);
        auto numbered = value.as_object();
        numbered.set("id", static_cast<double>(id));
        data.push_back(std::move(numbered));
    }
    return json_response(Object{{"data", std::move(data)},
                                {"next", static_cast<double>(page.next)},
                                {"hasNext", page.has_next}});
}

}  // namespace

async::Task<Answer> get_events(Services& services, Request request) {
    auto types = read_types(request);
    if (!types) co_return types.error();
    const auto begin = read_begin(request);
    if (!begin) co_return begin.error();
    const auto limit = query_number(request, "limit", 1000, 1, 10'000);
    if (!limit) co_return limit.error();
    const bool streamed = request.accepts("text/event-stream");
    EventStream what{begin->value_or(0), std::move(*types)};
    if (streamed && !*begin) {
        const auto ask = [&services] { return services.store.last_event(); };
        const auto last = co_await async::offload(services.pool, ask);
        if (!last) co_return last.error();
        what.after = *last;
    }
    const int most = streamed ? 1 : static_cast<int>(*limit);
    const auto read = [&services, after = what.after, most] { return services.store.all_events(after, most); };
    const auto page = co_await async::offload(services.pool, read);
    if (!page) co_return page.error();
    if (!streamed) co_return as_page(*page, what);
    co_return event_stream([&services, what](BodyStream& out) { return stream_events(services, what, out); });
}

}  // namespace cicd::api
