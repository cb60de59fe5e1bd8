#include "common/base/text.hpp"
#include "common/base/value.hpp"
#include "common/pipeline/readers.hpp"

#include <algorithm>

namespace cicd::pipeline {
namespace {

void read_axis(Builder& b, const Cursor& at, model::Matrix& matrix) {
    model::Axis axis;
    axis.name = std::string(at.key);
    if (auto expression = b.whole_expression(at)) {
        axis.expression = std::move(*expression);
    } else if (at.kind() == NodeKind::map) {
        b.error(at, "the matrix axis '" + axis.name + "' must be a list of values or one expression; found a map");
    } else {
        b.each(at, [&](const Cursor& item) {
            if (item.kind() == NodeKind::number && item.node->text.find('.') != std::string::npos &&
                item.node->text.ends_with('0'))
                b.warning(item, item.node->text + " is the number " + number_text(item.node->number),
                          "write \"" + item.node->text + "\" if it is a version");
            axis.values.push_back(b.value(item));
        });
        if (at.kind() == NodeKind::list && axis.values.empty())
            b.error(at, "the matrix axis '" + axis.name + "' has no values");
    }
    matrix.axes.push_back(std::move(axis));
}

void read_combinations(Builder& b, const Cursor& at, std::vector<Value>& list, std::string& expression) {
    if (auto whole = b.whole_expression(at)) {
        expression = std::move(*whole);
        return;
    }
    b.each(at, [&](const Cursor& item) {
        if (b.is_map(item, "axis: value")) list.push_back(b.value(item));
    });
}

void check_excluded(Builder& b, const Cursor& at, const model::Matrix& matrix) {
    std::vector<std::string> names;
    for (const auto& axis : matrix.axes) names.push_back(axis.name);
    b.each(at, [&](const Cursor& item) {
        for (const auto& member : item.node->members)
            if (std::find(names.begin(), names.end(), member.key->text) == names.end())
                b.error(Cursor{member.key, &item, member.key->text, 0},
                        "'exclude' names '" + member.key->text + "', which is no axis of this matrix",
                        did_you_mean(member.key->text, names));
    });
}

}  // namespace

std::optional<model::Matrix> read_matrix(Builder& b, const Cursor& at) {
    model::Matrix matrix;
    if (auto expression = b.whole_expression(at)) {
        matrix.expression = std::move(*expression);
        return matrix;
    }
    if (!b.is_map(at, "axis: [values]")) return std::nullopt;
    const Node::Member* exclude = nullptr;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        const std::string& key = member.key->text;
        if (key == "include") {
            read_combinations(b, place, matrix.include, matrix.include_expression);
        } else if (key == "exclude") {
            read_combinations(b, place, matrix.exclude, matrix.exclude_expression);
            exclude = &member;
        } else if (key == "failFast" || key == "maxParallel") {
            b.error(place, "'" + key + "' stands beside 'matrix', not inside it", "move it one level up");
        } else {
            b.check_name(Cursor{member.key, &at, member.key->text, 0}, key, NameRule::identifier);
            read_axis(b, place, matrix);
        }
    }
    if (matrix.axes.size() > 32)
        b.error(at, "a matrix has at most 32 axes");
    else if (exclude && matrix.exclude_expression.empty())
        check_excluded(b, at.child(*exclude), matrix);
    if (matrix.axes.empty() && matrix.include.empty() && matrix.include_expression.empty())
        b.error(at, "a matrix needs an axis or 'include'");
    return matrix;
}

}  // namespace cicd::pipeline
