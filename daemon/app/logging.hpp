#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The daemon's own log: one line for each event, `key=value`. To the journal without what the journal knows itself.
namespace cicd::app {

/// trace, debug, info, warn, error
std::vector<std::string> log_levels();

struct LogOptions {
    std::string level = "info";
    std::filesystem::path file;  ///< empty: stderr. Else rotated before it grows beyond 10 MiB; three old ones are kept
};
Result<void> start_logging(const LogOptions& options);

/// Takes effect at once. Refused with CICD_400 for an unknown level.
Result<void> set_log_level(const std::string& level);
std::string log_level();

/// `msg="text" key=value …`: values are quoted where they have to be.
using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;
std::string log_line(std::string_view text, LogFields fields = {});
/// `value`, or `"va lue"` with `\"`, `\\` and `\n` in it.
std::string quoted_where_needed(std::string_view value);

/// Whether file descriptor `fd` is connected to the journal, by what systemd says in $JOURNAL_STREAM.
bool is_journal(int fd, const char* journal_stream);

}  // namespace cicd::app
