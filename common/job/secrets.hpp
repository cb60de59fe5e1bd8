#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"

#include <string>
#include <string_view>

/// What goes through the pipe to a runner: a JSON object, name by name a value as text; one that is no UTF-8 is
/// `{"base64": "…"}`.
namespace cicd::job {

std::string write_secrets(const Object& values);
/// An error holds nothing of the text.
Result<Object> read_secrets(std::string_view text);

}  // namespace cicd::job
