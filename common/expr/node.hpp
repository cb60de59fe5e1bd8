#pragma once

#include "common/base/value.hpp"
#include "common/expr/expression.hpp"

#include <string>
#include <vector>

namespace cicd::expr {

enum class NodeKind {
    root,     ///< `name` is the whole text; one child
    literal,  ///< `value`
    context,  ///< `name`
    call,     ///< `name`; children are the arguments
    negate,   ///< one child
    both,     ///< children joined by &&
    either,   ///< children joined by ||
    compare,  ///< children[0] operators[0] children[1] operators[1] …, from left to right
    access,   ///< children[0], then each further child is an index; a `star` child takes all
    star,
};

enum class Comparison { equal, unequal, less, less_equal, greater, greater_equal };

/// A part of a parsed expression. Chains of operators are one flat node, so depth is bounded by the parser's limit.
struct Node {
    NodeKind kind = NodeKind::literal;
    std::string name;
    Value value;
    std::vector<Comparison> operators;
    std::vector<Node> children;
};

/// A function of the language itself; nullptr if there is none of this name.
const Function* built_in(std::string_view name);
/// The injected function of this name, else nullptr.
const Function* find_function(std::span<const Function> functions, std::string_view name);

}  // namespace cicd::expr
