#pragma once

#include "common/pipeline/gitlab/tree.hpp"
#include "common/pipeline/gitlab/variables.hpp"

#include <string>

namespace cicd::pipeline::bitbucket {

using gitlab::Reader;
using gitlab::Variables;

/// What the file says outside of its steps.
struct Config {
    const FrontOptions* options = nullptr;
    const Node* root = nullptr;
    Variables variables;
    [[nodiscard]] const Node* definition(std::string_view kind, std::string_view name) const;
    [[nodiscard]] const Node* global(std::string_view key) const { return root->find(key); }
};

/// A step, which is a job of ours; several, each after the one before it, where pipes stand in its script. `waits`: it has to
/// be started by hand.
std::vector<model::Job> read_step(Reader& r, const Config& config, const Node& at, bool& waits);
/// Why a condition does not hold; empty: it does.
std::string condition_refusal(Reader& r, const Config& config, const Node& at);

}  // namespace cicd::pipeline::bitbucket
