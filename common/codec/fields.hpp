#pragma once

#include "common/base/enum_text.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/base/value.hpp"
#include "common/model/pipeline.hpp"

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace cicd::model {
struct StepRun;
struct StageRun;
struct JobRun;
struct Run;
}

/// Reading and writing structs by a table of their fields, so that both directions cannot drift apart.
/// Specialise `Fields<T>` with `static constexpr auto list = std::tuple{required("id", &T::id), ...};`
namespace cicd::codec {

template <class T>
struct Fields;

template <class T>
concept Described = requires { Fields<T>::list; };

enum class Presence {
    required,  ///< always written; must be there when read
    shown,     ///< always written (null where it is absent); may be missing
    omitted,   ///< left out where it holds its default
};
enum class Form { plain, size };  ///< size: bytes as "500Mi"

template <class T, class M>
struct Field {
    std::string_view name;
    M T::*member;
    Presence presence;
    Form form = Form::plain;
};

template <class T, class M>
constexpr Field<T, M> required(std::string_view name, M T::*member) {
    return {name, member, Presence::required};
}
template <class T, class M>
constexpr Field<T, M> shown(std::string_view name, M T::*member) {
    return {name, member, Presence::shown};
}
template <class T, class M>
constexpr Field<T, M> omitted(std::string_view name, M T::*member) {
    return {name, member, Presence::omitted};
}
template <class T, class M>
constexpr Field<T, M> size_field(std::string_view name, M T::*member) {
    return {name, member, Presence::omitted, Form::size};
}

/// Where reading is, as a chain on the stack: it becomes text only when something is wrong.
struct Path {
    const Path* parent = nullptr;
    std::string_view key;
    std::size_t index = 0;

    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::string pointer() const;
};

/// "field 'events[2].seq' must be a number"
Error wrong(const Path& path, const std::string& what);
Result<const Object*> as_object(const Value& value, const Path& path);
Result<const Array*> as_array(const Value& value, const Path& path);
/// Refuses members that are not among `allowed`, with a suggestion.
Result<void> refuse_unknown(const Object& object, const std::vector<std::string>& allowed, const Path& path);

Result<void> read(const Value& value, std::string& out, const Path& path);
Result<void> read(const Value& value, bool& out, const Path& path);
Result<void> read(const Value& value, double& out, const Path& path);
Result<void> read(const Value& value, Timestamp& out, const Path& path);
Result<void> read(const Value& value, Milliseconds& out, const Path& path);
Result<void> read(const Value& value, model::Run& out, const Path& path);
Result<void> read_size(const Value& value, std::uint64_t& out, const Path& path);
Result<double> read_integer(const Value& value, double lowest, double highest, const Path& path);

inline Result<void> read(const Value& value, Value& out, const Path&) {
    out = value;
    return {};
}

template <std::integral I>
    requires(!std::same_as<I, bool>)
Result<void> read(const Value& value, I& out, const Path& path) {
    CICD_TRY(const double number, read_integer(value, static_cast<double>(std::numeric_limits<I>::min()),
                                               static_cast<double>(std::numeric_limits<I>::max()), path));
    out = static_cast<I>(number);
    return {};
}

template <class E>
    requires std::is_enum_v<E>
Result<void> read(const Value& value, E& out, const Path& path) {
    if (value.is_string())
        if (const auto found = from_text<E>(value.as_string())) {
            out = *found;
            return {};
        }
    return wrong(path, "must be one of " + all_texts<E>());
}

template <class Tag>
Result<void> read(const Value& value, Id<Tag>& out, const Path& path) {
    std::string text;
    CICD_CHECK(read(value, text, path));
    out = Id<Tag>(std::move(text));
    return {};
}

// Declared before their definitions: they call one another for nested types.
template <class T>
Result<void> read(const Value& value, std::optional<T>& out, const Path& path);
template <class T>
Result<void> read(const Value& value, std::vector<T>& out, const Path& path);
template <class T>
Result<void> read(const Value& value, std::vector<std::pair<std::string, T>>& out, const Path& path);
template <Described T>
Result<void> read(const Value& value, T& out, const Path& path);

template <class T>
Result<void> read(const Value& value, std::optional<T>& out, const Path& path) {
    if constexpr (!std::same_as<T, Value>) {
        if (value.is_null()) {
            out.reset();
            return {};
        }
    }
    return read(value, out.emplace(), path);
}

template <class T>
Result<void> read(const Value& value, std::vector<T>& out, const Path& path) {
    CICD_TRY(const Array* array, as_array(value, path));
    out.clear();
    out.reserve(array->size());
    for (const Value& item : *array) {
        const Path here{&path, {}, out.size()};
        CICD_CHECK(read(item, out.emplace_back(), here));
    }
    return {};
}

template <class T>
Result<void> read(const Value& value, std::vector<std::pair<std::string, T>>& out, const Path& path) {
    CICD_TRY(const Object* object, as_object(value, path));
    out.clear();
    out.reserve(object->size());
    for (const auto& [key, member] : *object) {
        auto& entry = out.emplace_back(key, T{});
        CICD_CHECK(read(member, entry.second, Path{&path, entry.first}));
    }
    return {};
}

template <class T, class M>
Result<void> read_field(const Object& object, T& out, const Field<T, M>& field, const Path& path) {
    const Path here{&path, field.name};
    const Value* value = object.find(field.name);
    if (!value) return field.presence == Presence::required ? Result<void>(wrong(here, "is missing")) : Result<void>();
    if constexpr (!std::same_as<M, std::optional<Value>>) {
        if (value->is_null() && field.presence != Presence::required) return {};  // null: as if it were not there
    }
    if constexpr (std::same_as<M, std::optional<std::uint64_t>>) {
        if (field.form == Form::size) return read_size(*value, (out.*field.member).emplace(), here);
    }
    return read(*value, out.*field.member, here);
}

template <Described T>
Result<void> read_fields(const Value& value, T& out, const Path& path) {
    CICD_TRY(const Object* object, as_object(value, path));
    Result<void> result;
    std::apply(
        [&](const auto&... field) {
            (void)((result = read_field(*object, out, field, path), static_cast<bool>(result)) && ...);
        },
        Fields<T>::list);
    return result;
}

template <Described T>
Result<void> read(const Value& value, T& out, const Path& path) {
    return read_fields(value, out, path);
}

// Types with a shape of their own. Declared here because the templates below find only what they can see.
Value write(const model::Mark& mark);                      // ["file", line, column, "pointer"]
bool same(const model::Mark& a, const model::Mark& b);     // their == is always true
Value write(const model::OrExpression<bool>& value);       // the value, or {"value": …, "expression": "…"}
// Their fields, and how long it took.
Value write(const model::StepRun& step);
Value write(const model::StageRun& stage);
Value write(const model::JobRun& job);
Value write(const model::Run& run);

inline Value write(const std::string& text) { return text; }
inline Value write(bool b) { return b; }
inline Value write(double n) { return n; }
inline Value write(Timestamp time) { return format_time(time); }
inline Value write(Milliseconds duration) { return format_duration(duration); }
inline Value write(const Value& value) { return value; }

template <std::integral I>
    requires(!std::same_as<I, bool>)
Value write(I n) {
    return static_cast<double>(n);
}
template <class E>
    requires std::is_enum_v<E>
Value write(E e) {
    return to_text(e);
}
template <class Tag>
Value write(const Id<Tag>& id) {
    return id.str();
}

template <class T>
Value write(const std::optional<T>& value);
template <class T>
Value write(const std::vector<T>& list);
template <class T>
Value write(const std::vector<std::pair<std::string, T>>& members);
template <Described T>
Value write(const T& value);

template <class T>
Value write(const std::optional<T>& value) {
    return value ? write(*value) : Value();
}
template <class T>
Value write(const std::vector<T>& list) {
    Array array;
    array.reserve(list.size());
    for (const T& item : list) array.push_back(write(item));
    return array;
}
template <class T>
Value write(const std::vector<std::pair<std::string, T>>& members) {
    Object object;
    for (const auto& [key, member] : members) object.set(key, write(member));
    return object;
}

/// Whether nothing would be lost by leaving it out.
template <class T>
bool same(const T& a, const T& b) {
    if constexpr (Described<T>)
        return std::apply([&](const auto&... field) { return (same(a.*field.member, b.*field.member) && ...); },
                          Fields<T>::list);
    else
        return a == b;
}

template <class T, class M>
void write_field(Object& object, const T& value, const T& defaults, const Field<T, M>& field) {
    const M& member = value.*field.member;
    if (field.presence == Presence::omitted && same(member, defaults.*field.member)) return;
    if constexpr (std::same_as<M, std::optional<std::uint64_t>>) {
        if (field.form == Form::size) {
            object.set(std::string(field.name), format_size(*member));
            return;
        }
    }
    object.set(std::string(field.name), write(member));
}

template <Described T>
void write_fields(Object& object, const T& value) {
    static const T defaults{};
    std::apply([&](const auto&... field) { (write_field(object, value, defaults, field), ...); }, Fields<T>::list);
}

template <Described T>
Value write(const T& value) {
    Object object;
    write_fields(object, value);
    return object;
}

template <class T>
Result<T> read_whole(const Value& value) {
    T out{};
    CICD_CHECK(read(value, out, Path{}));
    return out;
}

}  // namespace cicd::codec

/// The pair of specialisations that codecs.hpp promises, for a type whose shape is its `Fields`.
#define CICD_CODEC_BY_FIELDS(T)                   \
    template <>                                   \
    Value encode(const T& value) {                \
        return write(value);                      \
    }                                             \
    template <>                                   \
    Result<T> decode(const Value& value) {        \
        return read_whole<T>(value);              \
    }
