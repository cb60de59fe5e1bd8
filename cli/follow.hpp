#pragma once

#include "cli/exit_code.hpp"
#include "cli/render/run_view.hpp"
#include "cli/session.hpp"

#include <optional>

namespace cicd::cli {

struct FollowOptions {
    bool cancel_when_interrupted = false;  ///< Ctrl-C and --timeout end the run, not just the watching
    std::optional<Milliseconds> timeout;
    bool logs = true;           ///< log lines are asked for
    bool keys = false;          ///< stdin is a terminal's keyboard: `q` detaches
    bool whole_result = false;  ///< the run is fetched once more at its end, with what events do not tell
};

/// Shows a run until it has ended, with the view that the output and the terminal ask for; then the summary. Answers
/// with its verdict, or `running` where the user left it. Lives through a restart of the daemon.
Result<ExitCode> follow_and_summarise(Session& session, model::Run run, bool as_events, FollowOptions options);

}  // namespace cicd::cli
