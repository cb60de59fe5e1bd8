#pragma once

#include "cli/session.hpp"
#include "common/contract/requests.hpp"
#include "common/model/plan.hpp"

namespace cicd::cli {

/// By the daemon where one runs; else by `cicdd plan`, which needs none and starts nothing. A pipeline that the daemon
/// keeps is asked for there in any case.
Result<model::Plan> make_plan(Session& session, const contract::StartRun& request);
/// As the output asks for; `format` is tree, dot or mermaid.
Result<ExitCode> show_plan(const Session& session, const model::Plan& plan, const std::string& format);

}  // namespace cicd::cli
