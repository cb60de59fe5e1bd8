#pragma once

#include "common/model/job_spec.hpp"
#include "daemon/os/enclosure.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spaces.hpp"

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
    /// `alone`: in no network that other places share; only then an ordinary user's job has users of its own.
    static Result<WritableSystem> make(const model::JobSpec& spec, const std::filesystem::path& layers, bool alone);

    /// The job has users of its own, not just the one who runs the daemon.
    [[nodiscard]] bool has_users() const { return users_ || subordinate_.inner; }
    /// Then as others than the host's files have, so that these are shown with other owners.
    [[nodiscard]] bool shifts() const { return static_cast<bool>(users_); }
    [[nodiscard]] unsigned owner() const { return shifts() ? first_inhabitant : 0; }
    /// Where its program is started: -1 in the host's own user namespace.
    [[nodiscard]] int outer_users() const { return subordinate_.outer.get(); }
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
    os::IdSpaces subordinate_;  ///< of an ordinary user, where the machine gives it any
    std::vector<std::pair<std::string, std::string>> shifted_;
    std::vector<os::Enclosure::Entry> host_;
};

/// What was put into a folder from outside becomes the job's own.
void give_to(unsigned owner, const std::filesystem::path& folder);

}  // namespace cicd::runner
