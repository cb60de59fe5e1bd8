#include "common/client/calls.hpp"
#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"

// Why things are as they are, whose turn it is, and the daemon's own upkeep.
namespace cicd::client {

namespace route = contract::route;
using contract::path_of;
using contract::query_text;

Result<contract::Explanation> Client::explain_run(const std::string& id) {
    return decoded<contract::Explanation>(call("GET", path_of(route::explain_run, {id})));
}

Result<contract::Explanation> Client::explain_job(const std::string& id) {
    return decoded<contract::Explanation>(call("GET", path_of(route::explain_job, {id})));
}

Result<model::Run> Client::reschedule_run(const std::string& id, const contract::Reschedule& change) {
    return decoded<model::Run>(call("PATCH", path_of(route::update_run, {id}), codec::encode(change)));
}

Result<model::JobRun> Client::reschedule_job(const std::string& id, const contract::Reschedule& change) {
    return decoded<model::JobRun>(call("POST", path_of(route::reschedule_job, {id}), codec::encode(change)));
}

Result<std::vector<model::JobRun>> Client::queue() {
    std::vector<model::JobRun> jobs;
    for (int page = 1;; ++page) {
        const auto query = query_text({{"page", std::to_string(page)}, {"pageSize", "1000"}});
        CICD_TRY(auto some, decoded<contract::Page<model::JobRun>>(call("GET", path_of(route::job_queue) + query)));
        jobs.insert(jobs.end(), std::make_move_iterator(some.data.begin()), std::make_move_iterator(some.data.end()));
        if (!some.pagination.has_next || some.data.empty()) return jobs;
    }
}

Result<contract::BackupReport> Client::backup(const contract::Backup& request) {
    return decoded<contract::BackupReport>(call("POST", path_of(route::backup), codec::encode(request)));
}

Result<contract::CleanUpReport> Client::clean_up(const contract::CleanUp& request) {
    return decoded<contract::CleanUpReport>(call("POST", path_of(route::clean_up), codec::encode(request)));
}

Result<std::string> Client::log_level() {
    CICD_TRY(const auto value, call("GET", path_of(route::log_level)));
    return value["level"].is_string() ? value["level"].as_string() : std::string{};
}

Result<void> Client::set_log_level(const std::string& level) {
    CICD_CHECK(call("PUT", path_of(route::set_log_level), Object{{"level", level}}));
    return {};
}

}  // namespace cicd::client
