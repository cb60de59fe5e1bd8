// A pipeline of GitLab's or Bitbucket's: read whatever it holds; what has no error has stages and jobs with names.
#include "common/pipeline/front.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace cicd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto text = fuzz::as_text(data, size);
    const auto dialect = fuzz::take_byte(text) == 'b' ? model::Dialect::bitbucket : model::Dialect::gitlab;
    pipeline::FrontOptions options;
    // The file includes itself: circles must end.
    options.read_file = [&](const std::string&) -> Result<std::string> { return std::string(text); };
    options.list = [](const std::string& folder) -> Result<model::Strings> {
        return folder.size() < 20 ? model::Strings{"a", "b.yml"} : model::Strings{};
    };
    options.facts.event.branch = "main";
    options.facts.changed_paths = [] { return std::optional(model::Strings{"src/a.c", "README"}); };
    const auto front = pipeline::read_front(dialect, text, "x.yml", options);
    for (const auto& problem : front.parsed.problems) fuzz::require(!problem.message.empty(), "a problem has a message");
    for (const auto& finding : front.report.findings) fuzz::require(!finding.reason.empty(), "a finding has a reason");
    if (!front.parsed.ok()) return 0;
    for (const auto& stage : front.parsed.value.stages) {
        fuzz::require(!stage.name.empty() && stage.needs.has_value(), "a stage has a name and says what it needs");
        for (const auto& job : stage.jobs) fuzz::require(!job.name.empty() && !job.steps.empty(), "a job has a name and steps");
    }
    return 0;
}
