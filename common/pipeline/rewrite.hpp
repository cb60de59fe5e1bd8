#pragma once

#include "common/base/value.hpp"
#include "common/model/pipeline.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Definitions whose expressions are given other names, as texts.
namespace cicd::pipeline {

/// A path such as inputs.name or steps.build.outputs.version, given as its parts.
using PathReplacement = std::function<std::optional<std::string>(const std::vector<std::string>& path)>;
/// Replaces paths in an expression's text; quoted texts stay as they are.
std::string rewrite_expression(std::string_view expression, const PathReplacement& replace);
/// The same in every `${{ }}` of a text.
std::string rewrite_text(const std::string& text, const PathReplacement& replace);
void rewrite_step(model::Step& step, const PathReplacement& replace);
void rewrite_job(model::Job& job, const PathReplacement& replace);
/// Calls back for every text of the job that can hold expressions; `bare` says that the whole text is one.
void for_each_text(const model::Job& job, const std::function<void(const std::string&, const model::Mark&, bool bare)>& visit);
/// A value as an expression: 'it''s', 3, true, format('a-{0}', x).
std::string as_expression(const Value& value);

}  // namespace cicd::pipeline
