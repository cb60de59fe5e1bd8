// A file of problem matchers, a NUL byte, and lines that they see in two steps.
#include "daemon/runner/problem_matchers.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace cicd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    const auto cut = text.find('\0');
    runner::ProblemMatchers matchers;
    const auto added = matchers.add(text.substr(0, cut));
    if (!added) fuzz::require_good(added.error());
    (void)runner::ProblemMatchers::owners(text.substr(0, cut));
    std::uint32_t step = 0;
    auto lines = cut == text.npos ? std::string_view() : std::string_view(text).substr(cut + 1);
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        if (const auto found = matchers.see(step++ % 2, lines.substr(0, end))) {
            fuzz::require(!found->message.empty(), "a problem says something", std::string(lines.substr(0, end)));
            fuzz::require(found->line >= 0 && found->column >= 0, "places count from 0", std::string(lines.substr(0, end)));
        }
        lines.remove_prefix(end == lines.npos ? lines.size() : end + 1);
    }
    return 0;
}
