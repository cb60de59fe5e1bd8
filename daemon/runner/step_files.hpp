#pragma once

#include "common/base/result.hpp"
#include "common/model/pipeline.hpp"
#include "daemon/runner/place.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The files by which steps speak to later steps: $CICD_ENV, $CICD_OUTPUT, $CICD_PATH, $CICD_SUMMARY.
namespace cicd::runner {

constexpr std::size_t largest_step_file = 1 << 20;

/// `name=value` lines and `name<<EOF` … `EOF` blocks. Fails at the first line that is neither, with its number.
Result<model::Texts> parse_assignments(std::string_view text);
std::vector<std::string> parse_path_lines(std::string_view text);

struct StepResults {
    model::Texts env, outputs;
    std::vector<std::string> path;
    std::string summary;
};

/// One step's files, made empty before it starts and read after it has ended.
class StepFiles {
public:
    static Result<StepFiles> create(const Folders& folders, int step);
    /// The variables that tell the step where they are.
    [[nodiscard]] model::Texts variables() const;
    /// Whatever the step left there is read carefully: never through links, never more than a MiB.
    [[nodiscard]] Result<StepResults> read() const;
    /// Writes the step's program; returns its path as the step sees it.
    Result<std::string> write_script(std::string_view text, std::string_view suffix) const;

private:
    StepFiles(const Folders& folders, int step) : folders_(&folders), step_(step) {}
    const Folders* folders_;
    int step_;
};

}  // namespace cicd::runner
