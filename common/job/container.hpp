#pragma once

#include <string>
#include <utility>
#include <vector>

/// What passes between a runner and `cicd-container JOBDIR [SERVICE]`, which makes the container of the job that
/// JOBDIR/spec.json describes, or of one of its services, and removes it when the runner lets go of the channel or is gone.
/// A service shares the network of its job's container, which is there before; the `root` of a service is then what
/// `image_files` is of the job. On the channel, a packet each, its first byte saying what it is:
///   n TEXT                 a line for the log
///   e JSON                 it could not be made (an Error); the last one
///   p JSON with a socket   the container runs: the other end of the socket is its init. JSON, of a service: what its image
///                          runs, {"entrypoint": […], "command": […], "workingDirectory": ""}
namespace cicd::job {

inline constexpr char container_note = 'n', container_error = 'e', container_place = 'p';
inline constexpr int container_channel_fd = 3;  ///< SOCK_SEQPACKET
inline constexpr int container_login_fd = 4;    ///< "user:password" for the image's registry; may be closed

// What the job sees inside.
inline constexpr const char* container_workspace = "/workspace";
inline constexpr const char* container_files = "/run/cicd";           ///< in memory: scripts, and what steps say
inline constexpr const char* container_init = "/run/.cicd/init";      ///< the runner's program
inline constexpr const char* container_folder = "/run/.cicd/place";   ///< with the socket that its init calls
inline constexpr const char* container_socket = "/run/.cicd/place/socket";

/// `cicd-container --build`: an image from what is in the job's workspace. What the engine prints goes to its standard output.
struct BuildRequest {
    std::string engine, state;
    std::string context = ".";  ///< folder below the workspace
    std::string file;           ///< below the context; empty: Dockerfile, else Containerfile
    std::string target, login, network;
    std::vector<std::string> tags;
    std::vector<std::pair<std::string, std::string>> arguments;
    bool push = false;
    std::vector<std::pair<std::string, std::string>> labels = {};  ///< not passed on: of who builds for a step
};
struct BuildAnswer {
    std::string image, digest;  ///< the image's id; what the registry has, else the engine's own digest of it
    std::string error;          ///< empty: it was built
};
std::string to_text(const BuildRequest& request);
std::string to_text(const BuildAnswer& answer);
BuildRequest read_build_request(const std::string& text);
BuildAnswer read_build_answer(const std::string& text);

inline constexpr int build_request_fd = 3, build_answer_fd = 4, build_workspace_fd = 5, run_network_fd = 6;
/// The exit code of one that ended because it was told to.
inline constexpr int told_to_end = 4;

/// `cicd-container --run JOBDIR`: a container beside the place of the job that JOBDIR/spec.json describes, for one program.
/// What it prints goes to the standard outputs. SIGTERM ends it as the job is ended, with time to do so; SIGINT at once. It is
/// gone when this program has ended.
struct RunRequest {
    struct Mount {
        std::string source, target;
        bool read_only = false;
    };
    std::string image;                     ///< empty: built from
    std::string context, file;             ///< a folder below what the descriptor for a workspace is, and a file in it
    std::string entrypoint;                ///< empty: the image's
    std::vector<std::string> arguments;    ///< none: the image's
    std::vector<std::pair<std::string, std::string>> env;
    std::string directory;                 ///< inside
    std::vector<Mount> mounts;
    bool joins = false;                    ///< the network that the descriptor for one is, which the job shares with its services
};
struct RunAnswer {
    enum class Kind { ended, no_engine, failed } kind = Kind::failed;
    int exit_code = 0;
    std::string error;  ///< unless it ended
};
std::string to_text(const RunRequest& request);
std::string to_text(const RunAnswer& answer);
RunRequest read_run_request(const std::string& text);
RunAnswer read_run_answer(const std::string& text);

}  // namespace cicd::job
