#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What the runner and its `init`, the first process of the job's place, say to each other: one fixed-size packet each.
namespace cicd::runner {

struct Command {
    enum class Kind : std::uint8_t {
        start,        ///< with three descriptors: Program's bytes, stdout, stderr
        probe,        ///< beside the programs that run, with two: Program's bytes, and where both outputs go
        listen,       ///< on a port of the loopback device that the place sees
        signal_program, ///< `number` to the process of `program` and all below it
        signal_all,   ///< `number` to every process of the job
        finish,       ///< kill and reap everything, answer, end
    } kind = Kind::finish;
    std::int32_t number = 0;
    std::uint32_t program = 0;  ///< which of those that run, as whoever started it calls it
};

struct Event {
    enum class Kind : std::uint8_t {
        ready,     ///< with a descriptor of the workspace; of a container also with what is found there
        started,   ///< `pid`
        refused,   ///< the program did not start: `stage`, `number` is errno
        no_files,  ///< nor did it where its files could not be written: `number` is errno
        ended,     ///< `number` is the wait status; usage of the program; with descriptors of what is given back
        probed,    ///< `number` is its wait status
        listening, ///< with a descriptor of the socket; without one `number` is errno
        finished,  ///< nothing is left; usage of the whole job
    } kind = Kind::ready;
    std::uint8_t stage = 0;  ///< os::SpawnFailure::Stage
    std::uint8_t files = 0;  ///< ended: a bit for each file given back, the first is 1; a file that is not there any more has 0
    std::int32_t pid = 0;
    std::int32_t number = 0;
    std::uint32_t program = 0;  ///< started, refused, no_files, ended: which
    std::int64_t cpu_us = 0, peak_bytes = 0;
};

struct Program {
    struct File {
        std::string path, text;
        int mode = 0644;
        bool given_back = false;  ///< open, when the program has ended; at most eight are
    };
    std::vector<std::string> argv, env;
    std::string cwd;
    std::vector<File> files;  ///< made anew before it starts, where it lives: they need not touch a disk
};

std::string pack(const Program& program);
Result<Program> unpack(std::string_view bytes);

/// The descriptor on which `init` finds its socket.
constexpr int control_fd = 3;

/// Runs as the first process of a sandbox, or as the reaper of a host job. Returns the process's exit code.
int run_init();
/// As the first process of a container: calls at `socket`, and tells what it finds there (a packed Program: its argv names
/// the shell, its env is its own). No file may become larger than `largest_file`; 0: any size.
int run_container_init(const char* socket, std::uint64_t largest_file);

}  // namespace cicd::runner
