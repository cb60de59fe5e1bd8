#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/router.hpp"
#include "daemon/api/services.hpp"
#include "daemon/api/sse.hpp"

#include <vector>

namespace cicd::api {

/// `Accept: text/plain` or `?format=text`.
bool wants_text(const Request& request);

/// Of jobs, one after the other, as they were printed; a job's key stands in front of each line.
Response text_logs(Services& services, std::vector<model::JobRun> jobs, const contract::LogQuery& query);

/// One attempt's log as it was printed: all of it (by `Range` too), or the lines that are chosen. Blocks.
Answer text_of_log(Services& services, const Request& request, const model::JobRun& job, const LogSelection& selection);
/// The same while it is written, from `offset` on where that is given.
Answer text_stream(Services& services, const Request& request, LogStreamRequest what);

/// A page of the logs of all these jobs, each after the other. `cursor` is where the page before ended: job.line. Blocks.
Result<Response> page_of_logs(Services& services, const std::vector<model::JobRun>& jobs, const contract::LogQuery& query,
                              const std::string& cursor);

}  // namespace cicd::api
