#pragma once

#include "common/pipeline/parse.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What `uses:` of a step can name, and what an `action.yml` says.
namespace cicd::pipeline::github {

enum class ActionKind {
    local,      ///< ./folder of the workspace
    native,     ///< one that the runner does by itself
    container,  ///< docker://image
    remote,     ///< owner/name@ref, which has to be given
};

struct ActionName {
    ActionKind kind = ActionKind::remote;
    std::string name;  ///< "owner/name", without path and ref
    std::string path;  ///< below it
    std::string ref;
};
ActionName find_action(std::string_view uses);

enum class ActionUsing { composite, node, docker };

struct ActionInput {
    std::string name;
    std::string default_text;  ///< may hold `${{ }}`
    bool has_default = false, required = false;
    std::string deprecation;
};

/// An `action.yml`.
struct Action {
    std::string name;
    ActionUsing how = ActionUsing::composite;
    std::vector<ActionInput> inputs;
    model::Texts outputs;               ///< of composites: expressions over its steps
    std::vector<model::Step> steps;     ///< composite
    std::string node;                   ///< "20": the version it asks for
    std::string main, pre, post, pre_if, post_if;
};

Parsed<Action> parse_action(std::string_view yaml, const std::string& file);

}  // namespace cicd::pipeline::github
