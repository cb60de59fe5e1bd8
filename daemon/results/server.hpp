#pragma once

#include "daemon/results/http.hpp"

#include <functional>

namespace cicd::results {

using Handler = std::function<Response(Request&)>;

/// Serves what comes to a listening socket, each connection in a thread of its own, until nothing can come any more.
void serve(int socket, const Handler& handler);

}  // namespace cicd::results
