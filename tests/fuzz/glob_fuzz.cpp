// Filter patterns and file globs: the lines before an empty one are patterns, those behind it names.
#include "common/base/glob.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace cicd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = fuzz::as_text(data, size);
    std::vector<std::string> patterns, names;
    while (!text.empty()) {
        const auto line = fuzz::take_line(text);
        if (line.empty()) break;
        patterns.emplace_back(line);
    }
    while (!text.empty()) names.emplace_back(fuzz::take_line(text));

    const auto filter = FilterPatterns::compile(patterns);
    if (!filter) {
        fuzz::require_good(filter.error());
    } else {
        bool any = false;
        for (const auto& name : names) any = filter->matches(name) || any;
        if (std::none_of(patterns.begin(), patterns.end(), [](const auto& p) { return p.starts_with('!'); }))
            fuzz::require(filter->any_selected(names) == any, "any_selected is matches for one of the names");
        (void)filter->all_ignored(names);
        fuzz::require(!(names.empty() && filter->all_ignored(names)), "no paths are never all ignored");
    }
    for (const auto& pattern : patterns) {
        for (const auto& name : names) {
            const auto matched = glob_match(pattern, name);
            if (!matched) fuzz::require_good(matched.error());
            if (pattern == name && pattern.find_first_of("*?[]{}\\!+") == std::string::npos)
                fuzz::require(matched && *matched, "a plain pattern matches itself", pattern);
        }
    }
    return 0;
}
