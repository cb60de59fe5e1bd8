#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/services.hpp"

#include <vector>

namespace cicd::api {

/// `Accept: text/plain` or `?format=text`.
bool wants_text(const Request& request);

/// The jobs' logs as they were printed, each after the other; `named` puts a job's key in front of each line.
Response text_logs(Services& services, std::vector<model::JobRun> jobs, bool named, int attempt = 0,
                   std::uint64_t first_line = 0);

/// At most that many lines of the jobs' last attempts, as log entries. Blocks.
Result<Array> collect_logs(Services& services, const std::vector<model::JobRun>& jobs, std::uint64_t most);

}  // namespace cicd::api
