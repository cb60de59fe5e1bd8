#pragma once

#include "cli/render/table.hpp"
#include "common/base/enum_text.hpp"
#include "common/model/states.hpp"

#include <string>
#include <string_view>

/// How states look: one sign and one colour each.
namespace cicd::cli::render {

Tone tone_of(model::RunState state);
Tone tone_of(model::StageState state);
Tone tone_of(model::JobState state);
Tone tone_of(model::StepState state);

std::string_view sign_of(model::RunState state);
std::string_view sign_of(model::StageState state);
std::string_view sign_of(model::JobState state);
std::string_view sign_of(model::StepState state);

template <class State>
Cell state_cell(State state) {
    return {std::string(sign_of(state)) + " " + std::string(to_text(state)), tone_of(state)};
}

}  // namespace cicd::cli::render
