#pragma once

#include "common/base/result.hpp"
#include "daemon/images/reference.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

/// Images of registries, by skopeo: it knows credentials, mirrors and certificates as its own configuration says.
namespace cicd::images {

/// Whether skopeo is in PATH.
bool can_pull();

/// The digest of what the name stands for in its registry at this moment, for this kind of machine. Gives up after half a
/// minute. Fails (unavailable, IMAGE_006) with what skopeo said.
Result<std::string> ask_registry(const Reference& reference);

/// Every part of the image, as the registry has it, into a folder for Layout.
Result<void> fetch_image(const Reference& reference, const std::filesystem::path& folder,
                         const std::function<void(std::string_view)>& tell, const std::function<bool()>& stop);

}  // namespace cicd::images
