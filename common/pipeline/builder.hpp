#pragma once

#include "common/base/enum_text.hpp"
#include "common/model/pipeline.hpp"
#include "common/pipeline/node.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// What the readers of all elements share: a place in the document, typed access to it, and the list of problems.
namespace cicd::pipeline {

/// A node and the way to it. A child points at its parent, which must outlive it; the pointer's text is made on demand.
struct Cursor {
    const Node* node = nullptr;
    const Cursor* parent = nullptr;
    std::string_view key;
    std::size_t index = 0;

    [[nodiscard]] Cursor child(const Node::Member& member) const { return {member.value, this, member.key->text, 0}; }
    [[nodiscard]] Cursor item(std::size_t i) const { return {node->items[i], this, {}, i}; }
    [[nodiscard]] NodeKind kind() const { return node->kind; }
    [[nodiscard]] std::string pointer() const;
};

class Builder;

/// One key of an element and how its value is read into T.
template <class T>
struct Field {
    std::string_view name;
    void (*read)(Builder&, const Cursor&, T&);
};

/// How a name may look, for messages and checks.
enum class NameRule {
    element,     ///< stages, jobs: letters, digits, "_", "-" and inner spaces; no dot, which separates stage and job
    identifier,  ///< parameters, step ids, outputs: what expressions can name
    variable,    ///< environment variables
};

class Builder {
public:
    Builder(std::string file, std::string_view source) : file_(std::move(file)), source_(source) {}

    void error(const Cursor& at, std::string message, std::string suggestion = {});
    void warning(const Cursor& at, std::string message, std::string suggestion = {});
    void error_at(const model::Mark& mark, std::string message, std::string suggestion = {});
    [[nodiscard]] model::Mark mark(const Cursor& at) const;

    // Each reports what does not fit and then returns an empty value.
    bool is_map(const Cursor& at, std::string_view what);
    std::string text(const Cursor& at);     ///< may hold `${{ }}`, which is checked
    std::string literal(const Cursor& at);  ///< read before anything runs, so without expressions
    std::string name(const Cursor& at, NameRule rule);
    void check_name(const Cursor& at, std::string_view text, NameRule rule);
    std::string condition(const Cursor& at);
    model::Strings texts(const Cursor& at);  ///< a list, or one text for a list of one
    model::Strings literals(const Cursor& at);
    model::Strings choices(const Cursor& at, std::span<const std::string_view> allowed);
    model::Texts text_map(const Cursor& at, NameRule rule);
    void merge_text_map(const Cursor& at, NameRule rule, model::Texts& into);
    std::vector<std::pair<std::string, Value>> value_map(const Cursor& at);
    Value value(const Cursor& at);  ///< anything; expressions in its texts are checked
    /// A text that is one whole `${{ }}` expression, as it is. Nothing for what holds none; "" where it was refused.
    std::optional<std::string> whole_expression(const Cursor& at);
    std::optional<Milliseconds> duration(const Cursor& at);
    std::optional<std::uint64_t> size(const Cursor& at);
    std::optional<double> number(const Cursor& at, double min, double max, std::string_view what, bool or_text = false);
    std::optional<int> integer(const Cursor& at, int min, int max, std::string_view what, bool or_text = false);
    bool boolean(const Cursor& at);
    model::OrExpression<bool> boolean_or_expression(const Cursor& at);
    std::string choice(const Cursor& at, std::span<const std::string_view> allowed);
    template <class E>
    std::optional<E> enumerator(const Cursor& at);
    /// Calls `read` for each item; a lone value counts as a list of one.
    template <class Read>
    void each(const Cursor& at, Read read);

    /// Reads each key of a map by its field and reports the keys that have none.
    template <class T>
    void fields(const Cursor& at, T& into, std::initializer_list<std::span<const Field<T>>> tables,
                std::string_view what);
    template <class T>
    void fields(const Cursor& at, T& into, std::span<const Field<T>> table, std::string_view what) {
        fields(at, into, {table}, what);
    }
    /// The same where some keys belong to a part of the element.
    template <class T, class U>
    void fields(const Cursor& at, T& into, std::initializer_list<std::span<const Field<T>>> tables, U& inner,
                std::initializer_list<std::span<const Field<U>>> inner_tables, std::string_view what);
    void require(const Cursor& at, std::initializer_list<std::string_view> keys, std::string_view what);
    void unknown_key(const Cursor& at, const Node& key, const std::vector<std::string>& allowed, std::string_view what);

