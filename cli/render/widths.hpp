#pragma once

#include <cstddef>

namespace cicd::cli::render {

/// Columns that a character takes on a terminal: 0, 1 or 2. Control characters take none.
std::size_t columns_of(char32_t point);

}  // namespace cicd::cli::render
