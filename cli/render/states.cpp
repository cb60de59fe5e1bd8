#include "cli/render/states.hpp"

namespace cicd::cli::render {
namespace {

// Five looks are enough for all states.
enum class Look { waiting, active, good, bad, held, nothing, half };

Tone tone(Look look) {
    switch (look) {
        case Look::waiting:
            return Tone::dim;
        case Look::active:
            return Tone::cyan;
        case Look::good:
            return Tone::green;
        case Look::bad:
            return Tone::red;
        case Look::held:
            return Tone::magenta;
        case Look::nothing:
            return Tone::dim;
        case Look::half:
            return Tone::yellow;
    }
    return Tone::plain;
}

std::string_view sign(Look look) {
    switch (look) {
        case Look::waiting:
            return "○";
        case Look::active:
            return "●";
        case Look::good:
            return "✓";
        case Look::bad:
            return "✗";
        case Look::held:
            return "‖";
        case Look::nothing:
            return "–";
        case Look::half:
            return "!";
    }
    return " ";
}

Look look(model::RunState state) {
    using model::RunState;
    switch (state) {
        case RunState::created:
        case RunState::queued:
            return Look::waiting;
        case RunState::running:
            return Look::active;
        case RunState::blocked:
            return Look::held;
        case RunState::success:
            return Look::good;
        case RunState::failed:
            return Look::bad;
        case RunState::cancelled:
            return Look::half;
    }
    return Look::nothing;
}

Look look(model::StageState state) {
    using model::StageState;
    switch (state) {
        case StageState::pending:
            return Look::waiting;
        case StageState::running:
            return Look::active;
        case StageState::success:
            return Look::good;
        case StageState::partial:
            return Look::half;
        case StageState::failed:
            return Look::bad;
        case StageState::skipped:
            return Look::nothing;
        case StageState::cancelled:
            return Look::half;
    }
    return Look::nothing;
}

Look look(model::JobState state) {
    using model::JobState;
    switch (state) {
        case JobState::created:
        case JobState::queued:
        case JobState::scheduled:
            return Look::waiting;
        case JobState::running:
            return Look::active;
        case JobState::success:
            return Look::good;
        case JobState::failed:
            return Look::bad;
        case JobState::cancelled:
            return Look::half;
        case JobState::skipped:
        case JobState::archived:
            return Look::nothing;
    }
    return Look::nothing;
}

Look look(model::StepState state) {
    using model::StepState;
    switch (state) {
        case StepState::pending:
            return Look::waiting;
        case StepState::running:
            return Look::active;
        case StepState::success:
            return Look::good;
        case StepState::failed:
            return Look::bad;
        case StepState::cancelled:
            return Look::half;
        case StepState::skipped:
            return Look::nothing;
    }
    return Look::nothing;
}

}  // namespace

Tone tone_of(model::RunState state) {
    return tone(look(state));
}
Tone tone_of(model::StageState state) {
    return tone(look(state));
}
Tone tone_of(model::JobState state) {
    return tone(look(state));
}
Tone tone_of(model::StepState state) {
    return tone(look(state));
}

std::string_view sign_of(model::RunState state) {
    return sign(look(state));
}
std::string_view sign_of(model::StageState state) {
    return sign(look(state));
}
std::string_view sign_of(model::JobState state) {
    return sign(look(state));
}
std::string_view sign_of(model::StepState state) {
    return sign(look(state));
}

}  // namespace cicd::cli::render
