#include "cli/command.hpp"

#include <charconv>
#include <stdexcept>

namespace cicd::cli {

const Arguments::Given& Arguments::find(std::string_view long_name) const {
    for (const auto& entry : given)
        if (entry.option->long_name() == long_name) return entry;
    throw std::logic_error("the command does not declare " + std::string(long_name));
}

std::string Arguments::text(std::string_view long_name) const {
    const auto& values = find(long_name).values;
    return values.empty() ? std::string() : values.back();
}

Result<std::optional<int>> Arguments::number(std::string_view long_name, int least) const {
    if (!has(long_name)) return std::optional<int>();
    const auto typed = text(long_name);
    int number = 0;
    const auto end = typed.data() + typed.size();
    const auto [stop, fault] = std::from_chars(typed.data(), end, number);
    if (fault != std::errc() || stop != end || number < least)
        return usage_error(std::string(long_name) + " takes a whole number of at least " + std::to_string(least) +
                           ", not '" + typed + "'");
    return std::optional<int>(number);
}

std::vector<const Option*> Command::all_options() const {
    std::vector<const Option*> all;
    for (const auto& option : options) all.push_back(&option);
    for (const auto& option : shared_options) all.push_back(&option);
    return all;
}

}  // namespace cicd::cli
