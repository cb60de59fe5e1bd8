#pragma once

#include "common/pipeline/gitlab/tree.hpp"
#include "common/pipeline/gitlab/variables.hpp"

#include <optional>
#include <string>
#include <vector>

/// What GitLab decides when it creates a pipeline: which jobs there are, and how they start.
namespace cicd::pipeline::gitlab {

/// What is decided by, for a file.
struct Setting {
    Reader& r;
    const FrontOptions& options;
    std::string event;  ///< CI_PIPELINE_SOURCE
    std::string tag, branch;
};

struct IfResult {
    bool holds = false;
    std::string because;  ///< "CI_COMMIT_BRANCH = \"x\"": the variables that it reads
};
/// An expression of `rules:if`, such as $A == "b" && $C =~ /^v/.
Result<IfResult> evaluate_if(std::string_view expression, const Variables& variables);

enum class When { on_success, on_failure, always, manual, delayed, never };

/// How a job takes part.
struct Outcome {
    When when = When::on_success;
    std::string reason;  ///< of `never`
    bool by_rule = false;
    std::optional<bool> allow_failure;
    std::vector<int> allowed_exit_codes;  ///< ... else a failure with one of these
    Variables variables;            ///< of the rule
    const Node* needs = nullptr;    ///< of the rule
    const Node* interruptible = nullptr;
    std::string start_in;
};

std::optional<When> when_of(Reader& r, const Node& at);
/// What a rule says where it applies.
Outcome outcome_of(const Setting& setting, const Node& rule);
/// The first rule that applies; `never` where none does.
Outcome decide_rules(const Setting& setting, const Node& rules, const Variables& variables, const std::string& of);
/// `only` and `except`, either of which may be null.
Outcome decide_only(const Setting& setting, const Node* only, const Node* except, const Variables& variables);
/// A map of names and values, each of which may have a description.
Variables read_variables(Reader& r, const Node& at);

}  // namespace cicd::pipeline::gitlab
