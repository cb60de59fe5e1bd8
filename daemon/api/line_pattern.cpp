#include "daemon/api/line_pattern.hpp"

#include "common/contract/errors.hpp"

namespace cicd::api {

Result<LinePattern> LinePattern::compile(std::string_view expression) {
    auto regex = Regex::compile(expression, {.ecma_script = true, .often = true, .most_steps = 1'000'000, .most_heap_kib = 32 * 1024});
    if (!regex)
        return invalid(std::string(contract::code::bad_request), "'grep' is no regular expression: " + regex.error().message,
                       "put a '\\' before characters that are meant as they are");
    return LinePattern(std::move(*regex));
}

}  // namespace cicd::api
