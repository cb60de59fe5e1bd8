#include "common/pipeline/github/reader.hpp"

#include <utility>

namespace cicd::pipeline::github {
namespace {

using model::Job;
using model::Matrix;

void read_combinations(Reader& r, const Cursor& at, std::vector<Value>& list, std::string& expression) {
    if (at.kind() == NodeKind::null) return;
    if (auto whole = r.b.whole_expression(at)) {
        expression = std::move(*whole);
        return;
    }
    r.b.each(at, [&](const Cursor& item) {
        r.count();
        if (r.b.is_map(item, "axis: value")) list.push_back(r.value(item));
    });
}

void read_axis(Reader& r, const Cursor& key, const Cursor& at, Matrix& matrix) {
    model::Axis axis;
    r.count();
    axis.name = r.text(key);
    if (auto whole = r.b.whole_expression(at))
        axis.expression = std::move(*whole);
    else if (at.kind() != NodeKind::null)
        r.b.each(at, [&](const Cursor& item) { axis.values.push_back(r.value(item)); });
    matrix.axes.push_back(std::move(axis));
}

std::optional<Matrix> read_matrix(Reader& r, const Cursor& at) {
    Matrix matrix;
    if (auto whole = r.b.whole_expression(at)) {
        matrix.expression = std::move(*whole);
        return matrix;
    }
    if (!r.b.is_map(at, "axis: [values]")) return std::nullopt;
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        if (member.key->text == "include") {
            r.count();
            read_combinations(r, place, matrix.include, matrix.include_expression);
        } else if (member.key->text == "exclude") {
            r.count();
            read_combinations(r, place, matrix.exclude, matrix.exclude_expression);
        } else {
            read_axis(r, Cursor{member.key, &at, member.key->text, 0}, place, matrix);
        }
    }
    const bool empty = matrix.axes.empty() && matrix.include.empty() && matrix.include_expression.empty();
    if (empty) r.b.error(at, "a matrix needs an axis or 'include'");
    return matrix;
}

constexpr Key<Job> strategy_keys[] = {
    {"matrix", [](Reader& r, const Cursor& c, Job& j) { j.matrix = read_matrix(r, c); }},
    {"fail-fast", [](Reader& r, const Cursor& c, Job& j) { j.fail_fast = r.flag(c); }},
    {"max-parallel",
     [](Reader& r, const Cursor& c, Job& j) {
         if (r.b.whole_expression(c))
             r.approximated(c, "max-parallel", "a limit that an expression gives is not held");
         else
             j.max_parallel = r.b.integer(c, 1, 1'000'000, "a number of jobs", true);
     }},
};

}  // namespace

void read_strategy(Reader& r, const Cursor& at, Job& job) {
    if (at.kind() == NodeKind::null) return;
    if (r.b.whole_expression(at)) {
        r.unsupported(at, "strategy", "a whole strategy from one expression; give 'matrix' an expression instead");
        return;
    }
    r.keys<Job>(at, job, strategy_keys, "strategy");
}

}  // namespace cicd::pipeline::github
