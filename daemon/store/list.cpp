#include "daemon/store/state.hpp"

namespace cicd::store {

Result<Order> order_by(std::string_view sort, std::span<const SortField> allowed, std::string_view tie_break) {
    const bool descending = sort.starts_with('-');
    const auto name = descending ? sort.substr(1) : sort;
    std::string names;
    for (const SortField& field : allowed) {
        if (field.name == name) return Order{field, tie_break, descending};
        names += (names.empty() ? "" : ", ") + std::string(field.name);
    }
    return invalid("CICD_400", "cannot sort by '" + std::string(name) + "'",
                   "sort by one of " + names + "; a leading '-' turns the order round");
}

std::string Order::sql() const {
    const std::string direction = descending ? " DESC" : " ASC";
    std::string order = " ORDER BY " + std::string(field.column) + direction;
    if (field.column != tie_break) order += ", " + std::string(tie_break) + direction;
    return order;
}

Result<void> check_page(int page, int page_size) {
    if (page < 1) return invalid("CICD_400", "page must be 1 or more");
    if (page_size < 1 || page_size > 500) return invalid("CICD_400", "pageSize must be from 1 to 500");
    return {};
}

contract::Pagination pagination(int page, int page_size, std::int64_t total) {
    return {page, page_size, total, static_cast<std::int64_t>(page) * page_size < total};
}

void Where::raw(const std::string& condition, std::vector<std::string> values) {
    conditions_ += (conditions_.empty() ? "" : " AND ") + condition;
    for (auto& value : values) values_.emplace_back(std::move(value));
}

void Where::equals(const std::string& column, const std::string& value) {
    if (!value.empty()) raw(column + " = ?", {value});
}

void Where::is_number(const std::string& column, std::int64_t value) {
    raw(column + " = ?", {});
    values_.emplace_back(value);
}

void Where::compare(const std::string& condition, std::vector<std::variant<std::string, std::int64_t>> values) {
    raw(condition, {});
    for (auto& value : values) values_.push_back(std::move(value));
}

/// As a range, so that the index is used.
void Where::begins_with(const std::string& column, const std::string& text) {
    if (!text.empty()) raw("(" + column + " >= ? AND " + column + " < ?)", {text, text + "\x7f"});
}

void Where::in(const std::string& column, const std::vector<std::string>& values) {
    if (values.empty()) return;
    if (values.size() == 1) return raw(column + " = ?", values);
    std::string marks = "?";
    for (std::size_t i = 1; i < values.size(); ++i) marks += ", ?";
    raw(column + " IN (" + marks + ")", values);
}

void Where::bind(Query& query) const {
    for (const auto& value : values_) std::visit([&](const auto& v) { query.bind(v); }, value);
}

}  // namespace cicd::store
