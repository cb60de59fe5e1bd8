#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"
#include "common/job/job_directory.hpp"
#include "common/model/run.hpp"
#include "daemon/api/http.hpp"
#include "daemon/api/line_pattern.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

/// Which lines of a job's log a request asks for. Everything here that takes a reader blocks.
namespace cicd::api {

/// `from` (or `cursor`), `limit`, `tail`, `since`, `step`, `grep` and `attempt` of a request.
Result<contract::LogQuery> read_log_query(const Request& request);

/// A query whose step is known by its number and whose expression is compiled.
struct LogSelection {
    contract::LogQuery query;
    std::vector<int> steps;                      ///< empty: all
    std::shared_ptr<const LinePattern> pattern;  ///< null: all
    [[nodiscard]] bool takes_all() const { return steps.empty() && !pattern; }
    [[nodiscard]] bool takes(const job::LogRecord& record, std::string_view text) const;
};
/// not_found where the job has no such step; invalid for a broken expression.
Result<LogSelection> select(const contract::LogQuery& query, const model::JobRun& job);

/// Where reading begins: `first_line`, `since` and `tail` resolved against what is in the log now.
Result<std::uint64_t> first_line_of(job::LogReader& reader, const LogSelection& selection);

/// Lines from `first` on, as JSON objects joined by commas; a bounded piece of the log is looked at.
struct LogPage {
    std::string json;
    std::uint64_t lines = 0;       ///< how many are in `json`
    std::uint64_t next = 0;        ///< the line to go on with
    std::uint64_t line_count = 0;  ///< of the whole log
    bool has_next = false;
};
Result<LogPage> read_log_page(job::LogReader& reader, const LogSelection& selection, const model::JobRun& job, int attempt,
                              std::uint64_t first, std::uint64_t most_lines);

}  // namespace cicd::api