    /// `params.x` and `inputs.x` seen so far must name one of these.
    void check_references(std::span<const model::Parameter> parameters);
    void declare_parameters_open() { parameters_open_ = true; }
    /// Other contexts than ours, for texts in another language. Their parameters are checked by whoever reads them.
    void use_contexts(const std::vector<std::string>& names) {
        contexts_ = &names;
        parameters_open_ = true;
    }
    /// Every `${{ }}` of a text.
    void check_template(const Cursor& at);
    /// One without the braces, which stands at `mark`.
    void check_expression(std::string_view expression, const model::Mark& mark);

    /// In file order.
    std::vector<Diagnostic> take_problems();

private:
    struct Reference {
        std::string context, name;
        model::Mark mark;
    };

    void add(Severity severity, const model::Mark& mark, std::string message, std::string suggestion);
    [[nodiscard]] bool full() const { return problems_.size() >= 500; }
    void wrong_type(const Cursor& at, std::string_view wanted);
    std::size_t source_offset(const model::Mark& mark);
    /// Moves the mark to the next `${{` from this offset on; returns the offset after it.
    std::size_t next_expression(std::size_t offset, model::Mark& mark) const;
    std::optional<std::string> scalar(const Cursor& at);

    std::string file_;
    std::string_view source_;
    std::vector<std::size_t> line_starts_;
    std::vector<Diagnostic> problems_;
    std::vector<Reference> references_;
    bool parameters_open_ = false;
    const std::vector<std::string>* contexts_ = nullptr;  ///< none: ours
};

template <class E>
std::optional<E> Builder::enumerator(const Cursor& at) {
    std::vector<std::string_view> allowed;
    for (const auto& entry : EnumText<E>::table) allowed.push_back(entry.second);
    return from_text<E>(choice(at, allowed));
}

template <class Read>
void Builder::each(const Cursor& at, Read read) {
    if (at.kind() != NodeKind::list) {
        if (at.kind() == NodeKind::null)
            error(at, "is empty; give a list", "remove the key if there is nothing to list");
        else
            read(at);
        return;
    }
    for (std::size_t i = 0; i < at.node->items.size(); ++i) read(at.item(i));
}

namespace detail {
template <class T>
using Tables = std::initializer_list<std::span<const Field<T>>>;

template <class T>
const Field<T>* find_field(const Tables<T>& tables, std::string_view name) {
    for (const auto& table : tables)
        for (const auto& field : table)
            if (field.name == name) return &field;
    return nullptr;
}

template <class T>
void add_names(const Tables<T>& tables, std::vector<std::string>& names) {
    for (const auto& table : tables)
        for (const auto& field : table) names.emplace_back(field.name);
}
/// Elements that are told where their keys stand: jobs, stages and the pipeline itself, drafts of them included.
template <class T, class MarkOf>
void note(T& element, std::string_view key, const MarkOf& mark_of) {
    if constexpr (requires { element.key_marks; }) element.key_marks.set(key, mark_of());
    if constexpr (requires { element.stage.key_marks; }) element.stage.key_marks.set(key, mark_of());
    if constexpr (requires { element.pipeline.key_marks; }) element.pipeline.key_marks.set(key, mark_of());
}

}  // namespace detail

template <class T>
void Builder::fields(const Cursor& at, T& into, std::initializer_list<std::span<const Field<T>>> tables,
                     std::string_view what) {
    fields<T, T>(at, into, tables, into, {}, what);
}

template <class T, class U>
void Builder::fields(const Cursor& at, T& into, std::initializer_list<std::span<const Field<T>>> tables, U& inner,
                     std::initializer_list<std::span<const Field<U>>> inner_tables, std::string_view what) {
    if (!is_map(at, what)) return;
    for (const auto& member : at.node->members) {
        const std::string_view key = member.key->text;
        detail::note(into, key, [&] { return mark(Cursor{member.key, &at, key, 0}); });
        if constexpr (!std::is_same_v<T, U>) detail::note(inner, key, [&] { return mark(Cursor{member.key, &at, key, 0}); });
        if (const auto* field = detail::find_field<T>(tables, key)) {
            field->read(*this, at.child(member), into);
        } else if (const auto* inner_field = detail::find_field<U>(inner_tables, key)) {
            inner_field->read(*this, at.child(member), inner);
        } else {
            std::vector<std::string> allowed;
            detail::add_names<T>(tables, allowed);
            detail::add_names<U>(inner_tables, allowed);
            unknown_key(at, *member.key, allowed, what);
        }
    }
}

}  // namespace cicd::pipeline
