#pragma once

#include "common/base/result.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/os/enclosure.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/control.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/network.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Where a job's processes live: one for all its steps, so that /tmp and background processes go on from step to step.
namespace cicd::runner {

/// The workspace as the runner sees it, and what the steps see.
struct Folders {
    std::filesystem::path workspace;
    std::string inner_workspace;
    unsigned owner = 0;       ///< to whom files there have to belong, where that is not the one who runs the daemon
    std::string inner_files;  ///< where their scripts are, and the files by which they speak to later steps
};

/// What a place says, and the files that come with it: one that is not there any more is empty.
struct Told {
    Event event;
    std::vector<os::Fd> files;
    std::optional<std::string> note;  ///< no event, but a line for the log; an empty one is none
};

/// What the steps of a container find in it.
struct Inside {
    model::Texts env;
    bool has_bash = false;
    // Of a service: what its image runs.
    model::Strings entrypoint, command;
    std::string working_directory;
};

/// Where a job of the host executor has its scripts and files.
std::filesystem::path host_files(const std::filesystem::path& job_directory);

class Place {
public:
    /// Starts the place; it is ready when its first event says so.
    /// `network`: where it shares one with services.
    static Result<Place> open(const model::JobSpec& spec, const std::filesystem::path& job_directory, const Limits& limits,
                              const Network* network = nullptr);
    /// One of the job's services: in its image, or in a sandbox with the files of the workspace as they were. Of a job in a
    /// container it is one too, which is asked for with the `login` for its image's registry; `network` is where it is none.
    static Result<Place> open_beside(const model::JobSpec& job, const model::JobService& service,
                                     const std::filesystem::path& job_directory, const Limits& limits, const Network* network,
                                     const std::string& login = {});
    /// The place of a job of which nothing is known yet but that it is an ordinary one: in the sandbox, without limits, with
    /// the host's network. Waits at `gate` for its workspace; see common/job/spare.hpp.
    static Result<Place> await(const std::filesystem::path& cache, const Limits& limits, int gate);
    /// Makes an awaited place, which was told of `workspace`, that of the job. False: it would look otherwise if it were made
    /// now.
    Result<bool> settle(const os::Enclosure::Entry& workspace, const model::JobSpec& spec,
                        const std::filesystem::path& job_directory);
    /// Asks for the container of a place that is one: not before the job's turn, as its image may have to be pulled. `login`
    /// is "user:password" for the image's registry. `service`: its container, not the job's.
    Result<void> begin(const std::filesystem::path& job_directory, const std::string& login, const std::string& service = {});
    Place(Place&& other) noexcept
        : folders_(std::move(other.folders_)), isolated_(other.isolated_), container_(other.container_), ready_(other.ready_),
          socket_(std::move(other.socket_)), channel_(std::move(other.channel_)), inside_(std::move(other.inside_)),
          complaints_(std::move(other.complaints_)),
          etc_lock_(std::move(other.etc_lock_)), layer_locks_(std::move(other.layer_locks_)),
          workspace_(std::move(other.workspace_)), keeps_folder_(other.keeps_folder_), entries_(std::move(other.entries_)), pid_(std::exchange(other.pid_, 0)) {}
    Place& operator=(Place&&) = delete;
    /// Kills what is left and waits for it.
    ~Place();

    [[nodiscard]] const Folders& folders() const { return folders_; }
    [[nodiscard]] bool isolated() const { return isolated_; }
    [[nodiscard]] bool is_container() const { return container_; }
    /// Of a container: it is on its way until somebody has made it.
    [[nodiscard]] bool is_there() const { return !container_ || socket_; }
    /// Of a container: it goes, and is waited for only when this object goes.
    void let_go();
    /// Of a container that is ready.
    [[nodiscard]] const Inside& inside() const { return inside_; }
    /// Of a container that is ready: its first process, as this machine sees it.
    [[nodiscard]] int first_pid() const;
    /// Of a container that is ready: its user may write in the workspace, whoever that is.
    Result<void> open_workspace() const;
    /// Readable when an event can be received.
    [[nodiscard]] int events_fd() const { return container_ && !socket_ ? channel_.get() : socket_.get(); }
    /// Fails (kind unavailable) where the place has broken down; the message is what its set-up said about it.
    Result<Told> next_event();
    /// `number` is what it is called from now on: several may run.
    Result<void> start(std::uint32_t number, const Program& program, int out, int err);
    /// Beside what was started; one at a time.
    Result<void> probe(const Program& program, int output);
    /// Asks for a socket that listens on its loopback device; an event brings it.
    void listen();
    void signal_program(std::uint32_t program, int number);
    void signal_all(int number);
    void finish();

private:
    Place() = default;
    Result<os::SpawnOptions> connect(os::Fd& socket, os::Fd& complaints);
    /// What it writes into its root lies in `layers`/root.
    Result<void> start_sandbox(const model::JobSpec& spec, const std::filesystem::path& job_directory,
                               const std::filesystem::path& layers, const Limits& limits, const Network* network,
                               os::SpawnOptions& options);
    void command(Command::Kind kind, int number, std::uint32_t program = 0);
    Error broken();
    Result<Told> next_of_channel();
    Result<void> read_image(std::string_view json);
    void look_inside(const os::Fd& facts);
    void end_container();

    Folders folders_;
    bool isolated_ = false, container_ = false, ready_ = false;
    os::Fd socket_;
    os::Fd channel_;  ///< of a container: to cicd-container, whose pid is `pid_`
    Inside inside_;
    os::Fd complaints_, etc_lock_;
    std::vector<os::Fd> layer_locks_;
    os::Fd workspace_;  ///< where it is an overlay: what the job sees
    bool keeps_folder_ = false;  ///< the workspace is seen with other owners inside
    std::vector<os::Enclosure::Entry> entries_;  ///< awaited: what it was made of
    int pid_ = 0;
};

}  // namespace cicd::runner
