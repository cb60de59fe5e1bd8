#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// Objects of an S3-compatible store, by path-style addresses, signed as AWS wants it (SigV4). Blocking, thread-safe.
namespace cicd::remote {

struct S3Settings {
    std::string endpoint;  ///< "https://s3.example.org"
    std::string bucket, region = "us-east-1";
    std::string prefix;    ///< of all keys
    std::string access_key, secret_key;
    int tries = 5;         ///< for what may pass: no connection, 429, 5xx
    std::chrono::milliseconds first_wait{250};
    std::chrono::seconds stalled{30};  ///< a transfer that moves less than 1 KiB/s for so long has failed
};

class S3 {
public:
    explicit S3(S3Settings settings);

    /// Gives the next bytes, nothing at the end. Made anew for each try.
    using Source = std::function<Result<std::string>()>;
    using Opener = std::function<Result<Source>()>;
    /// `sha256` is that of the `size` bytes.
    Result<void> put(const std::string& key, std::uint64_t size, const std::string& sha256, const Opener& open) const;
    /// `begin` is called before each try, `take` with what comes. REMOTE_001 (not found) where there is none.
    Result<void> get(const std::string& key, const std::function<Result<void>()>& begin,
                     const std::function<Result<void>(std::string_view)>& take) const;

    [[nodiscard]] const S3Settings& settings() const { return settings_; }

private:
    [[nodiscard]] std::string url(const std::string& key) const;
    S3Settings settings_;
};

}  // namespace cicd::remote
