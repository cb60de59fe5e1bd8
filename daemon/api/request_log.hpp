#pragma once

#include "daemon/api/http.hpp"

#include <chrono>
#include <string_view>

namespace cicd::api {

/// One line in the daemon's log for a request that was answered: at level debug, or warn where it took long or failed by
/// a fault of ours.
void log_request(const Request& facts, std::string_view route, const Response& response, std::chrono::nanoseconds took);

}  // namespace cicd::api
