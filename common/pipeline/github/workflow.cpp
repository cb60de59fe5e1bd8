#include "common/pipeline/github/workflow.hpp"

#include "common/base/text.hpp"
#include "common/pipeline/github/reader.hpp"

#include <algorithm>

namespace cicd::pipeline::github {

Workflow load_workflow(std::string_view text, const std::string& file, std::vector<Diagnostic>& problems, Report& report) {
    auto document = load_yaml(text, file);
    problems.insert(problems.end(), document.problems.begin(), document.problems.end());
    Workflow workflow;
    workflow.pipeline.dialect = model::Dialect::github;
    if (!document.root) return workflow;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    Builder builder(file, text);
    builder.use_contexts(context_names());
    Reader reader(builder, report, file);
    workflow = read_workflow(reader, Cursor{document.root, nullptr, {}, 0});
    auto more = builder.take_problems();
    problems.insert(problems.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    return workflow;
}

namespace {

/// Shown in tables: one line, not too long.
std::string title_of(std::string_view name, const std::string& file) {
    std::string title(trim(name.substr(0, name.find('\n'))));
    if (title.empty()) title = file.substr(file.rfind('/') + 1);
    return title.size() > 100 ? title.substr(0, 97) + "..." : title;
}

/// One that is only there to be called can be started by hand as if it were called.
const char* by_hand(const model::Pipeline& pipeline) {
    const auto listens = [&](std::string_view event) {
        return std::any_of(pipeline.triggers.begin(), pipeline.triggers.end(), [&](const auto& trigger) { return trigger.id == event; });
    };
    return !listens("workflow_dispatch") && listens("workflow_call") ? "workflow_call" : "workflow_dispatch";
}

}  // namespace

Front read(std::string_view text, const std::string& file, const FrontOptions& options) {
    Front front;
    auto& problems = front.parsed.problems;
    auto workflow = load_workflow(text, file, problems, front.report);
    workflow.pipeline.name = title_of(workflow.pipeline.name, file);
    front.event = options.event.empty() ? choose_event(workflow.pipeline) : options.event == "manual" ? by_hand(workflow.pipeline) : options.event;
    if (front.event == "workflow_dispatch") workflow.pipeline.parameters = workflow.dispatch_inputs;
    if (front.event == "workflow_call") workflow.pipeline.parameters = workflow.call_inputs;
    assemble(std::move(workflow), options, front);
    std::stable_sort(problems.begin(), problems.end(), [&](const Diagnostic& a, const Diagnostic& b) {
        const auto rank = [&](const Diagnostic& d) { return d.severity == Severity::note ? 2 : d.file == file ? 0 : 1; };
        return rank(a) != rank(b) ? rank(a) < rank(b) : a.file == b.file && a.line < b.line;
    });
    return front;
}

}  // namespace cicd::pipeline::github
