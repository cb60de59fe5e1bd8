#include "daemon/api/idempotency.hpp"

#include "common/codec/codecs.hpp"
#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"
#include "daemon/api/fingerprint.hpp"

namespace cicd::api {
namespace {

constexpr std::size_t longest_key = 255;

Response accepted_run(const model::Run& run) {
    auto response = json_response(codec::encode(run), 202);
    response.headers.emplace_back("Location", contract::path_of(contract::route::show_run, {run.id.str()}));
    return response;
}

Response replayed(int status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    if (response.body.empty()) response.content_type.clear();
    response.headers.emplace_back("Idempotent-Replayed", "true");
    return response;
}

}  // namespace

/// What tells a request from every other.
async::Task<Result<std::string>> Idempotency::mark_of(std::string text, bool confidential) {
    if (!confidential) co_return fingerprint(text);
    const auto ask = [this, text = std::move(text)] { return services_.secrets.fingerprint(text); };
    co_return co_await async::offload(services_.pool, ask);
}

async::Task<Response> Idempotency::once(Request request, Work work, bool confidential) {
    const auto id = request.id;
    if (request.idempotency_key.size() > longest_key)
        co_return error_response(invalid(std::string(contract::code::bad_request), "the Idempotency-Key is too long",
                                         "at most 255 bytes"), id);
    const auto mark = co_await mark_of(request.method + ' ' + request.target + '\n' + request.body, confidential);
    if (!mark) co_return error_response(mark.error(), id);
    const store::RequestKey key{request.user, request.idempotency_key, *mark};
    const std::pair mine{key.user, key.key};
    while (under_way_.contains(mine)) co_await changed_.wait();
    under_way_.insert(mine);
    Response response;
    std::exception_ptr failure;
    try {
        response = co_await claimed(std::move(request), key, std::move(work));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        // It may have had its effect, or not: like a crash, it is not kept.
        const auto release = [this, key] { return services_.store.release(key); };
        co_await async::offload(services_.pool, release);
    }
    under_way_.erase(mine);
    changed_.notify();
    if (failure) std::rethrow_exception(failure);
    co_return response;
}

async::Task<Response> Idempotency::claimed(Request request, store::RequestKey key, Work work) {
    const auto id = request.id;
    const auto ask = [this, key] { return services_.store.claim(key, SystemClock().now()); };
    const auto claim = co_await async::offload(services_.pool, ask);
    if (!claim) co_return error_response(claim.error(), id);
    switch (claim->state) {
        case store::Claim::State::answered: co_return replayed(claim->answer.status, claim->answer.body);
        case store::Claim::State::under_way:
            co_return error_response(conflict(std::string(contract::code::key_reused),
                                              "the request with this Idempotency-Key is being carried out",
                                              "ask again in a moment"), id);
        case store::Claim::State::accepted: {
            const auto read = [this, run = *claim->run] { return services_.store.run(run); };
            const auto run = co_await async::offload(services_.pool, read);
            if (!run) co_return error_response(run.error(), id);
            auto response = accepted_run(*run);
            response.headers.emplace_back("Idempotent-Replayed", "true");
            co_return response;
        }
        case store::Claim::State::ours: break;
    }
    auto response = co_await work(std::move(request));
    // Failures of ours are not kept, so that they can be tried again.
    const bool kept = response.status < 500 && !response.stream;
    const auto note = [this, key, kept, status = response.status, body = response.body]() -> Result<void> {
        return kept ? services_.store.answer(key, {status, body}) : services_.store.release(key);
    };
    const auto noted = co_await async::offload(services_.pool, note);
    if (!noted) services_.warn("cannot keep the answer of request " + id + ": " + noted.error().message);
    co_return response;
}

}  // namespace cicd::api
