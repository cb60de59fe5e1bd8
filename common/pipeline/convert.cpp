#include "common/pipeline/convert.hpp"

#include "common/pipeline/comments.hpp"
#include "common/pipeline/github/convert.hpp"
#include "common/pipeline/settle.hpp"

namespace cicd::pipeline {

Converted convert(const Front& front, const std::string& file, const Originals& originals) {
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
    converted.yaml = with_comments(yaml, converted, file, originals);
    return converted;
}

}  // namespace cicd::pipeline
