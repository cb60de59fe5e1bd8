#include "cli/render/findings.hpp"

namespace cicd::cli::render {

using pipeline::Carried;

std::string_view word(Carried kind) {
    switch (kind) {
        case Carried::approximated: return "approximated";
        case Carried::unsupported: return "unsupported";
        case Carried::manual: return "manual";
    }
    return "";
}

std::string finding_line(const pipeline::Finding& finding) {
    return std::string(word(finding.kind)) + (finding.line > 0 ? ", line " + std::to_string(finding.line) : "") + ": " + finding.what + ": " +
           finding.reason;
}

Value findings_value(const pipeline::Report& report) {
    Array findings;
    for (const auto& finding : report.findings)
        findings.push_back(Object{{"kind", word(finding.kind)}, {"file", finding.file}, {"line", finding.line}, {"column", finding.column},
                                  {"what", finding.what}, {"reason", finding.reason}});
    return findings;
}

}  // namespace cicd::cli::render
