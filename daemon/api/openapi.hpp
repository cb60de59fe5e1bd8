#pragma once

#include <string_view>

namespace cicd::api {

/// schemas/openapi.yaml as it was when this was built.
std::string_view openapi_yaml();

}  // namespace cicd::api
