#include "common/base/text.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>

/// A matrix as GitHub expands it: the product of the axes, less `exclude`, then `include` in order: an entry is merged
/// into every combination whose axis values it does not change, and stands alone where there is none.
namespace cicd::planner {

namespace {

constexpr std::size_t most_combinations = 256;

struct Resolved {
    std::vector<model::Axis> axes;
    std::vector<Value> include, exclude;
};

Error wrong(const std::string& what) { return invalid("PIPELINE_006", what); }

Result<Value> evaluate(const std::string& expression, const Object& contexts) {
    auto value = expr::evaluate_template(
        expr::has_expression(expression) ? expression : "${{ " + expression + " }}", {contexts, {}});
    if (!value) return std::move(value.error()).within("matrix");
    return value;
}

Result<std::vector<Value>> as_list(const Value& value, const std::string& what) {
    if (!value.is_array()) return wrong("matrix: " + what + " must be a list");
    return value.as_array();
}

Result<std::string> key_text(const std::string& key, const Object& contexts) {
    if (!expr::has_expression(key)) return key;
    auto text = expr::interpolate(key, {contexts, {}});
    if (!text) return std::move(text.error()).within("matrix");
    return text;
}

/// A key `${{ insert }}`, of which the value's members take the place.
bool is_insert(const std::string& key) {
    return expr::has_expression(key) && trim(expr::strip_braces(trim(key))) == "insert";
}

/// Texts inside a value are evaluated, at any depth, and keys that hold expressions.
Result<Value> evaluate_inside(const Value& value, const Object& contexts) {
    if (value.is_string() && expr::has_expression(value.as_string())) return evaluate(value.as_string(), contexts);
    if (value.is_array()) {
        Array items;
        for (const auto& item : value.as_array()) {
            CICD_TRY(auto inner, evaluate_inside(item, contexts));
            items.push_back(std::move(inner));
        }
        return Value(std::move(items));
    }
    if (value.is_object()) {
        Object members;
        for (const auto& [key, item] : value.as_object()) {
            CICD_TRY(auto inner, evaluate_inside(item, contexts));
            if (is_insert(key)) {
                if (!inner.is_object()) return wrong("matrix: ${{ insert }} takes an object");
                for (const auto& [inserted, each] : inner.as_object()) members.set(inserted, each);
                continue;
            }
            CICD_TRY(auto name, key_text(key, contexts));
            members.set(std::move(name), std::move(inner));
        }
        return Value(std::move(members));
    }
    return value;
}

bool is_static_value(const Value& value) {
    if (value.is_string()) return is_static(value.as_string());
    if (value.is_array())
        return std::all_of(value.as_array().begin(), value.as_array().end(), is_static_value);
    if (value.is_object())
        return std::all_of(value.as_object().begin(), value.as_object().end(),
                           [](const auto& member) {
                               return (is_insert(member.first) || is_static(member.first)) && is_static_value(member.second);
                           });
    return true;
}

bool is_static_matrix(const model::Matrix& matrix) {
    const auto all = [](const auto& values) { return std::all_of(values.begin(), values.end(), is_static_value); };
    return is_static(matrix.expression) && is_static(matrix.include_expression) && is_static(matrix.exclude_expression) &&
           all(matrix.include) && all(matrix.exclude) &&
           std::all_of(matrix.axes.begin(), matrix.axes.end(),
                       [&](const model::Axis& axis) { return is_static(axis.name) && is_static(axis.expression) && all(axis.values); });
}

Result<Resolved> resolve_whole(const Value& value) {
    if (!value.is_object()) return wrong("matrix: the expression must give an object, such as {\"os\": [\"a\", \"b\"]}");
    Resolved resolved;
    for (const auto& [key, member] : value.as_object()) {
        CICD_TRY(auto list, as_list(member, "'" + key + "'"));
        if (key == "include")
            resolved.include = std::move(list);
        else if (key == "exclude")
            resolved.exclude = std::move(list);
        else
            resolved.axes.push_back({key, std::move(list), {}});
    }
    return resolved;
}

Result<std::vector<Value>> resolve_list(const std::vector<Value>& values, const std::string& expression,
                                        const Object& contexts, const std::string& what) {
    if (!expression.empty()) {
        CICD_TRY(const auto value, evaluate(expression, contexts));
        return as_list(value, what);
    }
    CICD_TRY(const auto inner, evaluate_inside(Value(Array(values)), contexts));
    return inner.as_array();
}

Result<Resolved> resolve(const model::Matrix& matrix, const Object& contexts) {
    if (!matrix.expression.empty()) {
        CICD_TRY(const auto value, evaluate(matrix.expression, contexts));
        return resolve_whole(value);
    }
    Resolved resolved;
    for (const auto& axis : matrix.axes) {
        CICD_TRY(auto values, resolve_list(axis.values, axis.expression, contexts, "the axis '" + axis.name + "'"));
        CICD_TRY(auto name, key_text(axis.name, contexts));
        resolved.axes.push_back({std::move(name), std::move(values), {}});
    }
    CICD_TRY(resolved.include, resolve_list(matrix.include, matrix.include_expression, contexts, "'include'"));
    CICD_TRY(resolved.exclude, resolve_list(matrix.exclude, matrix.exclude_expression, contexts, "'exclude'"));
    return resolved;
}

/// Objects match in part: every member named must be there with that value.
bool matches(const Value& actual, const Value& wanted) {
    if (actual.is_object() && wanted.is_object())
        return std::all_of(wanted.as_object().begin(), wanted.as_object().end(),
                           [&](const auto& member) { return matches(actual[member.first], member.second); });
    return actual == wanted;
}

std::vector<Object> product(const std::vector<model::Axis>& axes) {
    std::vector<Object> all;
    if (axes.empty()) return all;
    all.emplace_back();
    for (const auto& axis : axes) {
        std::vector<Object> next;
        for (const auto& partial : all)
            for (const auto& value : axis.values) {
                next.push_back(partial);
                next.back().set(axis.name, value);
                if (next.size() > most_combinations * 16) return next;
            }
        all = std::move(next);
    }
    return all;
}

Result<std::vector<Object>> combine(const Resolved& matrix) {
    auto all = product(matrix.axes);
    std::erase_if(all, [&](const Object& combination) {
        return std::any_of(matrix.exclude.begin(), matrix.exclude.end(), [&](const Value& excluded) {
            return excluded.is_object() && matches(Value(combination), excluded);
        });
    });
    const std::size_t originals = all.size();
    const auto is_axis = [&](const std::string& name) {
        return std::any_of(matrix.axes.begin(), matrix.axes.end(), [&](const auto& axis) { return axis.name == name; });
    };
    for (const auto& entry : matrix.include) {
        if (!entry.is_object()) return wrong("matrix: each entry of 'include' must be an object");
        bool merged = false;
        for (std::size_t i = 0; i < originals; ++i) {
            const bool fits = std::all_of(entry.as_object().begin(), entry.as_object().end(), [&](const auto& member) {
                return !is_axis(member.first) || *all[i].find(member.first) == member.second;
            });
            if (!fits) continue;
            merged = true;
            for (const auto& [key, value] : entry.as_object()) all[i].set(key, value);
        }
        if (!merged) all.push_back(entry.as_object());
    }
    if (all.size() > most_combinations)
        return wrong("matrix: more than " + std::to_string(most_combinations) + " combinations");
    return all;
}

std::string text_of(const Value& value) {
    if (value.is_array() || value.is_object()) {
        std::vector<std::string> parts;
        if (value.is_array())
            for (const auto& item : value.as_array()) parts.push_back(text_of(item));
        else
            for (const auto& [key, item] : value.as_object()) parts.push_back(text_of(item));
        return join(parts, ", ");
    }
    return expr::to_display_text(value);
}

}  // namespace

Result<std::optional<std::vector<Object>>> matrix_combinations(const model::Matrix& matrix, const Object& contexts,
                                                               bool needs_known) {
    if (!needs_known && !is_static_matrix(matrix)) return std::optional<std::vector<Object>>{};
    CICD_TRY(const auto resolved, resolve(matrix, contexts));
    CICD_TRY(auto all, combine(resolved));
    return std::optional(std::move(all));
}

std::vector<Object> choose_combinations(std::vector<Object> all, const std::vector<std::pair<std::string, std::string>>& wanted) {
    std::erase_if(all, [&](const Object& combination) {
        return std::any_of(combination.begin(), combination.end(), [&](const auto& member) {
            bool named = false, fits = false;
            for (const auto& [axis, values] : wanted)
                if (axis == member.first) {
                    const auto lines = split(values, '\n');
                    named = true;
                    fits = fits || std::find(lines.begin(), lines.end(), text_of(member.second)) != lines.end();
                }
            return named && !fits;
        });
    });
    return all;
}

std::vector<model::PlannedJob> expand_combinations(const model::PlannedJob& job, const std::vector<Object>& combinations) {
    std::vector<model::PlannedJob> jobs;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < combinations.size(); ++i) {
        model::PlannedJob each = job;
        std::vector<std::string> parts;
        for (const auto& [name, value] : combinations[i]) parts.push_back(text_of(value));
        std::string suffix = " (" + join(parts, ", ") + ")";
        // Two combinations that look the same are told apart by their number.
        if (std::find(keys.begin(), keys.end(), suffix) != keys.end()) suffix += " #" + std::to_string(i + 1);
        keys.push_back(suffix);
        each.key = job.base + suffix;
        each.name = job.job.name + suffix;
        each.matrix = Value(combinations[i]);
        each.matrix_index = static_cast<int>(i);
        each.matrix_total = static_cast<int>(combinations.size());
        each.expand_later = false;
        each.job.matrix.reset();
        jobs.push_back(std::move(each));
    }
    return jobs;
}

