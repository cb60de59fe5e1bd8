#pragma once

#include "daemon/images/store.hpp"
#include "daemon/planner/prepare.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cicd::app {

/// See planner::PrepareOptions::why_no_engine.
std::function<std::optional<std::string>()> ask_for_engine(std::string setting);

/// What an image's name stands for at this moment: on this machine, else in its registry where skopeo is installed, else in
/// the repository. `only_look`: for a plan, which asks nobody and unpacks nothing; such names stay as they are.
planner::PinImage pin_images(std::shared_ptr<images::Store> store, std::string engine, bool only_look);

}  // namespace cicd::app
