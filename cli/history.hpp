#pragma once

#include "cli/render/run_progress.hpp"
#include "cli/session.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace cicd::cli {

/// Looks up what earlier runs took, while there is nothing else to do: one small request at a time, none before the run
/// is half a second old, and nobody is told where it does not work.
class History {
public:
    explicit History(Session& session) : session_(session) {}

    /// One step further; gives `progress` its expectations as soon as there are some.
    void look_up(render::RunProgress& progress);

private:
    enum class Phase { early, list, runs, done };
    void list(const model::Run& run);

    Session& session_;
    Phase phase_ = Phase::early;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::optional<client::Client> client_;
    std::vector<model::Run> past_;
    std::size_t next_ = 0;
};

}  // namespace cicd::cli
