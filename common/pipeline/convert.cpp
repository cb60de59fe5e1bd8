#include "common/pipeline/convert.hpp"

#include "common/base/text.hpp"
#include "common/pipeline/github/convert.hpp"
#include "common/pipeline/settle.hpp"

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

/// Where a line of the YAML begins that only says this, however it is indented, at or behind `from`.
std::size_t line_of(const std::string& yaml, const std::string& text, std::size_t from) {
    for (auto at = yaml.find(text, from); at != std::string::npos; at = yaml.find(text, at + 1)) {
        const auto begin = at == 0 ? 0 : yaml.rfind('\n', at) + 1;
        const auto end = at + text.size();
        if (trim(std::string_view(yaml).substr(begin, at - begin)).empty() && (end == yaml.size() || yaml[end] == '\n')) return begin;
    }
    return std::string::npos;
}

/// The job that a line of the original is in: where it begins in the YAML.
std::size_t job_at(const std::string& yaml, const model::Pipeline& pipeline, const model::Mark& place) {
    const model::Job* nearest = nullptr;
    const model::Stage* of = nullptr;
    for (const auto& stage : pipeline.stages)
        for (const auto& job : stage.jobs) {
            const bool same_file = job.mark.file.empty() || job.mark.file == place.file;
            if (!same_file || job.mark.line == 0 || job.mark.line > place.line || (nearest && nearest->mark.line > job.mark.line)) continue;
            nearest = &job;
            of = &stage;
        }
    if (!nearest) return std::string::npos;
    const auto stage = line_of(yaml, "- name: " + of->name, 0);
    if (stage == std::string::npos) return stage;
    const auto next = yaml.find("\n  - name: ", stage + 1);
    const auto job = line_of(yaml, nearest->name + ":", stage);
    return job < next ? job : nearest->name == of->name ? stage : std::string::npos;
}

/// A finding stands above the step that it names, or above its job; what belongs to none stands at the top.
std::string with_comments(const std::string& yaml, const Converted& converted, const std::string& file) {
    std::string text = "# From " + file + ".\n", body = yaml;
    for (const auto& finding : converted.report.findings) {
        const auto comment = "# " + std::string(word(finding.kind)) + ": " + place(finding) + finding.what + ": " + finding.reason + "\n";
        const auto put = [&](std::size_t at) {
            if (at == std::string::npos) return text += comment, void();
            const auto begin = at == 0 ? 0 : body.rfind('\n', at - (body[at] == ' ' ? 1 : 0)) + 1;
            body.insert(begin, std::string(body.find_first_not_of(" ", begin) - begin, ' ') + comment);
        };
        const auto step = finding.kind == Carried::approximated ? std::string::npos : body.find("not converted: " + finding.what);
        if (step != std::string::npos || finding.line == 0 || finding.of_file) put(step);
        else if (finding.jobs.empty()) put(job_at(body, converted.pipeline, {.file = finding.file, .line = finding.line}));
        else
            for (const auto& job : finding.jobs) put(job_at(body, converted.pipeline, job));
    }
    return text + body;
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
            settle(converted.pipeline, converted.report, file);
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
    converted.yaml = with_comments(yaml, converted, file);
    return converted;
}

}  // namespace cicd::pipeline
