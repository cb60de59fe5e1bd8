#pragma once

#include <boost/system/result.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cicd {

enum class Severity { error, warning, note };

/// One problem at one place of a user's file. Lines and columns count from 1; 0 means unknown.
struct Diagnostic {
    Severity severity = Severity::error;
    std::string file;
    int line = 0;
    int column = 0;
    std::string pointer;     ///< JSON pointer (RFC 6901) to the value at fault
    std::string message;
    std::string suggestion;  ///< what to do next, for example "did you mean 'stages'?"; may be empty

    bool operator==(const Diagnostic&) const = default;
};

/// What kind of refusal an error is. HTTP statuses and exit codes are derived from it, in the API and the CLI.
enum class ErrorKind {
    invalid,      ///< the request or file is wrong: HTTP 400 or 422, exit 2
    forbidden,    ///< HTTP 403, exit 4
    not_found,    ///< HTTP 404, exit 5
    blocked,      ///< a gate, window or policy forbids it for now: HTTP 423, exit 6
    conflict,     ///< the state does not allow it: HTTP 409, exit 7
    unavailable,  ///< a place, daemon or tool cannot be used: HTTP 503, exit 69
    timeout,      ///< exit 124
    cancelled,    ///< exit 9
    internal,     ///< a fault of ours or of the machine: HTTP 500, exit 3
};

/// An expected failure, on its way to a person. `code` is stable and public ("PIPELINE_001").
struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string code;
    std::string message;
    std::string hint;  ///< what to do next; may be empty
    std::vector<Diagnostic> problems;

    /// The same error, told from one level further up: "context: message".
    [[nodiscard]] Error within(const std::string& context) && {
        message = context + ": " + message;
        return std::move(*this);
    }

    bool operator==(const Error&) const = default;
};

/// Thrown where a Result's value is taken although it holds an error: a bug, never control flow.
class BadResultAccess : public std::exception {
public:
    explicit BadResultAccess(const Error& error) : text_("unchecked error: " + error.message) {}
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

private:
    std::string text_;
};

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw BadResultAccess(error);
}

/// A value or an Error. `if (!result) return result.error();`
template <class T>
using Result = boost::system::result<T, Error>;

inline Error invalid(std::string code, std::string message, std::string hint = {}) {
    return {ErrorKind::invalid, std::move(code), std::move(message), std::move(hint), {}};
}
inline Error not_found(std::string code, std::string message, std::string hint = {}) {
    return {ErrorKind::not_found, std::move(code), std::move(message), std::move(hint), {}};
}
inline Error conflict(std::string code, std::string message, std::string hint = {}) {
    return {ErrorKind::conflict, std::move(code), std::move(message), std::move(hint), {}};
}
inline Error forbidden(std::string code, std::string message, std::string hint = {}) {
    return {ErrorKind::forbidden, std::move(code), std::move(message), std::move(hint), {}};
}
inline Error unavailable(std::string code, std::string message, std::string hint = {}) {
    return {ErrorKind::unavailable, std::move(code), std::move(message), std::move(hint), {}};
}
inline Error internal_error(std::string message, std::string hint = {}) {
    return {ErrorKind::internal, "CICD_500", std::move(message), std::move(hint), {}};
}

}  // namespace cicd

#define CICD_CONCAT_INNER(a, b) a##b
#define CICD_CONCAT(a, b) CICD_CONCAT_INNER(a, b)

/// CICD_TRY(auto x, f()): declares x from f()'s value, or returns f()'s error from this function.
#define CICD_TRY(declaration, ...) CICD_TRY_INNER(CICD_CONCAT(cicd_try_, __LINE__), declaration, return, __VA_ARGS__)
/// CICD_CHECK(f()): returns f()'s error from this function, if it has one.
#define CICD_CHECK(...) CICD_CHECK_INNER(CICD_CONCAT(cicd_check_, __LINE__), return, __VA_ARGS__)
/// The same inside a coroutine. Name a `co_await` result on the line before (see g++ 12's miscompiles).
#define CICD_CO_TRY(declaration, ...) CICD_TRY_INNER(CICD_CONCAT(cicd_try_, __LINE__), declaration, co_return, __VA_ARGS__)
#define CICD_CO_CHECK(...) CICD_CHECK_INNER(CICD_CONCAT(cicd_check_, __LINE__), co_return, __VA_ARGS__)

#define CICD_TRY_INNER(holder, declaration, leave, ...) \
    auto holder = (__VA_ARGS__);                        \
    if (!(holder)) leave (holder).error();              \
    declaration = std::move(*(holder))
#define CICD_CHECK_INNER(holder, leave, ...) \
    if (auto holder = (__VA_ARGS__); !(holder)) leave (holder).error()
