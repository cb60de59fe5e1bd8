#include "daemon/store/cursor.hpp"

namespace cicd::store {

namespace {

std::string hex(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += {digits[byte >> 4], digits[byte & 15]};
    }
    return text;
}

std::optional<std::string> unhex(std::string_view text) {
    const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::string name_of(const Order& order) { return (order.descending ? "-" : "") + std::string(order.field.name); }

/// `[sort, value, number]` as JSON: numbers as texts, so that none loses digits.
std::optional<Position> position_of(const Order& order, const std::string& cursor) {
    const auto json = unhex(cursor);
    const auto value = json ? codec::parse_json(*json) : Result<Value>(internal_error(""));
    if (!value || !value->is_array() || value->as_array().size() != 3) return std::nullopt;
    const auto& parts = value->as_array();
    if (!parts[0].is_string() || parts[0].as_string() != name_of(order) || !parts[2].is_string()) return std::nullopt;
    const auto number = number_of(parts[2].as_string(), "");
    if (!number) return std::nullopt;
    if (parts[1].is_string()) return Position{parts[1].as_string(), *number};
    if (!parts[1].is_array() || parts[1].as_array().size() != 1 || !parts[1].as_array()[0].is_string()) return std::nullopt;
    const auto by = number_of(parts[1].as_array()[0].as_string(), "");
    if (!by) return std::nullopt;
    return Position{*by, *number};
}

}  // namespace

std::string cursor_text(const Order& order, const Position& position) {
    if (!order.field.has_cursor) return "";
    Value value;
    if (const auto* text = std::get_if<std::string>(&position.value))
        value = *text;
    else
        value = Array{Value(std::to_string(std::get<std::int64_t>(position.value)))};
    return hex(codec::to_json(Array{Value(name_of(order)), value, Value(std::to_string(position.number))}));
}

Result<void> go_on_after(Where& where, const Order& order, const std::string& cursor) {
    if (cursor.empty()) return {};
    const auto position = position_of(order, cursor);
    if (!order.field.has_cursor || !position)
        return invalid("CICD_400", "the cursor is none of this list sorted by '" + name_of(order) + "'",
                       "give back 'nextCursor' of the page before, with the same sort; without a cursor the list "
                       "begins anew");
    const std::string than = order.descending ? " < " : " > ";
    const std::string column(order.field.column), tie(order.tie_break);
    if (column == tie)
        where.compare(column + than + "?", {position->number});
    else
        where.compare("(" + column + ", " + tie + ")" + than + "(?, ?)", {position->value, position->number});
    return {};
}

}  // namespace cicd::store
