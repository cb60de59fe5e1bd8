#include "common/pipeline/convert.hpp"

#include "common/pipeline/github/convert.hpp"

#include <algorithm>

namespace cicd::pipeline {
namespace {

std::string_view word(Carried kind) {
    switch (kind) {
        case Carried::approximated: return "differs";
        case Carried::unsupported: return "not converted";
        case Carried::manual: return "to do";
    }
    return "";
}

std::string place(const Finding& finding) { return finding.line > 0 ? "line " + std::to_string(finding.line) + ": " : ""; }

/// A finding whose subject is the name of a step stands above that step; the others stand at the top.
std::string with_comments(const std::string& yaml, const Report& report, const std::string& file) {
    std::string text = "# From " + file + ".\n", body = yaml;
    for (const auto& finding : report.findings) {
        const auto comment = "# " + std::string(word(finding.kind)) + ": " + place(finding) + finding.what + ": " + finding.reason + "\n";
        const auto at = body.find("not converted: " + finding.what);
        if (finding.kind == Carried::approximated || at == std::string::npos) {
            text += comment;
            continue;
        }
        const auto begin = body.rfind('\n', at) + 1;
        body.insert(begin, std::string(body.find_first_not_of(" ", begin) - begin, ' ') + comment);
    }
    return text + body;
}

/// Languages that decide at creation which jobs there are: what they decided for this event stays so.
void settle(model::Pipeline& pipeline, Report& report) {
    pipeline.dialect = model::Dialect::native;
    for (auto& trigger : pipeline.triggers) trigger.id.clear();
    for (auto& stage : pipeline.stages)
        for (auto& job : stage.jobs) {
            if (job.unavailable.empty()) continue;
            const auto& mark = job.mark;
            report.findings.push_back({Carried::manual, mark.file, mark.line, mark.column, "job " + job.name,
                                       "it does not run: " + job.unavailable + "; give it the condition that you want"});
            job.condition = "false";
        }
}

}  // namespace

Converted convert(const Front& front, const std::string& file) {
    Converted converted;
    converted.report = front.report;
    converted.pipeline = front.parsed.value;
    switch (front.parsed.value.dialect) {
        case model::Dialect::github:
            github::convert(converted.pipeline, converted.report, file);
            break;
        case model::Dialect::gitlab:
        case model::Dialect::bitbucket:
            settle(converted.pipeline, converted.report);
            break;
        case model::Dialect::native:
            break;
    }
    auto yaml = export_yaml(converted.pipeline);
    const auto again = parse_pipeline(yaml, "converted.yaml");
    for (const auto& problem : again.problems)
        if (problem.severity == Severity::error)
            converted.report.findings.push_back({Carried::manual, file, 0, 0, "the converted pipeline",
                                                 problem.pointer + ": " + problem.message});
    converted.yaml = with_comments(yaml, converted.report, file);
    return converted;
}

}  // namespace cicd::pipeline
