#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/os/spaces.hpp"
#include "daemon/os/spawn.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace cicd::runner {

/// The network that a job and its services are in. Nobody else is; the way out, where the job may have one, is slirp4netns,
/// which leaves with this process.
class Network {
public:
    static Result<Network> open(const model::JobSpec& spec);
    Network(Network&& other) noexcept
        : names_(std::move(other.names_)), weakness_(std::move(other.weakness_)), space_(std::move(other.space_)),
          way_out_(std::exchange(other.way_out_, 0)) {}
    Network& operator=(Network&&) = delete;
    ~Network();

    void put_on(os::SpawnOptions& options) const;
    /// What a place in it has as /etc/hosts and as /etc/resolv.conf; nothing where no name outside can be asked for.
    [[nodiscard]] std::string hosts() const;
    Result<std::filesystem::path> hosts_file(const std::filesystem::path& job_directory) const;
    [[nodiscard]] std::optional<std::string> resolver() const;
    /// Why there is no way out although the job may have one; empty: there is, or it may not.
    [[nodiscard]] const std::string& weakness() const { return weakness_; }

private:
    Network() = default;
    Result<void> open_way_out();

    model::Strings names_;  ///< of the services
    std::string weakness_;
    os::NetworkSpace space_;
    int way_out_ = 0;  ///< a pid
};

}  // namespace cicd::runner
