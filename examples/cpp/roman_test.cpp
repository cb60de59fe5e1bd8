#include "roman.hpp"

#include <cstdio>

int main() {
    const std::pair<int, const char*> cases[] = {{1, "I"}, {4, "IV"}, {14, "XIV"}, {1990, "MCMXC"}, {2026, "MMXXVI"}};
    int failures = 0;
    for (const auto& [number, expected] : cases) {
        const auto text = to_roman(number);
        std::printf("%4d = %s\n", number, text.c_str());
        if (text != expected) ++failures;
    }
    return failures;
}
