#include "daemon/runner/build_request.hpp"

#include "common/base/text.hpp"
#include "common/expr/expression.hpp"

namespace cicd::runner {
namespace {

/// A list, or a text with one on each line or between commas.
Result<std::vector<std::string>> list_of(const Value& value, const Context& context) {
    std::vector<std::string> list;
    const auto add = [&](const Value& one) -> Result<void> {
        CICD_TRY(const auto text, context.text(expr::to_display_text(one)));
        for (const auto& line : split(text, '\n'))
            for (const auto& part : split(line, ','))
                if (!trim(part).empty()) list.emplace_back(trim(part));
        return {};
    };
    const auto items = value.is_array() ? value.as_array() : Array{value};
    for (const auto& one : items) CICD_CHECK(add(one));
    return list;
}

}  // namespace

Result<job::BuildRequest> build_request(const model::Step& step, const model::JobSpec& spec, const Context& context) {
    job::BuildRequest request;
    request.engine = spec.engine;
    request.state = spec.store;
    request.network = spec.network == model::NetworkMode::none ? "none" : "host";
    for (const auto& [name, value] : step.with) {
        if (name == "tags") {
            CICD_TRY(request.tags, list_of(value, context));
        } else if (name == "args") {
            if (!value.is_object()) return invalid("JOB_002", "'args' of build/docker is a mapping of names to values");
            for (const auto& [argument, given] : value.as_object()) {
                CICD_TRY(auto text, context.text(expr::to_display_text(given)));
                request.arguments.emplace_back(argument, std::move(text));
            }
        } else {
            CICD_TRY(auto text, context.text(expr::to_display_text(value)));
            if (name == "context") request.context = std::move(text);
            else if (name == "file") request.file = std::move(text);
            else if (name == "target") request.target = std::move(text);
            else if (name == "login") request.login = std::move(text);
            else if (name == "push") request.push = text == "true";
            else return invalid("JOB_002", "build/docker has no input '" + name + "'", "its inputs: context, file, tags, args, target, push, login");
        }
    }
    if (request.push && request.tags.empty()) return invalid("JOB_002", "build/docker has nothing to push", "give it 'tags'");
    return request;
}

}  // namespace cicd::runner
