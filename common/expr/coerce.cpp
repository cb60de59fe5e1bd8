#include "common/expr/coerce.hpp"

#include "common/expr/case_fold.hpp"
#include "common/expr/expression.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace cicd::expr {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t count_digits(std::string_view text) {
    std::size_t count = 0;
    while (count < text.size() && is_digit(text[count])) ++count;
    return count;
}

/// Whether this is ECMAScript's StrUnsignedDecimalLiteral, Infinity aside.
bool is_decimal(std::string_view text) {
    const std::size_t whole = count_digits(text);
    text.remove_prefix(whole);
    std::size_t fraction = 0;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = count_digits(text);
        text.remove_prefix(fraction);
    }
    if (whole + fraction == 0) return false;
    if (text.empty()) return true;
    if (text[0] != 'e' && text[0] != 'E') return false;
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    return !text.empty() && count_digits(text) == text.size();
}

double parse_digits(std::string_view digits, int base) {
    if (digits.empty()) return nan;
    double number = 0;
    for (const char c : digits) {
        const int digit = is_digit(c)             ? c - '0'
                          : c >= 'a' && c <= 'f'  ? c - 'a' + 10
                          : c >= 'A' && c <= 'F'  ? c - 'A' + 10
                                                  : 99;
        if (digit >= base) return nan;
        number = number * base + digit;
    }
    return number;
}

bool same_kind(const Value& a, const Value& b) {
    return (a.is_null() && b.is_null()) || (a.is_bool() && b.is_bool()) || (a.is_number() && b.is_number()) ||
           (a.is_string() && b.is_string()) || (a.is_array() && b.is_array()) || (a.is_object() && b.is_object());
}

}  // namespace

bool is_primitive(const Value& value) { return !value.is_array() && !value.is_object(); }

std::size_t space_length(std::string_view text) {
    if (text.empty()) return 0;
    if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
    if (text.starts_with("\xC2\xA0")) return 2;
    for (const std::string_view wide : {"\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
                                        "\xE3\x80\x80", "\xEF\xBB\xBF"})
        if (text.starts_with(wide)) return 3;
    const bool quad = text.size() >= 3 && text.starts_with("\xE2\x80") && static_cast<unsigned char>(text[2]) <= 0x8A;
    return quad ? 3 : 0;
}

double parse_number(std::string_view text) {
    while (const std::size_t length = space_length(text)) text.remove_prefix(length);
    std::size_t end = 0;  // behind the last character that is no white space
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = space_length(text.substr(i));
        i += length ? length : 1;
        if (!length) end = i;
    }
    text = text.substr(0, end);
    if (text.empty()) return 0;
    if (text.starts_with("0x") || text.starts_with("0X")) return parse_digits(text.substr(2), 16);
    if (text.starts_with("0o") || text.starts_with("0O")) return parse_digits(text.substr(2), 8);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text == "Infinity") return negative ? -infinity : infinity;
    if (!is_decimal(text)) return nan;
    const double number = std::strtod(std::string(text).c_str(), nullptr);  // overflow is infinity, underflow is 0
    return negative ? -number : number;
}

bool loosely_equal(const Value& left, const Value& right) {
    if (!same_kind(left, right)) {
        if (!is_primitive(left) || !is_primitive(right)) return false;
        return to_number(left) == to_number(right);
    }
    if (left.is_string()) return same_text(left.as_string(), right.as_string());
    return left.same_instance(right);  // of numbers, NaN is not the same as NaN
}

bool less(const Value& left, const Value& right) {
    if (!is_primitive(left) || !is_primitive(right)) return false;
    if (left.is_null() && right.is_null()) return false;
    if (left.is_string() && right.is_string()) return to_upper(left.as_string()) < to_upper(right.as_string());
    return to_number(left) < to_number(right);
}

bool is_truthy(const Value& value) {
    if (value.is_null()) return false;
    if (value.is_bool()) return value.as_bool();
    if (value.is_number()) return value.as_number() != 0 && !std::isnan(value.as_number());
    if (value.is_string()) return !value.as_string().empty();
    return true;
}

std::string to_display_text(const Value& value) {
    if (value.is_null()) return "";
    if (value.is_bool()) return value.as_bool() ? "true" : "false";
    if (value.is_string()) return value.as_string();
    if (value.is_array()) return "Array";
    if (value.is_object()) return "Object";
    // At most 15 digits after the point, so that 0.1 + 0.2 of another program does not show its last bits.
    const double number = value.as_number();
    if (!std::isfinite(number) || std::fabs(number) >= 1e21 || number == std::floor(number)) return number_text(number);
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.15f", number);
    double rounded = 0;
    std::from_chars(buffer.data(), buffer.data() + std::char_traits<char>::length(buffer.data()), rounded);
    return number_text(rounded);
}

double to_number(const Value& value) {
    if (value.is_null()) return 0;
    if (value.is_bool()) return value.as_bool() ? 1 : 0;
    if (value.is_number()) return value.as_number();
    if (value.is_string()) return parse_number(value.as_string());
    return nan;
}

}  // namespace cicd::expr
