#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cicd {

class Value;
using Array = std::vector<Value>;

/// Members in the order they were written. Keys are unique; `set` replaces.
class Object {
public:
    using Member = std::pair<std::string, Value>;

    Object() = default;
    Object(std::initializer_list<Member> members);
    /// Members whose keys the caller knows to be unique: `set` for each would cost the square of their number.
    static Object of_unique(std::vector<Member> members);

    [[nodiscard]] const Value* find(std::string_view key) const;
    void set(std::string key, Value value);
    bool erase(std::string_view key);
    [[nodiscard]] bool contains(std::string_view key) const { return find(key) != nullptr; }
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::vector<Member>::const_iterator begin() const;
    [[nodiscard]] std::vector<Member>::const_iterator end() const;
    bool operator==(const Object& other) const;  ///< order of members does not matter

private:
    std::vector<Member> members_;
};

/// JSON's data model: what parameters, matrix values, contexts and expression results are made of.
/// Copies are cheap: arrays and objects are shared and immutable. `same_instance` is the identity that the
/// expression language's `==` compares; `operator==` compares contents.
class Value {
public:
    Value() = default;
    Value(std::nullptr_t) {}
    Value(bool b) : data_(b) {}
    Value(double n) : data_(n) {}
    Value(int n) : data_(static_cast<double>(n)) {}
    Value(long n) : data_(static_cast<double>(n)) {}
    Value(long long n) : data_(static_cast<double>(n)) {}
    Value(unsigned long n) : data_(static_cast<double>(n)) {}
    Value(std::string s) : data_(std::move(s)) {}
    Value(std::string_view s) : data_(std::string(s)) {}
    Value(const char* s) : data_(std::string(s)) {}
    Value(Array a) : data_(std::make_shared<const Array>(std::move(a))) {}
    Value(Object o);

    [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
    [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(data_); }
    [[nodiscard]] bool is_number() const { return std::holds_alternative<double>(data_); }
    [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(data_); }
    [[nodiscard]] bool is_array() const { return std::holds_alternative<std::shared_ptr<const Array>>(data_); }
    [[nodiscard]] bool is_object() const { return std::holds_alternative<std::shared_ptr<const Object>>(data_); }

    // Each of these requires the matching is_…().
    [[nodiscard]] bool as_bool() const { return std::get<bool>(data_); }
    [[nodiscard]] double as_number() const { return std::get<double>(data_); }
    [[nodiscard]] const std::string& as_string() const { return std::get<std::string>(data_); }
    [[nodiscard]] const Array& as_array() const { return *std::get<std::shared_ptr<const Array>>(data_); }
    [[nodiscard]] const Object& as_object() const { return *std::get<std::shared_ptr<const Object>>(data_); }

    /// The member, or null where this is no object or has no such member (exact case).
    [[nodiscard]] const Value& operator[](std::string_view key) const;
    [[nodiscard]] bool same_instance(const Value& other) const;
    bool operator==(const Value& other) const;

private:
    std::variant<std::monostate, bool, double, std::string, std::shared_ptr<const Array>, std::shared_ptr<const Object>>
        data_;
};

// Behind Value, which a vector of members needs whole (clang insists).
inline std::size_t Object::size() const { return members_.size(); }
inline bool Object::empty() const { return members_.empty(); }
inline std::vector<Object::Member>::const_iterator Object::begin() const { return members_.begin(); }
inline std::vector<Object::Member>::const_iterator Object::end() const { return members_.end(); }

/// A number as JavaScript prints it: "3", "0.5", "1e+21", "NaN".
std::string number_text(double number);

}  // namespace cicd
