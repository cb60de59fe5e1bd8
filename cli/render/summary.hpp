#pragma once

#include "cli/render/run_progress.hpp"
#include "cli/render/table.hpp"

#include <string>

namespace cicd::cli::render {

/// What is said when a run has ended: its jobs, why each failed, its last lines, and what to type next.
std::string summary(const RunProgress& progress, Timestamp now, const TableStyle& style);
/// "✗ run-3 ai-build failed in 12s".
std::string verdict(const model::Run& run, const Paint& paint);
/// "11 success, 1 failed": of a stage, or of all for "".
std::string job_counts(const model::Run& run, std::string_view stage);
Table job_table(const model::Run& run, Timestamp now);

std::string duration_of(const std::optional<Timestamp>& start, const std::optional<Timestamp>& end, Timestamp now);

}  // namespace cicd::cli::render
