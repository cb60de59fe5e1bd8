#include "common/base/text.hpp"
#include "common/expr/case_fold.hpp"
#include "common/expr/coerce.hpp"
#include "common/expr/node.hpp"

#include <algorithm>
#include <cmath>

namespace cicd::expr {
namespace {

/// A value, and whether it is what a `*` selected: indexes then apply to each of its items.
struct Outcome {
    Value value;
    bool filtered = false;
};

/// An index as both arrays and objects read it.
struct Index {
    bool star = false;
    std::optional<std::string> key;
    std::optional<std::size_t> position;
};

Index to_index(const Value& value) {
    Index index;
    if (is_primitive(value)) index.key = to_display_text(value);
    const double number = to_number(value);
    if (number >= 0 && number < 9e15) index.position = static_cast<std::size_t>(number);
    return index;
}

const Value* member(const Object& object, std::string_view key) {
    if (const Value* exact = object.find(key)) return exact;
    for (const auto& [name, value] : object)
        if (same_text(name, key)) return &value;
    return nullptr;
}

/// What an index selects of one value, added to `selected`; nothing where it does not fit.
void select(const Value& from, const Index& index, Array& selected) {
    if (from.is_array()) {
        const auto& items = from.as_array();
        if (index.star)
            selected.insert(selected.end(), items.begin(), items.end());
        else if (index.position && *index.position < items.size())
            selected.push_back(items[*index.position]);
    } else if (from.is_object()) {
        if (index.star) {
            for (const auto& entry : from.as_object()) selected.push_back(entry.second);
        } else if (const Value* found = index.key ? member(from.as_object(), *index.key) : nullptr) {
            selected.push_back(*found);
        }
    }
}

class Evaluator {
public:
    explicit Evaluator(const Scope& scope) : scope_(scope) {}

    Result<Outcome> run(const Node& node) const {
        switch (node.kind) {
            case NodeKind::root: return run(node.children[0]);
            case NodeKind::literal: return Outcome{node.value};
            case NodeKind::star: return Outcome{};
            case NodeKind::context: {
                const Value* found = member(scope_.contexts, node.name);
                return Outcome{found ? *found : Value()};
            }
            case NodeKind::call: return call(node);
            case NodeKind::negate: {
                CICD_TRY(const auto operand, run(node.children[0]));
                return Outcome{Value(!is_truthy(operand.value))};
            }
            case NodeKind::both:
            case NodeKind::either: return logical(node);
            case NodeKind::compare: return compare(node);
            case NodeKind::access: return access(node);
        }
        return Outcome{};
    }

private:
    /// The operand that decides, or the last one.
    Result<Outcome> logical(const Node& node) const {
        Outcome result;
        for (const auto& child : node.children) {
            CICD_TRY(result, run(child));
            if (is_truthy(result.value) == (node.kind == NodeKind::either)) break;
        }
        return result;
    }

    Result<Outcome> compare(const Node& node) const {
        CICD_TRY(auto left, run(node.children[0]));
        for (std::size_t i = 0; i < node.operators.size(); ++i) {
            CICD_TRY(const auto right, run(node.children[i + 1]));
            left = Outcome{Value(holds(left.value, node.operators[i], right.value))};
        }
        return left;
    }

    static bool holds(const Value& left, Comparison operation, const Value& right) {
        switch (operation) {
            case Comparison::equal: return loosely_equal(left, right);
            case Comparison::unequal: return !loosely_equal(left, right);
            case Comparison::less: return less(left, right);
            case Comparison::less_equal: return loosely_equal(left, right) || less(left, right);
            case Comparison::greater: return less(right, left);
            case Comparison::greater_equal: return loosely_equal(left, right) || less(right, left);
        }
        return false;
    }

    Result<Outcome> access(const Node& node) const {
        // An index is evaluated before what it is applied to, so the last one comes first.
        std::vector<Index> indexes(node.children.size());
        for (std::size_t i = node.children.size() - 1; i > 0; --i) {
            if (node.children[i].kind == NodeKind::star) {
                indexes[i].star = true;
                continue;
            }
            auto index = run(node.children[i]);
            if (!index) return std::move(index).error().within("could not evaluate index for index access");
            indexes[i] = to_index(index->value);
        }
        CICD_TRY(auto current, run(node.children[0]));
        for (std::size_t i = 1; i < indexes.size(); ++i) current = apply(current, indexes[i]);
        return current;
    }

    static Outcome apply(const Outcome& from, const Index& index) {
        Array selected;
        if (from.filtered) {
            for (const auto& item : from.value.as_array()) select(item, index, selected);
        } else {
            select(from.value, index, selected);
        }
        if (from.filtered || index.star) return {Value(std::move(selected)), true};
        return selected.empty() ? Outcome{} : Outcome{std::move(selected[0])};
    }

    Result<Outcome> call(const Node& node) const {
        Array arguments;
        arguments.reserve(node.children.size());
        for (const auto& child : node.children) {
            CICD_TRY(auto argument, run(child));
            arguments.push_back(std::move(argument.value));
        }
        const Function* function = find_function(scope_.functions, node.name);
        if (!function) function = built_in(node.name);
        if (!function || !function->call) return invalid("EXPR_003", "Unrecognized function: '" + node.name + "'");
        CICD_TRY(auto value, function->call(arguments));
        return Outcome{std::move(value)};
    }

    const Scope& scope_;
};

void collect_calls(const Node& node, std::span<const std::string_view> names, bool& found) {
    if (node.kind == NodeKind::call)
        found |= std::any_of(names.begin(), names.end(), [&](std::string_view name) { return same_text(name, node.name); });
    for (const auto& child : node.children) collect_calls(child, names, found);
}

void add_unique(std::vector<std::string>& paths, std::string path) {
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
}

void collect_references(const Node& node, std::vector<std::string>& paths) {
    if (node.kind == NodeKind::context) return add_unique(paths, node.name);
    std::size_t first = 0;
    if (node.kind == NodeKind::access && node.children[0].kind == NodeKind::context) {
        std::string path = node.children[0].name;
        for (std::size_t i = 1; i < node.children.size(); ++i) {
            const auto& step = node.children[i];
            if (step.kind != NodeKind::literal || !step.value.is_string()) break;
            path += "." + step.value.as_string();
        }
        add_unique(paths, std::move(path));
        first = 1;
    }
    for (std::size_t i = first; i < node.children.size(); ++i) collect_references(node.children[i], paths);
}

}  // namespace

Result<Value> Expression::evaluate(const Scope& scope) const {
    if (!root_) return internal_error("an expression that was never parsed cannot be evaluated");
    auto outcome = Evaluator(scope).run(*root_);
    if (outcome) return std::move(outcome->value);
    Error error = std::move(outcome).error();
    if (error.code.empty() || error.code == "EXPR_003") {
        error.code = "EXPR_003";
        error.message = to_valid_utf8(error.message + ". Located within expression: " + root_->name);
    }
    return error;
}

bool Expression::calls(std::span<const std::string_view> names) const {
    bool found = false;
    if (root_) collect_calls(*root_, names, found);
    return found;
}

std::vector<std::string> Expression::references() const {
    std::vector<std::string> paths;
    if (root_) collect_references(*root_, paths);
    return paths;
}

Result<Value> evaluate(std::string_view expression, const Scope& scope) {
    std::vector<std::string> names;
    names.reserve(scope.contexts.size());
    for (const auto& context : scope.contexts) names.push_back(context.first);
    CICD_TRY(const auto parsed, Expression::parse(expression, names, scope.functions));
    return parsed.evaluate(scope);
}

}  // namespace cicd::expr
