#pragma once

#include <string>
#include <string_view>

namespace cicd::api {

/// 128 bits as hexadecimal digits: to tell contents apart that nobody makes equal on purpose (FNV-1a by eight bytes,
/// twice, finished as MurmurHash3 does).
std::string fingerprint(std::string_view text);

}  // namespace cicd::api
