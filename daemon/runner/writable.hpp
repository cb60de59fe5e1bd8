#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/os/enclosure.hpp"
#include "daemon/os/fd.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// `system: writable`: the job is root in a system of its own, whose lower layer is an image or this machine's own files.
namespace cicd::runner {

/// The host's id of a job's root, where root of the host runs the daemon; 65536 ids from here on. At the end of the range
/// that systemd leaves to containers, so that no user has them.
inline constexpr unsigned first_inhabitant = 1'878'982'656;

class WritableSystem {
public:
    /// Makes its layers in `layers`, a folder of the job's.
    static Result<WritableSystem> make(const model::JobSpec& spec, const std::filesystem::path& layers);

    /// The job has users of its own, not just the one who runs the daemon.
    [[nodiscard]] bool has_users() const { return static_cast<bool>(users_); }
    [[nodiscard]] unsigned owner() const { return has_users() ? first_inhabitant : 0; }
    /// To whom the program belongs, and with what rights.
    void put_on(os::Enclosure& enclosure) const;
    /// Where the layers of `folder` are seen with the job's owners.
    [[nodiscard]] std::string seen(const std::string& folder) const;
    /// This machine's own folders, each an overlay.
    [[nodiscard]] const std::vector<os::Enclosure::Entry>& host() const { return host_; }

private:
    WritableSystem() = default;
    Result<void> shift(const std::string& source, const std::filesystem::path& place);
    Result<void> add_host(const std::filesystem::path& layers);

    os::Fd users_;
    std::vector<std::pair<std::string, std::string>> shifted_;
    std::vector<os::Enclosure::Entry> host_;
};

/// What was put into a folder from outside becomes the job's own.
void give_to(unsigned owner, const std::filesystem::path& folder);

}  // namespace cicd::runner
