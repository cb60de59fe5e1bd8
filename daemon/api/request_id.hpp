#pragma once

#include <string>
#include <string_view>

namespace cicd::api {

/// "req_…", another one each time; from any thread.
std::string next_request_id();
/// The client's own id for a request where it is one that logs can hold, else a new one.
std::string request_id(std::string_view wanted);

}  // namespace cicd::api
