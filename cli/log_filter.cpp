#include "cli/log_filter.hpp"

#include "cli/times.hpp"

#include <algorithm>

namespace cicd::cli {
namespace {

// std::regex recurses with the length of the text; longer lines are looked at as far as this.
constexpr std::size_t longest_match = 8192;

}  // namespace

Result<LogFilter> LogFilter::from(const Arguments& arguments) {
    LogFilter filter;
    filter.timestamps_ = arguments.has("--timestamps");
    filter.raw_ = arguments.has("--raw");
    CICD_TRY(filter.tail_, arguments.number("--tail", 0));
    CICD_TRY(filter.attempt_, arguments.number("--attempt", 1));
    if (filter.attempt_ && arguments.has("--follow"))
        return usage_error("--attempt shows what was, --follow what comes: give one of them");
    if (arguments.has("--since")) {
        CICD_TRY(filter.since_, past_time("--since", arguments.text("--since")));
    }
    filter.step_ = arguments.text("--step");
    if (std::all_of(filter.step_.begin(), filter.step_.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
        !filter.step_.empty()) {
        CICD_TRY(const auto number, arguments.number("--step", 1));
        filter.step_ = std::to_string(*number - 1);
    }
    filter.grep_ = arguments.text("--grep");
    if (!filter.grep_.empty()) {
        try {
            filter.pattern_.emplace(filter.grep_, std::regex::ECMAScript);
        } catch (const std::regex_error& fault) {
            return usage_error("--grep cannot read '" + filter.grep_ + "': " + fault.what(),
                               "a regular expression as in JavaScript; '\\\\.' is a dot");
        }
    }
    return filter;
}

contract::LogQuery LogFilter::query(std::uint64_t first_line) const {
    contract::LogQuery query;
    query.first_line = first_line;
    query.attempt = attempt_.value_or(0);
    query.tail = tail_.value_or(-1);
    query.since = since_;
    query.step = step_;
    query.grep = grep_;
    return query;
}

bool LogFilter::wants(const model::JobRun* job, const contract::LogEntry& entry) const {
    if (since_ && entry.time < *since_) return false;
    if (!step_.empty() && step_ != std::to_string(entry.step)) {
        if (!job) return false;
        const auto named = std::any_of(job->steps.begin(), job->steps.end(), [&](const auto& step) {
            return step.index == entry.step && (step.name == step_ || step.id == step_);
        });
        if (!named) return false;
    }
    return !pattern_ || std::regex_search(entry.text.substr(0, longest_match), *pattern_);
}

}  // namespace cicd::cli
