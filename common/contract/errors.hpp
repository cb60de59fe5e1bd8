#pragma once

#include "common/base/result.hpp"

#include <array>
#include <span>
#include <string_view>

/// The public error codes that belong to no single entity, and what kinds of error are over HTTP.
namespace cicd::contract {

namespace code {
inline constexpr std::string_view unreachable = "CICD_069";        ///< no daemon answers on the socket
inline constexpr std::string_view bad_request = "CICD_400";        ///< a request that cannot be read
inline constexpr std::string_view forbidden = "CICD_403";
inline constexpr std::string_view no_route = "CICD_404";
inline constexpr std::string_view method_not_allowed = "CICD_405";
inline constexpr std::string_view key_reused = "CICD_409";         ///< Idempotency-Key with another body
inline constexpr std::string_view too_large = "CICD_413";
inline constexpr std::string_view header_too_large = "CICD_431";
inline constexpr std::string_view too_slow = "CICD_408";           ///< a request that did not arrive in time
inline constexpr std::string_view too_many = "CICD_429";           ///< connections
inline constexpr std::string_view internal = "CICD_500";
inline constexpr std::string_view not_available_yet = "CICD_501";
inline constexpr std::string_view stopping = "CICD_503";
inline constexpr std::string_view run_not_found = "RUN_001";
inline constexpr std::string_view job_not_found = "JOB_001";
inline constexpr std::string_view pipeline_not_found = "PIPELINE_001";
inline constexpr std::string_view invalid_pipeline = "PIPELINE_006";
}  // namespace code

/// Every public code and what it says, in order of the codes. Those below 006 of an entity are the first seed's.
struct CodeMeaning {
    std::string_view code, meaning;
};
std::span<const CodeMeaning> code_meanings();

/// A definition that could be read but is wrong is 422; a request that could not be read at all is 400.
int http_status(const Error& error);

/// The kind behind a status, for errors that come from something else than our own daemon.
ErrorKind kind_of_status(int status);

}  // namespace cicd::contract
