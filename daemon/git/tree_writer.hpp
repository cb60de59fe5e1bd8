#pragma once

#include "daemon/git/working_tree.hpp"

#include <deque>
#include <span>

namespace cicd::git {

/// A list of paths as nested git trees: first only hashed, so that a tree that is complete costs no look at its files.
/// Paths are in git's order; "sub/" with mode tree is a tree that the mirror already has whole.
class TreeWriter {
public:
    explicit TreeWriter(std::span<const TreeFile> files);
    [[nodiscard]] const git_oid& id() const { return root_->id; }
    /// Everything below first, then the tree itself.
    Result<void> write(Mirror& mirror, Importer& importer, git_odb* ours);

private:
    struct Node {
        git_oid id{};
        std::string data;
        std::vector<Node*> trees;
        std::vector<const TreeFile*> files;
    };
    Node* build(std::size_t first, std::size_t last, std::size_t prefix);
    Result<void> write(const Node& node, Mirror& mirror, Importer& importer, git_odb* ours);

    std::span<const TreeFile> files_;
    std::deque<Node> nodes_;
    Node* root_;
};

}  // namespace cicd::git
