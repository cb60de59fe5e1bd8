#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Requests and responses, free of any HTTP library.
namespace cicd::results {

/// A body that is read as it comes.
class Body {
public:
    virtual ~Body() = default;
    /// Some bytes; 0: the end. An error: the client is gone or too slow.
    virtual Result<std::size_t> read(char* into, std::size_t size) = 0;
    /// What the client says it will be.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;
};

struct Request {
    std::string method, path;  ///< decoded
    std::vector<std::pair<std::string, std::string>> query;  ///< decoded
    std::string authorization, range, content_range;
    Body* body = nullptr;

    /// The first of that name; empty where there is none.
    [[nodiscard]] std::string query_value(std::string_view name) const;
};

/// An open file, or a part of it, to be sent.
struct FilePart {
    std::shared_ptr<os::Fd> file;
    std::uint64_t begin = 0, size = 0;
};

struct Response {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<FilePart> file;  ///< instead of `body`
};

Response json(const Value& value, int status = 200);
/// As Twirp tells errors: `{"code": …, "msg": …}`.
Response refusal(int status, std::string_view code, const std::string& message);
Response refusal(const Error& error);

/// Splits a target into path and query; false where its percent-encoding is broken or it holds NUL bytes.
bool read_target(std::string_view target, Request& request);
/// All of a body that has to be small.
Result<std::string> whole(Body& body, std::size_t most);
Result<Value> json_of(Request& request);

/// `bytes=2-5`, `bytes=2-`: first and last byte, both within `size`. Nothing for what is none of these.
std::optional<std::pair<std::uint64_t, std::uint64_t>> read_range(std::string_view text, std::uint64_t size);
/// `bytes 2-5/…` of what is sent.
std::optional<std::pair<std::uint64_t, std::uint64_t>> read_content_range(std::string_view text);

/// Takes as long whatever they are.
bool are_same(std::string_view a, std::string_view b);
/// So many random bytes as hexadecimal digits.
std::string random_word(std::size_t bytes);

}  // namespace cicd::results
