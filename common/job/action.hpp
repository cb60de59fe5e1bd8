#pragma once

#include "common/base/result.hpp"
#include "common/model/action.hpp"

#include <string>
#include <string_view>

/// `cicd-action FILE` reads the text of an action from one descriptor and writes what it says to another: the runner knows
/// no YAML, whose library would cost every job's start.
namespace cicd::job {

constexpr int action_text_fd = 3, action_answer_fd = 4;

std::string to_text(const Result<model::Action>& action);
/// The error may be the action's own.
Result<model::Action> read_action(std::string_view text);

}  // namespace cicd::job
