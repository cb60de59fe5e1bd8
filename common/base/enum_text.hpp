#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cicd {

/// The one text table of an enum, shared by JSON, SQL and CLI. Specialise with
/// `static constexpr std::array table{std::pair{E::a, std::string_view{"a"}}, ...};`
template <class E>
struct EnumText;

template <class E>
constexpr std::string_view to_text(E value) {
    for (const auto& [candidate, text] : EnumText<E>::table)
        if (candidate == value) return text;
    return "?";
}

template <class E>
constexpr std::optional<E> from_text(std::string_view text) {
    for (const auto& [candidate, name] : EnumText<E>::table)
        if (name == text) return candidate;
    return std::nullopt;
}

/// Every text of the enum, as "a, b, c": for error messages.
template <class E>
std::string all_texts() {
    std::string list;
    for (const auto& entry : EnumText<E>::table) {
        if (!list.empty()) list += ", ";
        list += entry.second;
    }
    return list;
}

}  // namespace cicd
