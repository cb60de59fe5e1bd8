#pragma once

#include "common/model/run.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cicd::cli::render {

/// How long a run and its parts are likely to take: medians of what the last successful runs took.
struct Expectations {
    std::optional<Milliseconds> run;
    std::map<std::string, Milliseconds, std::less<>> stages;  ///< by name
    std::map<std::string, Milliseconds, std::less<>> jobs;    ///< by key

    [[nodiscard]] std::optional<Milliseconds> stage(std::string_view name) const;
    [[nodiscard]] std::optional<Milliseconds> job(std::string_view key) const;
    bool operator==(const Expectations&) const = default;
};

/// Parts that did not succeed count as unknown. Runs without jobs (as lists give them) tell of run and stages only.
Expectations expectations_from(const std::vector<model::Run>& past);

}  // namespace cicd::cli::render
