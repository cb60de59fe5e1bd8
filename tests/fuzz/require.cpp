#include "tests/fuzz/fuzz.hpp"

#include <cstdio>
#include <cstdlib>

namespace cicd::fuzz {

void require(bool holds, std::string_view promise, std::string_view detail) {
    if (holds) return;
    std::fprintf(stderr, "broken: %.*s\n%.*s\n", static_cast<int>(promise.size()), promise.data(),
                 static_cast<int>(detail.size()), detail.data());
    std::abort();
}

}  // namespace cicd::fuzz
