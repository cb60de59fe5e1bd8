#pragma once

#include "common/base/result.hpp"

namespace cicd {

/// User and group ids that the machine's administrator has given to an ordinary user for namespaces of its own: the first of
/// `ids_needed` in a row, from /etc/subuid and /etc/subgid, see subuid(5).
struct SubordinateIds {
    unsigned first_user = 0, first_group = 0;
};
inline constexpr unsigned subordinate_ids_needed = 65535;

/// Fails (kind unavailable, JOB_003) where there are none, or newuidmap and newgidmap are missing; the hint says what to do.
Result<SubordinateIds> find_subordinate_ids();

}  // namespace cicd
