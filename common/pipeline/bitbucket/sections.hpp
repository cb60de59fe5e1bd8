#pragma once

#include "common/pipeline/gitlab/tree.hpp"

#include <string>
#include <vector>

/// The pipelines of a file: `default`, and those of `branches`, `tags`, `pull-requests` and `custom`, each by a name.
namespace cicd::pipeline::bitbucket {

struct Section {
    enum class Kind { usual, branch, tag, pull_request, custom } kind = Kind::usual;
    std::string name;             ///< a branch, a tag or a pattern of them
    std::string part;             ///< how it is called among all of the file: branches-main
    const Node* value = nullptr;  ///< its steps
};

std::vector<Section> sections_of(const Node& pipelines);
/// The event that it is for, as a run of the file itself names it.
std::string event_of(const Section& section);

/// What starts it, and no other of the file: the very name counts before patterns, and these in their order.
model::Trigger trigger_of(const Section& section, const std::vector<Section>& all, const model::Mark& mark);
/// Of one for pull requests, whose names are those of their own branches: what has to hold; empty where any is meant.
/// `told` is set where a pattern cannot be asked for.
std::string condition_of(const Section& section, const std::vector<Section>& all, std::string& told);

}  // namespace cicd::pipeline::bitbucket
