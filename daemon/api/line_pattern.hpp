#pragma once

#include "common/base/result.hpp"

#include <memory>
#include <string_view>

namespace cicd::api {

/// A regular expression that lines are searched for (`?grep=`): ECMAScript's syntax, UTF-8. Compiled once, by PCRE2;
/// its effort for one line is bounded, so no expression can hold the daemon up. One thread at a time.
class LinePattern {
public:
    /// CICD_400 with the place in the expression for one that is none.
    static Result<LinePattern> compile(std::string_view expression);
    ~LinePattern();
    LinePattern(LinePattern&&) noexcept;
    LinePattern& operator=(LinePattern&&) noexcept;

    /// Lines that are no UTF-8 match as their bytes allow; one that would take too long does not match.
    [[nodiscard]] bool matches(std::string_view line) const;

private:
    struct State;
    explicit LinePattern(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cicd::api
