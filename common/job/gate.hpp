#pragma once

/// A runner may be started before its job's turn: it makes the job's place and then waits at a socket, `--gate-fd N`.
/// One byte lets it go on; where the job has secrets, the end of a pipe that holds them (see secrets.hpp) comes with it.
/// The socket's end means that the job is not wanted, and then it leaves as if it had not been there. So a daemon that dies
/// takes the runners that it holds back with it, and nothing else.
///
/// The job directory is locked by who starts the runner (lock_for_runner), which inherits the lock, `--lock-fd N`; a spare gets
/// it with the packet that tells it whose it is.
namespace cicd::job {

inline constexpr char gate_open = 'g';         ///< go on with spec.json as it was
inline constexpr char gate_open_anew = 'n';    ///< read spec.json again first; the place is the same
inline constexpr int gate_fd = 3, lock_fd = 4;

}  // namespace cicd::job
