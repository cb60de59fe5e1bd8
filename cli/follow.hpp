#pragma once

#include "cli/exit_code.hpp"
#include "cli/render/run_view.hpp"
#include "cli/session.hpp"

#include <optional>

namespace cicd::cli {

struct FollowOptions {
    bool cancel_when_interrupted = false;  ///< Ctrl-C and --timeout end the run, not just the watching
    std::optional<Milliseconds> timeout;
};

/// Shows a run until it has ended and answers with its verdict. Lives through a restart of the daemon.
/// A second Ctrl-C ends the process at once.
Result<ExitCode> follow(Session& session, render::RunProgress& progress, render::RunView& view,
                        const FollowOptions& options);

/// `follow` with the view that the output and the terminal ask for, and the summary in the end.
Result<ExitCode> follow_and_summarise(Session& session, model::Run run, bool as_events, const FollowOptions& options);

}  // namespace cicd::cli
