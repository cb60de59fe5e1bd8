#pragma once

#include <optional>
#include <string>
#include <string_view>

/// RFC 4648, section 4.
namespace cicd {

std::string to_base64(std::string_view bytes);
/// White space is passed over; the padding at the end may be missing. Nothing for what is no base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace cicd
