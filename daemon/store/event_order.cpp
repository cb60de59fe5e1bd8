#include "common/codec/codecs.hpp"
#include "daemon/store/rows.hpp"

/// The events of all runs as one sequence.
namespace cicd::store {

Result<EventPage> Store::all_events(std::int64_t after, int limit) {
    return guarded("read the events", [&]() -> Result<EventPage> {
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        auto bounds = reader->query("SELECT coalesce(min(id), 1) FROM event_order");
        if (bounds.next() && after + 1 < bounds.number(0) && after > 0)
            return conflict("CICD_410", "the events behind number " + std::to_string(after) + " are no longer kept",
                            "begin again without 'after', and read the runs' states once");
        EventPage page;
        page.next = after;
        auto query = reader->query("SELECT o.id, e.data FROM event_order o LEFT JOIN events e ON e.run = o.run AND e.seq = o.seq "
                                   "WHERE o.id > ? ORDER BY o.id LIMIT ?");
        query.with(after, limit);
        int rows = 0;
        for (; query.next(); ++rows) {
            page.next = query.number(0);
            if (query.is_null(1)) continue;
            CICD_TRY(auto event, decoded<model::RunEvent>(query.text(1)));
            page.events.push_back({page.next, std::move(event)});
        }
        page.has_next = rows == limit;
        return page;
    });
}

Result<std::int64_t> Store::last_event() {
    return guarded("read the events", [&]() -> Result<std::int64_t> {
        auto reader = state_->readers.lend();
        auto query = reader->query("SELECT coalesce(max(id), 0) FROM event_order");
        return query.next() ? query.number(0) : 0;
    });
}

}  // namespace cicd::store
