#include "daemon/api/dispatch.hpp"

#include "common/base/text.hpp"
#include "common/contract/errors.hpp"
#include "daemon/api/fingerprint.hpp"
#include "daemon/api/metrics.hpp"
#include "daemon/api/request_log.hpp"

#include <algorithm>

namespace cicd::api {
namespace {

bool is_read(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

/// RFC 9110, section 13.1.2: `*`, or a list of tags, compared weakly.
bool names(std::string_view list, std::string_view tag) {
    const auto bare = [](std::string_view text) {
        text = trim(text);
        if (text.starts_with("W/")) text.remove_prefix(2);
        return text;
    };
    if (trim(list) == "*") return true;
    const auto those = split(list, ',');
    return std::any_of(those.begin(), those.end(), [&](const auto& one) { return bare(one) == bare(tag); });
}

std::string etag_of(const Response& response) {
    for (const auto& [name, value] : response.headers)
        if (name == "ETag") return value;
    return {};
}

Response not_allowed(const Request& request, const std::string& allow) {
    auto response = error_response(invalid(std::string(contract::code::method_not_allowed),
                                           request.method.substr(0, 20) + " is not possible here", "possible: " + allow),
                                   request.id);
    response.headers.emplace_back("Allow", allow);
    return response;
}

}  // namespace

void tag(const Request& request, Response& response) {
    if (!is_read(request) || response.status != 200 || response.stream) return;
    auto etag = etag_of(response);
    if (etag.empty()) {
        etag = (response.is_immutable ? "\"" : "W/\"") + fingerprint(response.body) + '"';
        response.headers.emplace_back("ETag", etag);
    }
    if (request.if_none_match.empty() || !names(request.if_none_match, etag)) return;
    response.status = 304;
    response.body.clear();
    response.content_type.clear();
}

async::Task<Response> Dispatcher::answer(Request request) {
    const auto begin = std::chrono::steady_clock::now();
    Request facts;
    facts.id = request.id;
    facts.user = request.user;
    facts.method = request.method;
    facts.target = request.target;
    facts.if_none_match = request.if_none_match;
    Answered answered;
    std::string what;
    try {
        answered = co_await route(std::move(request));
        tag(facts, answered.response);
    } catch (const std::exception& exception) {
        what = exception.what();
    }
    if (!what.empty()) {
        services_.warn("request " + facts.id + " failed: " + what);
        answered.response = error_response(internal_error("the daemon failed to answer this request",
                                                          "'cicdctl daemon logs' tells more about " + facts.id),
                                           facts.id);
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto* known = answered.endpoint;
    const auto path = known ? known->route.path : std::string_view("none");
    if (services_.metrics)
        services_.metrics->answered(known ? known->route.method : "other", path, answered.response.status, took);
    log_request(facts, path, answered.response, took);
    co_return std::move(answered.response);
}

bool Dispatcher::takes_stream(std::string_view method, std::string_view target) {
    if (method != "POST") return false;
    Request request;
    request.method = method;
    if (!read_target(target, request)) return false;
    const auto found = find_endpoint(endpoints(), request);
    return found && found->endpoint && found->endpoint->takes_stream;
}

async::Task<Dispatcher::Answered> Dispatcher::route(Request request) {
    Answered answered;
    if (request.method == "GET") {
        if (const auto* known = cache_.find(request.target, services_.store.version())) {
            answered.response = known->response;
            answered.endpoint = known->endpoint;
            co_return answered;
        }
    }
    const auto target = read_target(request.target, request);
    const auto found = target ? find_endpoint(endpoints(), request) : Result<Found>(target.error());
    if (!found) {
        answered.response = error_response(found.error(), request.id);
        co_return answered;
    }
    answered.endpoint = found->endpoint;
    if (!found->endpoint) {
        answered.response = not_allowed(request, found->allow);
        co_return answered;
    }
    if (request.method == "POST" && !request.idempotency_key.empty()) {
        const Idempotency::Work work = [this, endpoint = found->endpoint](Request first) {
            return call(*endpoint, std::move(first));
        };
        answered.response = co_await idempotency_.once(std::move(request), work, found->endpoint->is_confidential);
    } else if (found->endpoint->is_cached) {
        answered.response = co_await read(*found->endpoint, std::move(request));
    } else {
        answered.response = co_await call(*found->endpoint, std::move(request));
    }
    co_return answered;
}

async::Task<Response> Dispatcher::read(const Endpoint& endpoint, Request request) {
    AnswerCache::Entry entry{request.target, &endpoint, services_.store.version(), {}};
    const auto reading = request;
    auto response = co_await call(endpoint, std::move(request));
    if (response.status != 200 || response.stream) co_return response;
    auto plain = reading;
    plain.if_none_match.clear();
    tag(plain, response);
    entry.response = response;
    cache_.put(std::move(entry));
    co_return response;
}

async::Task<Response> Dispatcher::call(const Endpoint& endpoint, Request request) {
    const auto id = request.id;
    auto answer = co_await endpoint.handler(services_, std::move(request));
    if (!answer) co_return error_response(answer.error(), id);
    co_return std::move(*answer);
}

}  // namespace cicd::api
