#pragma once

#include "common/regex/regex.hpp"

#include <string_view>

namespace cicd::api {

/// A regular expression that lines are searched for (`?grep=`): ECMAScript's syntax, UTF-8. One thread at a time.
class LinePattern {
public:
    /// CICD_400 with the place in the expression for one that is none.
    static Result<LinePattern> compile(std::string_view expression);

    /// Lines that are no UTF-8 match as their bytes allow; one that would take too long does not match.
    [[nodiscard]] bool matches(std::string_view line) const { return regex_.match(line) == Regex::Outcome::found; }

private:
    explicit LinePattern(Regex regex) : regex_(std::move(regex)) {}
    Regex regex_;
};

}  // namespace cicd::api
