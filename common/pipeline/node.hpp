#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

/// A document before it has a meaning: what YAML and JSON have in common, with positions.
namespace cicd::pipeline {

enum class NodeKind { null, boolean, number, text, list, map };

/// "a list", "the number 3": how a node is called in messages.
struct Node {
    struct Member {
        const Node* key;
        const Node* value;
    };

    NodeKind kind = NodeKind::null;
    bool boolean = false;
    bool plain_merge_key = false;  ///< an unquoted `<<`
    bool reference = false;        ///< a list with the tag `!reference`
    int file = 0;                  ///< which of several files it is from, as its reader numbers them
    int line = 0, column = 0;      ///< from 1; 0 where the document was no text
    double number = 0;
    std::string text;  ///< a scalar as it was written
    std::vector<const Node*> items;
    std::vector<Member> members;
    std::size_t weight = 1;  ///< nodes below and including this one, aliases expanded
    int height = 1;

    [[nodiscard]] const Node* find(std::string_view key) const;
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] bool is_scalar() const {
        return kind == NodeKind::boolean || kind == NodeKind::number || kind == NodeKind::text;
    }
};

/// Nodes of one document. Aliases share nodes, so this is a graph without cycles; its expanded size is bounded.
struct Document {
    std::deque<Node> nodes;
    const Node* root = nullptr;  ///< null where the text could not be read
    std::vector<Diagnostic> problems;
};

namespace limits {
constexpr std::size_t bytes = 1024 * 1024;
constexpr int depth = 64;
constexpr std::size_t nodes = 250'000;  ///< aliases and merges expanded
constexpr std::size_t map_keys = 10'000;
}  // namespace limits

/// Where other languages are more tolerant than ours.
struct YamlOptions {
    bool references = false;  ///< lists may have the tag `!reference`
    bool repeated_keys = false;  ///< the last one of a repeated key counts, with a warning; `<<` may be written more than once
    int file = 0;
};
Document load_yaml(std::string_view text, const std::string& file, const YamlOptions& options = {});
Document load_value(const Value& value, const std::string& file);
Value to_value(const Node& node);
/// A scalar as it is read and written again (3.10 is "3.1"), but for numbers whose text `stays` as it is. Empty: it is none.
std::string scalar_text(const Node& node, bool (*stays)(std::string_view text));

/// Gives a plain scalar its kind by YAML 1.2's core schema.
void resolve_plain(Node& node);

}  // namespace cicd::pipeline
