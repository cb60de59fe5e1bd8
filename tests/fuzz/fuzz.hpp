#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// One call with hostile bytes. Both libFuzzer (which invents them) and replay.cpp (which reads the kept ones) call it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace cicd::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the program, as a crash does, where a promise of the code under test is broken.
void require(bool holds, std::string_view promise, std::string_view detail = {});

/// Takes the input's first byte (0 for an empty one): which of several functions, which options.
inline unsigned char take_byte(std::string_view& input) {
    if (input.empty()) return 0;
    const auto byte = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return byte;
}

/// Takes the input up to the next newline.
inline std::string_view take_line(std::string_view& input) {
    const auto end = input.find('\n');
    const auto line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    return line;
}

/// What an error must have to be of use to a person.
inline void require_good(const Error& error) {
    require(!error.message.empty(), "an error has a message");
    require(!error.code.empty(), "an error has a code", error.message);
    require(error.message.size() < 200'000, "an error's message does not explode");
}

}  // namespace cicd::fuzz
