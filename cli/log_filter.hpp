#pragma once

#include "cli/command.hpp"
#include "common/contract/requests.hpp"
#include "common/model/run.hpp"

#include <optional>
#include <regex>
#include <string>

namespace cicd::cli {

/// Which lines of a log were asked for. The daemon filters what is stored; what is followed is filtered here.
class LogFilter {
public:
    static Result<LogFilter> from(const Arguments& arguments);

    /// What to ask the daemon for, from that line on.
    [[nodiscard]] contract::LogQuery query(std::uint64_t first_line) const;
    [[nodiscard]] bool wants(const model::JobRun* job, const contract::LogEntry& entry) const;

    [[nodiscard]] std::optional<int> tail() const { return tail_; }
    [[nodiscard]] bool timestamps() const { return timestamps_; }
    [[nodiscard]] bool raw() const { return raw_; }

private:
    std::string step_, grep_;  ///< step: index from 0, id or name
    std::optional<std::regex> pattern_;
    std::optional<Timestamp> since_;
    std::optional<int> tail_, attempt_;
    bool timestamps_ = false, raw_ = false;
};

}  // namespace cicd::cli
