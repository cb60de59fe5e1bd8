#pragma once

#include "common/pipeline/front.hpp"

/// GitHub's workflows, as its documentation describes them: "Workflow syntax for GitHub Actions", "Contexts reference",
/// "Variables reference".
namespace cicd::pipeline::github {

Front read(std::string_view text, const std::string& file, const FrontOptions& options);
model::TriggerType event_type(std::string_view event);

/// The context `github`. What only a job can tell, such as its workspace, is added by whoever runs it.
Object context(const model::Plan& plan, const RunFacts& facts);

/// Of a path below `github`.
bool is_known_before(std::string_view path);

std::optional<std::string> label_refusal(const model::Strings& labels);

/// The names that expressions of a workflow may begin with.
const std::vector<std::string>& context_names();

}  // namespace cicd::pipeline::github
