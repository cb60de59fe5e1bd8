#include "daemon/api/dispatch.hpp"

#include "common/contract/errors.hpp"

#include <atomic>
#include <functional>
#include <random>

namespace cicd::api {
namespace {

constexpr auto kept_for = std::chrono::hours(24);
constexpr std::size_t most_kept = 4096;
constexpr std::size_t longest_key = 255;

std::size_t fingerprint_of(const Request& request) {
    return std::hash<std::string>{}(request.method + ' ' + request.target + '\n' + request.body);
}

}  // namespace

const Answered::Entry* Answered::find_or_begin(const std::string& key, std::size_t fingerprint) {
    forget_old();
    const auto [it, is_new] = entries_.try_emplace(key);
    if (!is_new) return &it->second;
    it->second = {fingerprint, std::nullopt, std::chrono::steady_clock::now()};
    return nullptr;
}

void Answered::finish(const std::string& key, const Response& response) {
    if (response.status >= 500 || response.stream)
        entries_.erase(key);
    else if (const auto it = entries_.find(key); it != entries_.end())
        it->second.response = response;
    changed_.notify();
}

void Answered::forget_old() {
    const auto limit = std::chrono::steady_clock::now() - kept_for;
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.response && entry.second.time < limit; });
    while (entries_.size() >= most_kept) {
        auto oldest = entries_.end();
        for (auto it = entries_.begin(); it != entries_.end(); ++it)
            if (it->second.response && (oldest == entries_.end() || it->second.time < oldest->second.time)) oldest = it;
        if (oldest == entries_.end()) return;
        entries_.erase(oldest);
    }
}

std::string Dispatcher::next_request_id() {
    static const auto seed = std::random_device{}();
    static std::atomic<std::uint64_t> count{0};
    // SplitMix64's finaliser: ids that look unrelated, from a counter.
    auto bits = (static_cast<std::uint64_t>(seed) << 32) + ++count * 0x9e3779b97f4a7c15ULL;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
    bits ^= bits >> 31;
    static constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
    std::string id = "req_";
    for (int i = 0; i < 12; ++i, bits >>= 5) id += digits[bits & 31];
    return id;
}

async::Task<Response> Dispatcher::answer(Request request) {
    const auto id = request.id;
    std::string what;
    try {
        co_return co_await route(std::move(request));
    } catch (const std::exception& exception) {
        what = exception.what();
    }
    services_.warn("request " + id + " failed: " + what);
    co_return error_response(internal_error("the daemon failed to answer this request",
                                            "'cicdctl daemon logs' tells more about " + id),
                             id);
}

async::Task<Response> Dispatcher::route(Request request) {
    const auto target = read_target(request.target, request);
    if (!target) co_return error_response(target.error(), request.id);
    const auto found = find_endpoint(endpoints(), request);
    if (!found) co_return error_response(found.error(), request.id);
    if (!found->endpoint) {
        auto response = error_response(invalid(std::string(contract::code::method_not_allowed),
                                               request.method + " is not possible here", "possible: " + found->allow),
                                       request.id);
        response.headers.emplace_back("Allow", found->allow);
        co_return response;
    }
    if (request.method == "POST" && !request.idempotency_key.empty())
        co_return co_await once(*found->endpoint, std::move(request));
    co_return co_await call(*found->endpoint, std::move(request));
}

async::Task<Response> Dispatcher::call(const Endpoint& endpoint, Request request) {
    const auto id = request.id;
    auto answer = co_await endpoint.handler(services_, std::move(request));
    if (!answer) co_return error_response(answer.error(), id);
    co_return std::move(*answer);
}

async::Task<Response> Dispatcher::once(const Endpoint& endpoint, Request request) {
    const auto id = request.id;
    if (request.idempotency_key.size() > longest_key)
        co_return error_response(invalid(std::string(contract::code::bad_request), "the Idempotency-Key is too long",
                                         "at most 255 bytes"), id);
    const auto key = request.user + ' ' + request.idempotency_key;
    const auto fingerprint = fingerprint_of(request);
    while (const auto* earlier = answered_.find_or_begin(key, fingerprint)) {
        if (earlier->fingerprint != fingerprint)
            co_return error_response(conflict(std::string(contract::code::key_reused),
                                              "this Idempotency-Key was used for another request",
                                              "use a fresh key for each request"), id);
        if (earlier->response) {
            auto again = *earlier->response;
            again.headers.emplace_back("Idempotent-Replayed", "true");
            co_return again;
        }
        co_await answered_.wait();
    }
    Response response;
    std::exception_ptr failure;
    try {
        response = co_await call(endpoint, std::move(request));
    } catch (...) {
        failure = std::current_exception();
        response.status = 500;
    }
    answered_.finish(key, response);
    if (failure) std::rethrow_exception(failure);
    co_return response;
}

}  // namespace cicd::api
