#include "common/base/text.hpp"
#include "common/pipeline/readers.hpp"

#include <algorithm>
#include <array>

/// POSIX crontab's five fields, with names, lists, ranges and steps.
namespace cicd::pipeline {
namespace {

struct FieldRule {
    std::string_view name;
    int min, max;
    std::string_view names;  ///< three letters each, in order, from `min`
};

constexpr std::array<FieldRule, 5> rules{{{"minute", 0, 59, ""},
                                          {"hour", 0, 23, ""},
                                          {"day of month", 1, 31, ""},
                                          {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                          {"day of week", 0, 7, "sunmontuewedthufrisat"}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> macros{{{"@hourly", "0 * * * *"},
                                                                               {"@daily", "0 0 * * *"},
                                                                               {"@midnight", "0 0 * * *"},
                                                                               {"@weekly", "0 0 * * 0"},
                                                                               {"@monthly", "0 0 1 * *"},
                                                                               {"@yearly", "0 0 1 1 *"}}};

int read_value(std::string_view text, const FieldRule& rule) {
    if (text.size() == 3 && !rule.names.empty()) {
        const auto at = rule.names.find(to_lower(text));
        if (at != std::string_view::npos && at % 3 == 0) return rule.min + static_cast<int>(at / 3);
    }
    if (text.empty() || text.size() > 3) return -1;
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

bool item_is_valid(std::string_view item, const FieldRule& rule) {
    const auto slash = item.find('/');
    if (slash != std::string_view::npos) {
        const int step = read_value(item.substr(slash + 1), {"", 0, 0, ""});
        if (step < 1 || step > rule.max) return false;
        item = item.substr(0, slash);
    }
    if (item == "*") return true;
    const auto dash = item.find('-');
    const auto in_range = [&](int v) { return v >= rule.min && v <= rule.max; };
    const int low = read_value(item.substr(0, dash), rule);
    if (dash == std::string_view::npos) return in_range(low);
    const int high = read_value(item.substr(dash + 1), rule);
    return in_range(low) && in_range(high) && low <= high;
}

}  // namespace

std::optional<std::string> cron_fault(std::string_view text) {
    for (const auto& [macro, fields] : macros)
        if (trim(text) == macro) return "five fields are needed instead of a macro: \"" + std::string(fields) + "\"";
    std::vector<std::string> fields;
    for (auto& part : split(text, ' '))
        if (!part.empty()) fields.push_back(std::move(part));
    if (fields.size() != rules.size())
        return "five fields are needed (minute, hour, day of month, month, day of week), not " +
               std::to_string(fields.size());
    for (std::size_t i = 0; i < rules.size(); ++i)
        for (const auto& item : split(fields[i], ','))
            if (!item_is_valid(item, rules[i]))
                return "'" + item + "' is no " + std::string(rules[i].name) + " (" + std::to_string(rules[i].min) +
                       " to " + std::to_string(rules[i].max) + ", lists with ',', ranges with '-', steps with '/')";
    return std::nullopt;
}

}  // namespace cicd::pipeline
