#pragma once

#include <string_view>

namespace cicd::runner {

/// The one place through which every byte of output passes before it is written anywhere. Secrets are not hidden yet:
/// the bytes pass as they are.
class Masking {
public:
    [[nodiscard]] std::string_view pass(std::string_view bytes) const { return bytes; }
};

}  // namespace cicd::runner
