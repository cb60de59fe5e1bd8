#pragma once

#include "common/model/action.hpp"
#include "common/pipeline/parse.hpp"

#include <string>
#include <string_view>

namespace cicd::pipeline::github {

using model::Action;
using model::ActionInput;
using model::ActionKind;
using model::ActionName;
using model::ActionUsing;
using model::find_action;

Parsed<Action> parse_action(std::string_view yaml, const std::string& file);

}  // namespace cicd::pipeline::github
