#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cicd::pipeline::gitlab {

/// An expression of `rules:if`, such as $A == "b" && $C =~ /^v/.
struct Term {
    enum class Kind { any, all, equal, differs, matches, matches_not, group, variable, text, pattern, null, truth };
    Kind kind = Kind::null;
    std::string text = {};  ///< a variable's name, a text, a pattern with its slashes
    bool truth = false;
    std::vector<Term> parts = {};
};
Result<Term> parse_if(std::string_view expression);

}  // namespace cicd::pipeline::gitlab
