#include "common/contract/errors.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"

// What is asked of the daemon itself: a backup, a clean-up, another log level.
namespace cicd::api {
namespace {

Error no_upkeep() {
    return unavailable(std::string(contract::code::not_available_yet), "this daemon cannot look after its own state");
}

Response level_response(const std::string& level) { return json_response(Object{{"level", level}}); }

}  // namespace

async::Task<Answer> backup_daemon(Services& services, Request request) {
    const auto asked = read_body<contract::Backup>(request);
    if (!asked) co_return asked.error();
    if (!services.upkeep) co_return no_upkeep();
    if (!asked->path.starts_with('/'))
        co_return invalid(std::string(contract::code::bad_request), "'path' is not absolute: '" + asked->path + "'",
                          "name a file on the daemon's machine, such as /var/backups/cicd.tar");
    const auto work = [&services, wanted = *asked] { return services.upkeep->backup(wanted); };
    const auto report = co_await async::offload(services.pool, work);
    co_return answer(report);
}

async::Task<Answer> clean_up_daemon(Services& services, Request request) {
    const auto asked = read_body<contract::CleanUp>(request);
    if (!asked) co_return asked.error();
    if (!services.upkeep) co_return no_upkeep();
    const auto work = [&services, wanted = *asked] { return services.upkeep->clean_up(wanted); };
    const auto report = co_await async::offload(services.pool, work);
    co_return answer(report);
}

async::Task<Answer> get_log_level(Services& services, Request) {
    if (!services.upkeep) co_return no_upkeep();
    co_return level_response(services.upkeep->log_level());
}

async::Task<Answer> set_log_level(Services& services, Request request) {
    const auto body = json_body(request);
    if (!body) co_return body.error();
    if (!services.upkeep) co_return no_upkeep();
    if (!(*body)["level"].is_string())
        co_return invalid(std::string(contract::code::bad_request), "'level' is missing",
                          "there are: trace, debug, info, warn, error");
    const auto set = services.upkeep->set_log_level((*body)["level"].as_string());
    if (!set) co_return set.error();
    co_return level_response(services.upkeep->log_level());
}

}  // namespace cicd::api
