#include "cli/identifiers.hpp"

#include <algorithm>

namespace cicd::cli {
namespace {

bool is_number(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_job_id(const std::string& typed) {
    return typed.starts_with("job-");
}

Result<std::string> run_id(Session& session, const std::string& typed) {
    if (is_number(typed)) return "run-" + typed;
    if (!typed.empty()) {
        if (is_job_id(typed))
            return usage_error("'" + typed + "' is a job, not a run", "'cicdctl show " + typed + "' names its run");
        return typed;
    }
    CICD_TRY(auto* daemon, session.daemon());
    contract::RunFilter newest;
    newest.page_size = 1;
    CICD_TRY(const auto page, daemon->list_runs(newest));
    if (page.data.empty()) return not_found("RUN_001", "there is no run yet", "start one with 'cicdctl run'");
    return page.data.front().id.str();
}

Result<std::string> job_id(const std::string& typed) {
    if (is_number(typed)) return "job-" + typed;
    if (typed.starts_with("run-"))
        return usage_error("'" + typed + "' is a run, not a job", "'cicdctl job list " + typed + "' lists its jobs");
    return typed;
}

}  // namespace cicd::cli
