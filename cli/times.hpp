#pragma once

#include "common/base/time.hpp"

#include <string>

namespace cicd::cli {

/// "10m" (so long before now), "2026-11-21T04:40:32Z", "2026-11-21" (its beginning, UTC) or "now". Fails as wrong
/// usage.
Result<Timestamp> past_time(std::string_view option, const std::string& typed);
/// The same, "10m" being that long after now.
Result<Timestamp> future_time(std::string_view option, const std::string& typed);

}  // namespace cicd::cli
