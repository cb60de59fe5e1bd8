#pragma once

#include "common/base/enum_text.hpp"
#include "common/base/result.hpp"

#include <filesystem>
#include <string>

namespace cicd::zones {

/// How a job comes to a workspace of its own. The first two start a job at once, however large its repository is.
enum class WorkspaceMethod { overlay, reflink, copy };

struct WorkspaceMethodFound {
    WorkspaceMethod method = WorkspaceMethod::copy;
    std::string why;  ///< why nothing better works here; empty for overlay
};

/// What works below `state` on this machine: tried once for real (some milliseconds), then remembered by this process.
/// $CICD_WORKSPACE names one that is to be used without a trial.
WorkspaceMethodFound workspace_method(const std::filesystem::path& state, const std::filesystem::path& runner);

/// A whole tree as a copy, file by file: data is shared where the file system can.
Result<void> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace cicd::zones

namespace cicd {
template <>
struct EnumText<zones::WorkspaceMethod> {
    using E = zones::WorkspaceMethod;
    static constexpr std::array table{std::pair{E::overlay, std::string_view{"overlay"}},
                                      std::pair{E::reflink, std::string_view{"reflink"}},
                                      std::pair{E::copy, std::string_view{"copy"}}};
};
}  // namespace cicd
