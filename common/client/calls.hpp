#pragma once

#include "common/base/result.hpp"
#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace cicd::client {

class Wire;

/// An answer's body as what it stands for.
template <class T>
Result<T> decoded(const Result<Value>& value) {
    if (!value) return value.error();
    return codec::decode<T>(*value);
}

/// The Error that an answer with an error status carries, or one made from its status.
Error as_error(const RawResponse& response);

Result<void> follow_run_stream(Wire& wire, const std::string& run, std::int64_t after_seq,
                               const StreamHandler& handler);
Result<void> follow_log_stream(Wire& wire, const std::string& job, const contract::LogQuery& query,
                               const StreamHandler& handler);

}  // namespace cicd::client
