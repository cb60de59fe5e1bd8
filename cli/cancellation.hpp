#pragma once

#include "cli/session.hpp"
#include "common/contract/requests.hpp"

#include <array>

/// What `cicdctl cancel` and `cicdctl job cancel` share.
namespace cicd::cli {

inline constexpr std::array cancel_options = std::to_array<Option>({
    {.names = "--reason", .value = "TEXT", .help = "Kept with the run or job"},
    {.names = "--force", .help = "Kill what runs, without the time it is given to end by itself"},
});

inline contract::Cancel cancellation(const Arguments& arguments) {
    return {arguments.has("--reason") ? arguments.text("--reason") : "cancelled by the user", arguments.has("--force")};
}

}  // namespace cicd::cli
