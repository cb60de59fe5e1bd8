#include "daemon/remote/s3.hpp"

#include "common/base/text.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace cicd::remote {
namespace {

constexpr const char* empty_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::size_t most_said = 2000;
constexpr auto longest_wait = std::chrono::milliseconds(10'000);

using Handle = std::unique_ptr<CURL, void (*)(CURL*)>;
using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

/// One try: what goes out, what came back.
struct Transfer {
    S3::Source source;
    std::string pending;
    std::function<Result<void>(std::string_view)> take;
    CURL* handle = nullptr;
    std::string said;            ///< the body of an answer that is an error
    std::optional<Error> error;  ///< of source or take: no fault of the store's
};

std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (transfer.pending.empty()) {
        auto next = transfer.source();
        if (!next) return transfer.error = next.error(), CURL_READFUNC_ABORT;
        transfer.pending = std::move(*next);
    }
    const auto n = std::min(size * count, transfer.pending.size());
    std::copy_n(transfer.pending.data(), n, into);
    transfer.pending.erase(0, n);
    return n;
}

std::size_t on_write(char* bytes, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view piece(bytes, size * count);
    long status = 0;
    curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300 || !transfer.take) {
        transfer.said.append(piece.substr(0, most_said - std::min(most_said, transfer.said.size())));
        return piece.size();
    }
    if (auto taken = transfer.take(piece); !taken) return transfer.error = taken.error(), 0;
    return piece.size();
}

/// `<Error><Code>…</Code><Message>…</Message>`
std::string told(const std::string& answer) {
    const auto between = [&](const std::string& tag) -> std::string {
        const auto begin = answer.find("<" + tag + ">"), end = answer.find("</" + tag + ">");
        if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
        return to_valid_utf8(answer.substr(begin + tag.size() + 2, end - begin - tag.size() - 2));
    };
    const auto code = between("Code"), message = between("Message");
    return code.empty() ? "" : ": " + code + (message.empty() ? "" : ", " + message);
}

Error failed(const std::string& what) {
    return unavailable("REMOTE_002", what, "what is kept lies on this machine's disk; it is tried again");
}

struct Outcome {
    std::optional<Error> error;
    bool may_pass = false;
};

Outcome judge(CURLcode code, long status, const Transfer& transfer, const S3Settings& settings, const char* detail) {
    if (transfer.error) return {transfer.error, false};
    if (code != CURLE_OK)
        return {failed("the object store at " + settings.endpoint + " cannot be reached: " + (*detail ? detail : curl_easy_strerror(code))), true};
    if (status >= 200 && status < 300) return {};
    if (status == 404) return {not_found("REMOTE_001", "the object store has no such object" + told(transfer.said)), false};
    return {failed("the object store at " + settings.endpoint + " answered " + std::to_string(status) + told(transfer.said)),
            status == 429 || status >= 500};
}

/// Backs off while it may pass.
template <class Try>
Result<void> with_patience(const S3Settings& settings, Try attempt) {
    auto wait = settings.first_wait;
    for (int left = settings.tries;; --left) {
        const Outcome outcome = attempt();
        if (!outcome.error) return {};
        if (!outcome.may_pass || left <= 1) return *outcome.error;
        std::this_thread::sleep_for(wait);
        wait = std::min(wait * 2, longest_wait);
    }
}

Outcome perform(const S3Settings& settings, const std::string& url, const std::string& sha256, Transfer& transfer,
                const std::function<void(CURL*)>& set) {
    const Handle handle(curl_easy_init(), curl_easy_cleanup);
    const Headers headers(curl_slist_append(nullptr, ("x-amz-content-sha256: " + sha256).c_str()), curl_slist_free_all);
    char detail[CURL_ERROR_SIZE] = "";
    auto* curl = handle.get();
    transfer.handle = curl;
    const auto provider = "aws:amz:" + settings.region + ":s3";
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, provider.c_str());
    curl_easy_setopt(curl, CURLOPT_USERNAME, settings.access_key.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, settings.secret_key.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.stalled.count()));
    set(curl);
    const auto code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return judge(code, status, transfer, settings, detail);
}

}  // namespace

S3::S3(S3Settings settings) : settings_(std::move(settings)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    while (settings_.endpoint.ends_with('/')) settings_.endpoint.pop_back();
    while (settings_.prefix.starts_with('/')) settings_.prefix.erase(0, 1);
    if (!settings_.prefix.empty() && !settings_.prefix.ends_with('/')) settings_.prefix += '/';
}

std::string S3::url(const std::string& key) const { return settings_.endpoint + "/" + settings_.bucket + "/" + settings_.prefix + key; }

Result<void> S3::put(const std::string& key, std::uint64_t size, const std::string& sha256, const Opener& open) const {
    return with_patience(settings_, [&]() -> Outcome {
        Transfer transfer;
        auto source = open();
        if (!source) return {source.error(), false};
        transfer.source = std::move(*source);
        return perform(settings_, url(key), sha256, transfer, [&](CURL* curl) {
            curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
            curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
            curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
            curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
        });
    });
}

Result<void> S3::get(const std::string& key, const std::function<Result<void>()>& begin,
                     const std::function<Result<void>(std::string_view)>& take) const {
    return with_patience(settings_, [&]() -> Outcome {
        if (auto ready = begin(); !ready) return {ready.error(), false};
        Transfer transfer;
        transfer.take = take;
        return perform(settings_, url(key), empty_sha256, transfer, [](CURL*) {});
    });
}

}  // namespace cicd::remote
