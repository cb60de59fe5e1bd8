#pragma once

#include "common/base/result.hpp"
#include "common/model/run.hpp"

namespace cicd::cli {

/// What a script branches on. The numbers are frozen.
enum class ExitCode : int {
    success = 0,
    failed = 1,          ///< a stage failed; also "there are changes" of `plan --exit-code`
    usage = 2,           ///< wrong usage or an invalid pipeline
    infrastructure = 3,  ///< a job was lost, or a fault of the daemon or the machine
    forbidden = 4,
    not_found = 5,
    blocked = 6,  ///< by approval, window or policy
    conflict = 7,
    running = 8,  ///< there is no verdict yet: asked for without waiting, or the user left the run to itself
    cancelled = 9,
    unreachable = 69,  ///< no daemon
    timeout = 124,
    hung_up = 129,
    interrupted = 130,
    terminated = 143,
};

ExitCode exit_code_of(const Error& error);
/// The verdict on a run, as a code: `running` where it has not ended.
ExitCode exit_code_of(const model::Run& run);

}  // namespace cicd::cli
