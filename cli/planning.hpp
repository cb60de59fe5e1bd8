#pragma once

#include "cli/session.hpp"
#include "common/contract/requests.hpp"
#include "common/model/plan.hpp"

namespace cicd::cli {

/// By `cicdd plan`, which needs no daemon and starts nothing. Only a pipeline that the daemon keeps is asked for there.
Result<model::Plan> make_plan(Session& session, const contract::StartRun& request);
/// As the output asks for; `format` is tree, dot or mermaid.
Result<ExitCode> show_plan(const Session& session, const model::Plan& plan, const std::string& format);

}  // namespace cicd::cli
