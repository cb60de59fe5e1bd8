#pragma once

#include "common/model/run.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::runner {

/// What steps say in lines of their output: `::name key=value,…::data`, as "Workflow commands for GitHub Actions" describes
/// them. `::add-mask::` is not among them: see masking.hpp.
class StepCommands {
public:
    struct Said {
        model::Texts env, outputs, state;
        std::vector<std::string> path;
        std::vector<model::Annotation> annotations;
        std::optional<std::string> fault;  ///< the step asked for what it may not
    };

    /// Before a program starts. `unsecure`: whoever writes to its output may change the environment of later steps.
    void begin(bool unsecure);
    /// One line that begins with `::`, its end included. What is to be shown of it; nothing where it is no command.
    std::optional<std::string> take(std::string_view line);
    Said collect();
    /// What was found in its output otherwise.
    void add(model::Annotation annotation);
    /// `file` or, to remove one, `owner`.
    struct MatcherOrder {
        bool add = true;
        std::string file, owner;
    };
    std::vector<MatcherOrder> take_matcher_orders() { return std::exchange(matcher_orders_, {}); }

private:
    struct Command;
    std::optional<std::string> obey(const Command& command, std::string_view line);
    std::string annotate(const Command& command, model::AnnotationLevel level);

    Said said_;
    std::vector<MatcherOrder> matcher_orders_;
    bool unsecure_ = false;
    std::string stop_token_;  ///< not empty: nothing is obeyed until it comes
};

}  // namespace cicd::runner
