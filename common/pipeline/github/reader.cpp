#include "common/pipeline/github/reader.hpp"

#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace cicd::pipeline::github {
namespace {

/// Digits only: as long as they are, they name something (a build, an account) and are not to be rounded.
bool is_plain_integer(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    return !text.empty() && (text.size() == 1 || text[0] != '0') &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string scalar_text(const Node& node) { return pipeline::scalar_text(node, is_plain_integer); }

}  // namespace

void Reader::find(Carried kind, const Cursor& at, std::string what, std::string reason) {
    report_.findings.push_back({kind, file_, at.node->line, at.node->column, std::move(what), std::move(reason)});
}

std::string Reader::text(const Cursor& at) {
    if (at.kind() == NodeKind::list || at.kind() == NodeKind::map) return b.text(at);  // says what is wrong
    b.check_template(at);
    return scalar_text(*at.node);
}

model::Strings Reader::texts(const Cursor& at) {
    model::Strings list;
    if (at.kind() == NodeKind::null) return list;
    b.each(at, [&](const Cursor& item) { list.push_back(text(item)); });
    return list;
}

model::Texts Reader::text_map(const Cursor& at) {
    model::Texts map;
    if (at.kind() == NodeKind::null) return map;
    if (at.kind() == NodeKind::text && expr::has_expression(at.node->text)) {
        b.check_template(at);
        unsupported(at, "a whole map from one expression", "only its values can be expressions here");
        return map;
    }
    if (!b.is_map(at, "names and texts")) return map;
    for (const auto& member : at.node->members) {
        count();
        map.emplace_back(member.key->text, text(at.child(member)));
    }
    return map;
}

Value Reader::value(const Cursor& at) {
    if (at.kind() == NodeKind::number && !std::isfinite(at.node->number)) return Value(at.node->text);
    return b.value(at);
}

/// Text around `${{ }}` makes a condition a text, which is true unless it is empty.
std::string Reader::condition(const Cursor& at) {
    if (at.kind() == NodeKind::list || at.kind() == NodeKind::map) return b.text(at);
    const std::string written = scalar_text(*at.node);
    const std::string_view found = trim(written);
    if (found.empty()) return {};
    const std::string_view bare = trim(expr::strip_braces(found));
    if (bare != found || !expr::has_expression(found)) {
        b.check_expression(bare, b.mark(at));
        return std::string(bare);
    }
    b.check_template(at);
    b.warning(at, "this condition has text around '${{ }}': it is a text, which is always true",
              "write the whole condition as one expression");
    return as_expression(Value(std::string(found)));
}

model::OrExpression<bool> Reader::flag(const Cursor& at) {
    if (at.kind() == NodeKind::null) return {};
    return b.boolean_or_expression(at);
}

void Reader::minutes(const Cursor& at, std::optional<Milliseconds>& known, std::string& expression) {
    if (auto whole = b.whole_expression(at)) {
        expression = std::move(*whole);
        return;
    }
    if (const auto number = b.number(at, 0, 1e6, "a number of minutes", true); number && *number > 0)
        known = Milliseconds(static_cast<std::int64_t>(*number * 60'000));
}

}  // namespace cicd::pipeline::github
