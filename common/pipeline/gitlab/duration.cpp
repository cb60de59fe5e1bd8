#include "common/base/text.hpp"
#include "common/pipeline/gitlab/load.hpp"

#include <cctype>
#include <charconv>
#include <map>

namespace cicd::pipeline::gitlab {

std::optional<Milliseconds> read_duration(std::string_view text) {
    static const std::map<std::string, double, std::less<>> units{
        {"", 1}, {"s", 1}, {"sec", 1}, {"secs", 1}, {"second", 1}, {"seconds", 1},
        {"m", 60}, {"min", 60}, {"mins", 60}, {"minute", 60}, {"minutes", 60},
        {"h", 3600}, {"hr", 3600}, {"hrs", 3600}, {"hour", 3600}, {"hours", 3600},
        {"d", 86400}, {"day", 86400}, {"days", 86400}, {"w", 604800}, {"wk", 604800}, {"week", 604800}, {"weeks", 604800},
        {"mo", 2592000}, {"mos", 2592000}, {"month", 2592000}, {"months", 2592000},
        {"y", 31536000}, {"yr", 31536000}, {"yrs", 31536000}, {"year", 31536000}, {"years", 31536000}};
    double seconds = 0;
    bool any = false;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == ',') {
            ++at;
            continue;
        }
        if (text.substr(at).starts_with("and ")) {
            at += 4;
            continue;
        }
        double number = 0;
        const auto [end, code] = std::from_chars(text.data() + at, text.data() + text.size(), number);
        if (code != std::errc() || !(number >= 0) || number > 1e9) return std::nullopt;
        at = static_cast<std::size_t>(end - text.data());
        while (at < text.size() && text[at] == ' ') ++at;
        std::string unit;
        while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0) unit += text[at++];
        const auto found = units.find(to_lower(unit));
        if (found == units.end()) return std::nullopt;
        seconds += number * found->second;
        any = true;
    }
    if (!any || seconds > 1e11) return std::nullopt;
    return Milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace cicd::pipeline::gitlab
