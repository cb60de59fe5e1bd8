#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "common/expr/expression.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cicd::scheduler {

/// How the needs of something ended, as its condition sees it.
struct Status {
    bool success = true;
    bool failure = false;    ///< something it needs failed, directly or further up
    bool cancelled = false;  ///< the run is being cancelled
    std::string cause;       ///< why not success: "stage build failed"
};

struct Verdict {
    bool run = true;
    std::string reason;  ///< why not
};

/// `condition:` of a stage or a job: always, on_success, on_failure or an expression.
class Condition {
public:
    static Result<Condition> parse(std::string_view text, const Object& contexts);
    /// Fails where the expression cannot be evaluated.
    [[nodiscard]] Result<Verdict> judge(const Status& status, const Object& contexts) const;
    /// What it reads, and what that is: {"params.skipTests": true}.
    [[nodiscard]] Object values(const Object& contexts) const;
    /// Whether it may hold in a run that is being cancelled.
    [[nodiscard]] bool survives_cancel() const { return survives_cancel_; }
    /// Whether it reads `matrix`, and so waits for the matrix to be expanded.
    [[nodiscard]] bool reads_matrix() const;

private:
    enum class Kind { on_success, on_failure, always, expression };
    Kind kind_ = Kind::on_success;
    std::string text_;
    std::optional<expr::Expression> expression_;
    bool asks_status_ = false, survives_cancel_ = false;
};

/// An expression that says yes or no.
Result<bool> evaluate_flag(const std::string& expression, const Object& contexts);

}  // namespace cicd::scheduler
