#include "common/model/action.hpp"
#include "daemon/os/inner_path.hpp"
#include "daemon/runner/job.hpp"

#include <fcntl.h>

/// Problem matchers: a step names a file of them, and from then on the lines of all steps are looked at.
namespace cicd::runner {
namespace {

constexpr std::size_t largest_file = 1 << 20;

/// What is left of a path below a folder.
std::optional<std::string> below(const std::string& path, const std::string& folder) {
    if (folder.empty() || !path.starts_with(folder + "/")) return std::nullopt;
    return path.substr(folder.size() + 1);
}

std::string read_below(const std::string& folder, const std::string& path) {
    const os::Fd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return root ? os::read_in_root(root.get(), path, largest_file) : "";
}

}  // namespace

/// Of the workspace or of an action's repository, which this process can reach without asking the job's place.
std::string Job::read_as_step(const std::string& path) {
    const auto& workspace = supervisor_->folders().inner_workspace;
    auto inner = path.starts_with('/') ? below(path, workspace) : std::optional(path);
    if (!inner) inner = below(path, "/github/workspace");  // as a container's action sees it
    if (inner) return read_below(supervisor_->workspace().string(), *inner);
    for (const auto& action : spec_.fetched) {
        const auto inside = std::string(model::actions_folder) + "/" + action.name + "/" + model::folder_of_ref(action.ref);
        for (const auto& folder : {inside, action.path})
            if (const auto file = below(path, folder)) return read_below(action.path, *file);
    }
    return "";
}

void Job::obey(std::uint32_t step, const StepCommands::MatcherOrder& order) {
    const auto text = order.file.empty() ? "" : read_as_step(order.file);
    if (!order.file.empty() && text.empty()) {
        supervisor_->note(step, "there is no file of problem matchers " + order.file + " in the workspace or in an action");
    } else if (order.add) {
        if (const auto added = matchers_.add(text); !added) supervisor_->note(step, added.error().message);
    } else {
        auto owners = ProblemMatchers::owners(text);
        if (!order.owner.empty()) owners.push_back(order.owner);
        for (const auto& owner : owners) matchers_.remove(owner);
    }
    if (matchers_.is_empty()) masking_->see_with({});
    else masking_->see_with([this](std::uint32_t of, std::string_view line) { see(of, line); });
}

void Job::see(std::uint32_t step, std::string_view line) {
    auto problem = matchers_.see(step, line);
    for (const auto& owner : matchers_.take_given_up()) supervisor_->note(step, "the problem matcher '" + owner + "' takes too long on this output: it is left out");
    if (!problem) return;
    if (const auto inner = below(problem->file, supervisor_->folders().inner_workspace)) problem->file = *inner;
    commands_[step].add(std::move(*problem));
}

}  // namespace cicd::runner
