#pragma once

#include "daemon/store/state.hpp"

/// Keyset cursors: a list goes on behind a row, whatever was added before it in the meantime.
namespace cicd::store {

/// Where a page ended: the value of what the list is sorted by, and the row's number.
struct Position {
    std::variant<std::string, std::int64_t> value;
    std::int64_t number = 0;
};

/// Opaque to callers. Empty where the order has no cursor.
std::string cursor_text(const Order& order, const Position& position);
/// Adds the condition that a row comes after the cursor's. Refused where it is malformed or of another order.
Result<void> go_on_after(Where& where, const Order& order, const std::string& cursor);

template <class Filter>
std::int64_t first_row(const Filter& filter) {
    return filter.cursor.empty() ? static_cast<std::int64_t>(filter.page - 1) * filter.page_size : 0;
}

/// Drops the row that only told that there is more, and says where the next page begins.
template <class T, class PositionOf>
void finish(contract::Page<T>& page, const Order& order, PositionOf position_of) {
    page.pagination.has_next = page.data.size() > static_cast<std::size_t>(page.pagination.page_size);
    if (!page.pagination.has_next) return;
    page.data.pop_back();
    page.pagination.next_cursor = cursor_text(order, position_of(order, page.data.back()));
}

}  // namespace cicd::store
