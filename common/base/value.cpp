#include "common/base/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace cicd {

Object::Object(std::initializer_list<Member> members) {
    for (const auto& [key, value] : members) set(key, value);
}

Object Object::of_unique(std::vector<Member> members) {
    Object object;
    object.members_ = std::move(members);
    return object;
}

const Value* Object::find(std::string_view key) const {
    const auto it = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.first == key; });
    return it == members_.end() ? nullptr : &it->second;
}

void Object::set(std::string key, Value value) {
    const auto it = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.first == key; });
    if (it == members_.end())
        members_.emplace_back(std::move(key), std::move(value));
    else
        it->second = std::move(value);
}

bool Object::erase(std::string_view key) {
    return std::erase_if(members_, [&](const Member& m) { return m.first == key; }) > 0;
}

bool Object::operator==(const Object& other) const {
    return size() == other.size() && std::all_of(begin(), end(), [&](const Member& m) {
        const Value* theirs = other.find(m.first);
        return theirs && *theirs == m.second;
    });
}

Value::Value(Object o) : data_(std::make_shared<const Object>(std::move(o))) {}

const Value& Value::operator[](std::string_view key) const {
    static const Value null;
    if (!is_object()) return null;
    const Value* member = as_object().find(key);
    return member ? *member : null;
}

bool Value::same_instance(const Value& other) const { return data_ == other.data_; }

bool Value::operator==(const Value& other) const {
    if (data_.index() != other.data_.index()) return false;
    if (is_array()) return as_array() == other.as_array();
    if (is_object()) return as_object() == other.as_object();
    return data_ == other.data_;
}

// ECMAScript's Number::toString: shortest digits that round-trip, exponent form from 1e21 on and below 1e-6.
std::string number_text(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    if (number == 0) return "0";
    const double magnitude = std::fabs(number);
    std::array<char, 400> buffer{};
    const bool plain = magnitude >= 1e-6 && magnitude < 1e21;
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format).ptr;
    std::string text(buffer.data(), end);
    if (plain) return text;
    // to_chars writes "1e-07" where ECMAScript writes "1e-7".
    const auto digits = text.find_first_of("+-", text.find('e')) + 1;
    while (digits + 1 < text.size() && text[digits] == '0') text.erase(digits, 1);
    return text;
}

}  // namespace cicd
