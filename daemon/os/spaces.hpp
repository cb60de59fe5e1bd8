#pragma once

#include "common/base/result.hpp"
#include "common/base/subordinate_ids.hpp"
#include "daemon/os/fd.hpp"

#include <string>

/// Namespaces that several places share. They are there as long as these descriptors are open, or anybody lives in them.
namespace cicd::os {

/// A network of its own with nothing but a loopback device, which is up; ports below 1024 are anybody's there.
struct NetworkSpace {
    Fd users;    ///< the user namespace that owns it: who starts it is 0 there, and nobody else is known
    Fd network;
};
/// Works as root and as an ordinary user. Fails (kind unavailable) where user namespaces cannot be made.
Result<NetworkSpace> make_network_space();

/// A user namespace in which the ids 0 to 65535 are there, as those from `first` on of the host. Root only.
Result<Fd> make_id_space(unsigned first);
inline constexpr unsigned ids_of_space = 65536;

/// The same for an ordinary user, who is 0 there; the others are its subordinate ids. `inner` lies in `outer`, with the same ids.
struct IdSpaces {
    Fd outer, inner;
};
Result<IdSpaces> make_subordinate_spaces(const SubordinateIds& ids);
/// What those users own below a folder of this user's becomes this user's. `runner`: the program cicd-runner.
Result<void> take_back(const SubordinateIds& ids, const std::string& runner, const std::string& folder);

/// In the network of this process. False with errno set.
bool raise_loopback();
/// For a process of its own that shares no files' root with others: goes into it. `users` is -1 where root of the host stays
/// that, `network` where only the users change. False with errno set.
bool enter_network_space(int users, int network);

}  // namespace cicd::os
