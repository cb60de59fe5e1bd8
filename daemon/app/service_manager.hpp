#pragma once

#include <string_view>

namespace cicd::app {

/// Tells systemd, where it started us and wants to know ($NOTIFY_SOCKET): "READY=1", "STOPPING=1", "STATUS=…".
void tell_service_manager(std::string_view state);

}  // namespace cicd::app