Result<std::vector<model::PlannedJob>> expand_matrix(const model::PlannedJob& job, const Object& contexts) {
    if (!job.job.matrix) return std::vector{job};
    CICD_TRY(const auto combinations, matrix_combinations(*job.job.matrix, contexts, true));
    if (combinations->empty())
        return wrong("the matrix of '" + job.base + "' has no combinations");
    auto jobs = expand_combinations(job, *combinations);
    for (auto& each : jobs) {
        auto known = contexts;
        known.set("matrix", each.matrix);
        if (auto refused = place_refusal(each.job, known))
            each.reason = {model::Decision::skip, std::move(*refused)};
    }
    return jobs;
}

namespace {

model::Strings labels_of(const model::Job& job, const Object& contexts) {
    model::Strings labels;
    for (const auto& text : job.runs_on) {
        const auto value = expr::evaluate_template(text, {contexts, {}});
        if (!value) continue;
        if (value->is_array())
            for (const auto& label : value->as_array()) labels.push_back(expr::to_display_text(label));
        else
            labels.push_back(expr::to_display_text(*value));
    }
    return labels;
}

}  // namespace

void settle_labels(model::Job& job, const Object& contexts, const model::Texts& map) {
    for (const auto& label : labels_of(job, contexts)) {
        const auto same = [&](const auto& entry) { return to_lower(entry.first) == to_lower(label); };
        const auto found = std::find_if(map.begin(), map.end(), same);
        if (found == map.end()) continue;
        job.runs_on.clear();
        if (found->second == "none") {
            job.unavailable = "runs-on: " + label + ": the configuration gives it no place";
        } else if (found->second != "machine" && !job.image) {
            job.image.emplace();
            job.image->name = found->second;
        }
        return;
    }
}

std::optional<std::string> place_refusal(const model::Job& job, const Object& contexts) {
    if (!job.unavailable.empty()) return job.unavailable;
    const auto labels = labels_of(job, contexts);
    return pipeline::label_refusal(labels.empty() ? model::Dialect::native : model::Dialect::github, labels);
}

}  // namespace cicd::planner
