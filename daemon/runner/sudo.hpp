#pragma once

namespace cicd::runner {

/// What a job with a writable system has as `sudo`: it is root already, so this only becomes whom it is asked to become and
/// runs the command. Knows the flags that scripts use. Returns the process's exit code where nothing was run.
int run_sudo(int count, char** arguments);

}  // namespace cicd::runner
