#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/pipeline_files.hpp"
#include "cli/render/diagnostics.hpp"
#include "cli/session.hpp"
#include "common/codec/codecs.hpp"
#include "common/pipeline/parse.hpp"

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
    bool ok = true;
};

Result<Checked> check(const std::string& file) {
    Checked checked;
    checked.file = file;
    CICD_TRY(checked.text, read_text(file));
    auto parsed = pipeline::parse_pipeline(std::string_view(checked.text), file);
    checked.ok = parsed.ok();
    checked.problems = std::move(parsed.problems);
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

void explain(const Session& session, const std::vector<Checked>& all) {
    for (const auto& checked : all) {
        const auto text = [&](const std::string& file) { return file == checked.file ? checked.text : std::string(); };
        session.console().err(render::diagnostics(checked.problems, text, session.console().err_paint()));
        if (checked.ok && !session.quiet())
            session.console().out(session.console().paint()(render::Tone::green, "✓") + " " + checked.file +
                                  " is valid\n");
    }
}

Result<ExitCode> validate(Session& session, const Arguments& arguments) {
    auto files = arguments.operands;
    if (files.empty()) {
        CICD_TRY(files, pipeline_files_here());
    }
    std::vector<Checked> all;
    for (const auto& file : files) {
        CICD_TRY(auto checked, check(file));
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
    .description = "Without FILE: .cicd.yaml, or the files in .cicd/pipelines, of this repository.",
    .operands = operands,
    .examples = examples,
    .handler = validate};

}  // namespace cicd::cli
