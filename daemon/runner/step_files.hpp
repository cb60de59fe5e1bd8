#pragma once

#include "common/base/result.hpp"
#include "common/model/pipeline.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/runner/control.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The files by which steps speak to later steps: $CICD_ENV, $CICD_OUTPUT, $CICD_PATH, $CICD_SUMMARY.
namespace cicd::runner {

constexpr std::size_t largest_step_file = 1 << 20;

/// `name=value` lines and `name<<EOF` … `EOF` blocks. Fails at the first line that is neither, with its number.
/// `shown` is asked for what may be told of a line.
using Shown = std::function<std::string(std::string_view)>;
Result<model::Texts> parse_assignments(std::string_view text, const Shown& shown = {});
std::vector<std::string> parse_path_lines(std::string_view text);

struct StepResults {
    model::Texts env, outputs;
    std::vector<std::string> path;
    std::string summary;
    model::Texts state;
};

/// Whatever a step left in its files is read carefully: never more than a MiB.
Result<StepResults> read_results(const std::vector<os::Fd>& files, const Shown& shown);

/// One step's script and files, made before it starts; what it left in them comes back when it has ended.
class StepFiles {
public:
    /// In a folder as the steps see it.
    /// `with_state`: also $GITHUB_STATE, by which an action tells its own later part.
    StepFiles(std::string folder, int step, int script_mode = 0755, bool with_state = false)
        : folder_(std::move(folder)), step_(step), script_mode_(script_mode), with_state_(with_state) {}
    /// The variables that tell the step where they are.
    [[nodiscard]] model::Texts variables() const;
    [[nodiscard]] std::string path(std::string_view suffix) const;
    void add_to(Program& program, std::string_view script_suffix, std::string script) const;
    /// Without a script: for a program that is there already.
    void add_to(Program& program) const;

private:
    std::string folder_;
    int step_, script_mode_;
    bool with_state_;
};

}  // namespace cicd::runner
