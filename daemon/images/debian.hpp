#pragma once

#include "common/contract/requests.hpp"
#include "daemon/images/program.hpp"
#include "daemon/images/store.hpp"
#include "daemon/os/files.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Roots of Debian's packages, by mmdebstrap, for machines without a registry.
namespace cicd::images {

/// One image while it is being made. Everything here blocks, but `go_on` no longer than a moment. What is half made goes
/// with this.
class DebianBuild {
public:
    /// Fails (IMAGE_002) where the name cannot be one, (unavailable, IMAGE_007) where mmdebstrap is missing.
    static Result<std::unique_ptr<DebianBuild>> start(Store& store, const std::filesystem::path& folder, contract::BuildImage wanted);
    ~DebianBuild();
    DebianBuild(const DebianBuild&) = delete;
    DebianBuild& operator=(const DebianBuild&) = delete;

    /// What was said since; nothing once mmdebstrap has ended.
    std::optional<std::vector<std::string>> go_on();
    /// Then: the image, unpacked and named, or why there is none (IMAGE_007).
    Result<contract::Image> finish();

private:
    DebianBuild(Store& store, contract::BuildImage wanted) : store_(store), wanted_(std::move(wanted)) {}
    [[nodiscard]] std::vector<std::string> command(const std::string& mmdebstrap) const;

    Store& store_;
    contract::BuildImage wanted_;
    os::HeldDirectory held_;  ///< where it is made: the sweep for leftovers of an earlier daemon passes over it
    std::vector<std::string> said_;
    std::unique_ptr<RunningProgram> program_;
};

/// The suite of this machine, such as "bookworm", by its os-release; empty: it does not say.
std::string own_suite(const std::string& os_release);
/// mmdebstrap's words for where packages come from.
std::vector<std::string> mirror_arguments(const contract::BuildImage& wanted, const std::string& suite,
                                          const std::vector<std::pair<std::string, std::string>>& sources);

}  // namespace cicd::images
