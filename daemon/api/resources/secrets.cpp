#include "common/contract/errors.hpp"
#include "daemon/api/resources/answers.hpp"
#include "daemon/api/resources/handlers.hpp"

#include <algorithm>

// Secrets: values go in and never come out again.
namespace cicd::api {
namespace {

constexpr std::int64_t longest_history = 1000;

/// A reader's own message could quote the body.
Result<contract::SaveSecret> read_secret(const Request& request) {
    const auto body = json_body(request);
    if (!body)
        return invalid(std::string(contract::code::bad_request), "the body is no JSON",
                       "send an object with 'name' and 'value' (or 'valueBase64')");
    CICD_TRY(auto secret, codec::decode<contract::SaveSecret>(*body));
    const auto same = [](const std::string& written, const std::string& in_path, const char* field) -> Result<void> {
        if (written.empty() || in_path.empty() || written == in_path) return {};
        return invalid(std::string(contract::code::bad_request),
                       std::string("'") + field + "' of the body and of the path differ");
    };
    const auto& name = request.parameter("secretName");
    const auto& environment = request.parameter("environmentId");
    CICD_CHECK(same(secret.name, name, "name"));
    CICD_CHECK(same(secret.scope.environment, environment, "environment"));
    if (!name.empty()) secret.name = name;
    if (!environment.empty()) secret.scope.environment = environment;
    return secret;
}

model::SecretScope scope_of(const Request& request) {
    return {request.query_value("project"), request.query_value("environment"), request.query_value("branch")};
}

bool is_asked_for(const model::Secret& secret, const Request& request) {
    const auto fits = [](const std::string& has, const std::string& asked) { return asked.empty() || has == asked; };
    const auto& environment = request.parameter("environmentId");
    return fits(secret.name, request.query_value("name")) &&
           fits(secret.scope.project, request.query_value("project")) &&
           fits(secret.scope.environment, environment.empty() ? request.query_value("environment") : environment) &&
           fits(secret.scope.branch, request.query_value("branch"));
}

}  // namespace

async::Task<Answer> list_secrets(Services& services, Request request) {
    const auto page = read_page(request);
    if (!page) co_return page.error();
    const auto read = [&services] { return services.secrets.list(); };
    auto all = co_await async::offload(services.pool, read);
    if (!all) co_return all.error();
    std::erase_if(*all, [&](const model::Secret& secret) { return !is_asked_for(secret, request); });
    contract::Pagination pagination{page->page, page->page_size, static_cast<std::int64_t>(all->size()), false, {}};
    const auto first =
        std::min(all->size(), static_cast<std::size_t>(page->page - 1) * static_cast<std::size_t>(page->page_size));
    const auto last = std::min(all->size(), first + static_cast<std::size_t>(page->page_size));
    pagination.has_next = last < all->size();
    Array data;
    for (auto i = first; i < last; ++i) data.push_back(codec::encode((*all)[i]));
    co_return json_response(Object{{"data", std::move(data)}, {"pagination", codec::encode(pagination)}});
}

async::Task<Answer> set_secret(Services& services, Request request) {
    const auto secret = read_secret(request);
    if (!secret) co_return secret.error();
    const auto save = [&services, wanted = *secret, user = request.user] { return services.secrets.set(wanted, user); };
    const auto saved = co_await async::offload(services.pool, save);
    co_return answer(saved, request.method == "POST" ? 201 : 200);
}

async::Task<Answer> delete_secret(Services& services, Request request) {
    const auto remove = [&services, name = request.parameter("secretName"), scope = scope_of(request),
                         user = request.user] { return services.secrets.remove(name, scope, user); };
    const auto removed = co_await async::offload(services.pool, remove);
    if (!removed) co_return removed.error();
    Response response;
    response.status = 204;
    response.content_type.clear();
    co_return response;
}

async::Task<Answer> get_secret_history(Services& services, Request request) {
    const auto limit = query_number(request, "limit", 100, 1, longest_history);
    if (!limit) co_return limit.error();
    const auto read = [&services, name = request.query_value("name"), most = static_cast<int>(*limit)] {
        return services.secrets.history(name, most);
    };
    const auto events = co_await async::offload(services.pool, read);
    if (!events) co_return events.error();
    Array data;
    for (const auto& event : *events) data.push_back(codec::encode(event));
    co_return json_response(Object{{"data", std::move(data)}});
}

async::Task<Answer> rekey_secrets(Services& services, Request request) {
    const auto rekey = [&services, user = request.user] { return services.secrets.rekey(user); };
    const auto count = co_await async::offload(services.pool, rekey);
    if (!count) co_return count.error();
    co_return json_response(Object{{"secrets", *count}});
}

}  // namespace cicd::api
