#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/os/spaces.hpp"
#include "daemon/os/spawn.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace cicd::runner {

/// What a job and its services have as /etc/hosts: they share one network, so every name leads to themselves.
std::string hosts_of(const model::JobSpec& spec);
Result<std::filesystem::path> write_hosts(const std::filesystem::path& job_directory, const std::string& hosts);

/// The network that a job and its services are in. Nobody else is; the way out, where the job may have one, is slirp4netns,
/// which leaves with this process.
class Network {
public:
    static Result<Network> open(const model::JobSpec& spec);
    Network(Network&& other) noexcept
        : hosts_(std::move(other.hosts_)), weakness_(std::move(other.weakness_)), space_(std::move(other.space_)),
          way_out_(std::exchange(other.way_out_, 0)) {}
    Network& operator=(Network&&) = delete;
    ~Network();

    void put_on(os::SpawnOptions& options) const;
    /// The network namespace, for whoever is to join it.
    [[nodiscard]] int descriptor() const { return space_.network.get(); }
    /// What a place in it has as /etc/hosts and as /etc/resolv.conf; nothing where no name outside can be asked for.
    [[nodiscard]] const std::string& hosts() const { return hosts_; }
    [[nodiscard]] std::optional<std::string> resolver() const;
    /// Why there is no way out although the job may have one; empty: there is, or it may not.
    [[nodiscard]] const std::string& weakness() const { return weakness_; }

private:
    Network() = default;
    Result<void> open_way_out();

    std::string hosts_, weakness_;
    os::NetworkSpace space_;
    int way_out_ = 0;  ///< a pid
};

}  // namespace cicd::runner
