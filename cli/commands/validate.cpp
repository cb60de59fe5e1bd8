#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/pipeline_files.hpp"
#include "cli/render/diagnostics.hpp"
#include "cli/session.hpp"
#include "common/codec/codecs.hpp"
#include "common/pipeline/front.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "FILE", .required = false, .many = true, .completes = Completes::file}};
constexpr Example examples[] = {{"cicdctl validate", "the pipelines of this repository"},
                                {"cicdctl validate a.yaml b.yaml", "these files"},
                                {"cicdctl validate - < a.yaml", "standard input"},
                                {"cicdctl validate -o json", "the problems as a list, for an editor"}};

struct Checked {
    std::string file;
    std::string text;
    std::vector<Diagnostic> problems;
    pipeline::Report report;
    bool ok = true;
};

/// What the report says, as problems that are none.
Diagnostic as_note(const pipeline::Finding& finding, bool strict) {
    const bool soft = finding.kind == pipeline::Carried::approximated && !strict;
    return {strict ? Severity::error : soft ? Severity::note : Severity::warning, finding.file, finding.line, finding.column, "",
            finding.what + ": " + finding.reason, ""};
}

Result<Checked> check(const std::string& file, bool strict) {
    Checked checked;
    checked.file = file;
    CICD_TRY(checked.text, read_text(file));
    std::error_code fault;
    const auto whole = std::filesystem::absolute(file, fault).lexically_normal();
    const auto root = repository_root(whole.parent_path()).value_or(whole.parent_path());
    const auto read = [&](const std::string& path) { return read_text(root / path); };
    auto front = pipeline::read_front(pipeline::guess_dialect(file == "-" ? file : whole.string(), checked.text), checked.text, file,
                                      {.event = "", .read_file = read});
    checked.ok = front.parsed.ok() && (!strict || front.report.findings.empty());
    checked.problems = std::move(front.parsed.problems);
    for (const auto& finding : front.report.findings) checked.problems.push_back(as_note(finding, strict));
    checked.report = std::move(front.report);
    return checked;
}

Value document(const std::vector<Checked>& all) {
    Array problems, files;
    bool ok = true;
    for (const auto& checked : all) {
        ok = ok && checked.ok;
        files.emplace_back(checked.file);
        for (const auto& problem : checked.problems) problems.push_back(codec::encode(problem));
    }
    return Object{{"valid", ok}, {"files", std::move(files)}, {"problems", std::move(problems)}};
}

/// How much of a file in another language is carried over; nothing for our own.
std::string carried(const pipeline::Report& report) {
    if (report.constructs == 0) return "";
    using pipeline::Carried;
    std::string text = ": " + std::to_string(report.carried()) + " of " + std::to_string(report.constructs) + " constructs are carried over";
    if (const int n = report.count(Carried::approximated)) text += ", " + std::to_string(n) + " of them with a difference";
    if (const int n = report.count(Carried::manual)) text += "; " + std::to_string(n) + " need something from you";
    return text;
}

void explain(const Session& session, const std::vector<Checked>& all) {
    for (const auto& checked : all) {
        const auto text = [&](const std::string& file) { return file == checked.file ? checked.text : std::string(); };
        session.console().err(render::diagnostics(checked.problems, text, session.console().err_paint()));
        if (checked.ok && !session.quiet())
            session.console().out(session.console().paint()(render::Tone::green, "✓") + " " + checked.file +
                                  " is valid" + carried(checked.report) + "\n");
    }
}

Result<ExitCode> validate(Session& session, const Arguments& arguments) {
    auto files = arguments.operands;
    if (files.empty()) {
        CICD_TRY(files, pipeline_files_here());
    }
    std::vector<Checked> all;
    for (const auto& file : files) {
        CICD_TRY(auto checked, check(file, arguments.has("--strict")));
        all.push_back(std::move(checked));
    }
    if (session.structured()) {
        session.print(document(all));
    } else {
        explain(session, all);
    }
    for (const auto& checked : all)
        if (!checked.ok) return ExitCode::usage;
    return ExitCode::success;
}

}  // namespace

constinit const Command validate_command{
    .name = "validate",
    .summary = "Check pipeline files, without running anything",
    .description = "Without FILE: .cicd.yaml, the files in .cicd/pipelines, or else those in .github/workflows.",
    .operands = operands,
    .options = validate_options,
    .examples = examples,
    .handler = validate};

}  // namespace cicd::cli
