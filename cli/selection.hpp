#pragma once

#include "cli/command.hpp"
#include "common/contract/requests.hpp"

#include <array>

namespace cicd::cli {

class Session;

/// What `run` and `plan` share: which pipeline, of what, with which values.
inline constexpr std::array selection_options = std::to_array<Option>({
    {.names = "-f,--file",
     .value = "FILE",
     .help = "The pipeline file; - reads standard input",
     .completes = Completes::file},
    {.names = "--stage", .value = "STAGE", .help = "Only this stage and what it needs; repeat for more", .many = true},
    {.names = "--job", .value = "JOB", .help = "Only this job and what it needs; repeat for more", .many = true},
    {.names = "-p,--param", .value = "KEY=VALUE", .help = "A parameter; VALUE may be @FILE or - (stdin)", .many = true},
    {.names = "--var", .value = "KEY=VALUE", .help = "A variable of the context 'vars'", .many = true},
    {.names = "--commit", .value = "ID", .help = "This commit instead of the working tree"},
    {.names = "--branch", .value = "NAME", .help = "This branch instead of the working tree"},
    {.names = "--tag", .value = "NAME", .help = "This tag instead of the working tree"},
    {.names = "--event", .value = "NAME", .help = "As if by push, pull_request, manual, schedule, …"},
    {.names = "--event-file", .value = "FILE", .help = "What the event tells, as JSON", .completes = Completes::file},
    {.names = "--env", .value = "KEY=VALUE", .help = "A variable below the pipeline's own; repeat for more", .many = true},
    {.names = "--env-file", .value = "FILE", .help = "Such variables, one a line", .completes = Completes::file},
    {.names = "--matrix", .value = "AXIS=VALUE", .help = "Only combinations with this value; repeat for more", .many = true},
    {.names = "--action",
     .value = "NAME=DIR",
     .help = "For the action OWNER/NAME, this folder of the repository",
     .many = true},
    {.names = "--strict", .help = "What cannot run here is an error, not a notice"},
    {.names = "--base", .value = "REV", .help = "What changed paths are counted from; target of a pull request"},
    {.names = "--repository",
     .value = "PATH|URL",
     .help = "Another repository than the one here",
     .completes = Completes::directory},
});

inline constexpr std::array selection_operands = std::to_array<Operand>({
    {.name = "PIPELINE", .required = false, .completes = Completes::pipeline},
});

/// The request that was typed. Without a revision it is about the working tree around the current directory.
Result<contract::StartRun> selection(const Arguments& arguments);

}  // namespace cicd::cli
