#pragma once

#include "common/base/result.hpp"
#include "common/expr/expression.hpp"
#include "common/model/job_spec.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::runner {

/// What the status functions answer from.
enum class JobStatus { success, failure, cancelled };

struct Condition {
    bool holds = false;
    std::string why_not;  ///< for people
};

/// What expressions see while a job runs: the contexts of its spec, and env, secrets, steps and job as they become.
class Context {
public:
    /// Where the workspace is to be found, asked when an expression wants to look into it.
    using Workspace = std::function<std::filesystem::path()>;
    Context(const model::JobSpec& spec, Object secrets, Workspace workspace);

    /// Layer by layer, entry by entry: each may refer to what came before it as `env.NAME`.
    Result<void> add_env(const model::Texts& layer);
    /// As they are, without evaluation.
    void set_env(const model::Texts& values);
    [[nodiscard]] const model::Texts& env() const { return env_; }
    void set_steps(std::string_view id, const model::Texts& outputs, std::string_view outcome, std::string_view conclusion);

    /// Instead of what is there, such as `inputs` of an action while its steps run.
    void set_context(const std::string& name, Value value) { fixed_.set(name, std::move(value)); }
    [[nodiscard]] Value context(std::string_view name) const {
        const Value* found = fixed_.find(name);
        return found ? *found : Value();
    }
    /// The steps of an action know nothing of those around them.
    void forget_steps() { steps_ = {}; }

    [[nodiscard]] JobStatus status() const { return status_; }
    void set_status(JobStatus status) { status_ = status; }

    [[nodiscard]] Result<std::string> text(std::string_view text) const;
    [[nodiscard]] Result<bool> truth(const model::OrExpression<bool>& value) const;
    [[nodiscard]] Result<Condition> condition(std::string_view text) const;
    [[nodiscard]] const Value& spec_value(std::string_view context, std::string_view member) const;

private:
    [[nodiscard]] expr::Scope scope() const;

    Object fixed_;  ///< contexts that do not change
    model::Texts env_;
    Object steps_;
    JobStatus status_ = JobStatus::success;
    Workspace workspace_;
};

/// Sets or replaces, keeping the order.
void put(model::Texts& texts, const std::string& name, std::string value);

}  // namespace cicd::runner
