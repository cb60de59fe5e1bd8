#include "common/client/calls.hpp"
#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"

// Secrets: set, listed without their values, removed.
namespace cicd::client {

namespace route = contract::route;
using contract::path_of;
using contract::query_text;

Result<model::Secret> Client::set_secret(const contract::SaveSecret& request) {
    return decoded<model::Secret>(call("PUT", path_of(route::set_secret, {request.name}), codec::encode(request)));
}

Result<std::vector<model::Secret>> Client::list_secrets(const model::SecretScope& scope) {
    std::vector<model::Secret> secrets;
    for (int page = 1;; ++page) {
        const auto query = query_text({{"project", scope.project},
                                       {"environment", scope.environment},
                                       {"branch", scope.branch},
                                       {"page", std::to_string(page)},
                                       {"pageSize", "1000"}});
        CICD_TRY(const auto value, call("GET", path_of(route::list_secrets) + query));
        const auto& data = value["data"];
        if (data.is_array())
            for (const auto& each : data.as_array()) {
                CICD_TRY(auto secret, codec::decode<model::Secret>(each));
                secrets.push_back(std::move(secret));
            }
        if (!value["pagination"]["hasNext"].is_bool() || !value["pagination"]["hasNext"].as_bool()) return secrets;
    }
}

Result<void> Client::remove_secret(const std::string& name, const model::SecretScope& scope) {
    const auto query =
        query_text({{"project", scope.project}, {"environment", scope.environment}, {"branch", scope.branch}});
    CICD_CHECK(call("DELETE", path_of(route::remove_secret, {name}) + query));
    return {};
}

Result<std::vector<model::SecretEvent>> Client::secret_history(const std::string& name, int limit) {
    const auto query = query_text({{"name", name}, {"limit", std::to_string(limit)}});
    CICD_TRY(const auto value, call("GET", path_of(route::secret_history) + query));
    std::vector<model::SecretEvent> events;
    if (value["data"].is_array())
        for (const auto& each : value["data"].as_array()) {
            CICD_TRY(auto event, codec::decode<model::SecretEvent>(each));
            events.push_back(std::move(event));
        }
    return events;
}

Result<int> Client::rekey_secrets() {
    CICD_TRY(const auto value, call("POST", path_of(route::rekey_secrets), Object{}));
    return value["secrets"].is_number() ? static_cast<int>(value["secrets"].as_number()) : 0;
}

}  // namespace cicd::client
