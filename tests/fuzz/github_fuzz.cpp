// A workflow or an action.yml of GitHub's: read whatever it holds; what has no error is a pipeline that can be stored.
#include "common/pipeline/front.hpp"
#include "common/pipeline/github/actions.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace cicd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = fuzz::as_text(data, size);
    const auto choice = fuzz::take_byte(text);
    if (choice == 'a') {
        for (const auto& problem : pipeline::github::parse_action(text, "action.yml").problems)
            fuzz::require(!problem.message.empty(), "a problem has a message");
        return 0;
    }
    if (choice == 'u') {
        const auto found = pipeline::github::find_action(text);
        fuzz::require(found.name.size() + found.path.size() + found.ref.size() <= text.size(), "parts of a name are parts of it");
        return 0;
    }
    // The file calls itself: circles must end.
    const auto read = [&](const std::string&) -> Result<std::string> { return std::string(text); };
    const auto front = pipeline::read_front(model::Dialect::github, text, ".github/workflows/x.yml", {"", read});
    fuzz::require(front.report.count(pipeline::Carried::unsupported) <= front.report.constructs + 1000, "findings are about constructs");
    for (const auto& problem : front.parsed.problems) fuzz::require(!problem.message.empty(), "a problem has a message");
    if (!front.parsed.ok()) return 0;
    for (const auto& stage : front.parsed.value.stages) {
        fuzz::require(!stage.name.empty() && stage.needs.has_value(), "a stage has a name and says what it needs");
        for (const auto& job : stage.jobs) fuzz::require(!job.name.empty(), "a job has a name");
    }
    return 0;
}
