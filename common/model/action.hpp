#pragma once

#include "common/model/pipeline.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What `uses:` of a step can name in GitHub's workflows, and what an `action.yml` says.
namespace cicd::model {

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
    Texts outputs;               ///< of composites: expressions over its steps
    std::vector<Step> steps;     ///< composite
    std::string node;                   ///< "20": the version it asks for
    std::string main, pre, post, pre_if, post_if;
    // docker
    std::string image;  ///< "docker://name", or a Dockerfile below the action's folder
    std::string entrypoint, pre_entrypoint, post_entrypoint;
    Strings args;
    Texts env;
};

}  // namespace cicd::model
