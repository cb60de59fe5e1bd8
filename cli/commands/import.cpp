#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/render/diagnostics.hpp"
#include "cli/session.hpp"
#include "common/pipeline/convert.hpp"

#include <algorithm>

namespace cicd::cli {
namespace {

namespace fs = std::filesystem;
using pipeline::Carried;

constexpr Operand operands[] = {{.name = "FILE", .many = true, .completes = Completes::file}};
constexpr Option options[] = {
    {.names = "--to", .value = "DIR", .help = "Write there, one file for each; else they are printed", .completes = Completes::directory},
    {.names = "--audit", .help = "Only tell how much of each file (or of those in a folder) can be carried over"},
};
constexpr Example examples[] = {
    {"cicdctl import .github/workflows/ci.yml > .cicd.yaml", "our YAML; what is left to do stands in its comments"},
    {"cicdctl import .github/workflows/*.yml --to .cicd/pipelines", "all of them"},
    {"cicdctl import --audit .", "a table for a whole tree"}};

struct Imported {
    std::string file, text, written;
    std::vector<Diagnostic> problems;
    pipeline::Converted converted;
    bool ok = false;
};

Result<Imported> import_file(const std::string& file) {
    Imported imported{.file = file};
    CICD_TRY(imported.text, read_text(file));
    std::error_code fault;
    const auto whole = fs::absolute(file, fault).lexically_normal();
    const auto root = repository_root(whole.parent_path()).value_or(whole.parent_path());
    const auto read = [&](const std::string& path) { return read_text(root / path); };
    const auto dialect = pipeline::guess_dialect(whole.string(), imported.text);
    auto front = pipeline::read_front(dialect, imported.text, file, {"manual", read});
    // What it calls may be somewhere else: then that is left to do.
    if (!front.parsed.ok())
        if (auto alone = pipeline::read_front(dialect, imported.text, file, {"manual", {}}); alone.parsed.ok()) front = std::move(alone);
    imported.ok = front.parsed.ok();
    imported.problems = front.parsed.problems;
    if (imported.ok) imported.converted = pipeline::convert(front, file);
    else imported.converted.report = front.report;
    return imported;
}

std::string_view word(Carried kind) {
    switch (kind) {
        case Carried::approximated: return "approximated";
        case Carried::unsupported: return "unsupported";
        case Carried::manual: return "manual";
    }
    return "";
}

Value document(const Imported& imported) {
    const auto& report = imported.converted.report;
    Array findings;
    for (const auto& finding : report.findings)
        findings.push_back(Object{{"kind", word(finding.kind)}, {"file", finding.file}, {"line", finding.line}, {"column", finding.column},
                                  {"what", finding.what}, {"reason", finding.reason}});
    return Object{{"file", imported.file}, {"valid", imported.ok}, {"written", imported.written}, {"definition", imported.converted.yaml},
                  {"constructs", report.constructs}, {"carried", report.carried()}, {"approximated", report.count(Carried::approximated)},
                  {"unsupported", report.count(Carried::unsupported)}, {"manual", report.count(Carried::manual)},
                  {"findings", std::move(findings)}};
}

void audit(const Session& session, const std::vector<Imported>& all) {
    std::string text;
    for (const auto& imported : all) {
        const auto& report = imported.converted.report;
        text += imported.file + ": " + (imported.ok ? std::to_string(report.carried()) + " of " + std::to_string(report.constructs) +
                                                          " constructs, " + std::to_string(report.count(Carried::approximated)) + " approximated, " +
                                                          std::to_string(report.count(Carried::unsupported)) + " unsupported, " +
                                                          std::to_string(report.count(Carried::manual)) + " to do by hand"
                                                    : "is not valid") + "\n";
    }
    session.console().out(text);
}

void tell(const Session& session, const Imported& imported) {
    const auto text = [&](const std::string& file) { return file == imported.file ? imported.text : std::string(); };
    session.console().err(render::diagnostics(imported.problems, text, session.console().err_paint()));
    if (!imported.ok) return;
    const auto& report = imported.converted.report;
    session.note(imported.file + ": " + std::to_string(report.carried()) + " of " + std::to_string(report.constructs) + " constructs are carried over");
    for (const auto& finding : report.findings)
        session.note("  " + std::string(word(finding.kind)) + (finding.line > 0 ? ", line " + std::to_string(finding.line) : "") + ": " +
                     finding.what + ": " + finding.reason);
}

/// The workflows below a folder; a file is itself.
std::vector<std::string> files_of(const std::vector<std::string>& typed) {
    std::vector<std::string> found;
    std::error_code fault;
    for (const auto& each : typed) {
        if (!fs::is_directory(each, fault)) {
            found.push_back(each);
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(each, fs::directory_options::skip_permission_denied, fault))
            if (entry.is_regular_file(fault) && pipeline::dialect_of(entry.path().string()) == model::Dialect::github &&
                (entry.path().extension() == ".yml" || entry.path().extension() == ".yaml"))
                found.push_back(entry.path().lexically_normal().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

Result<ExitCode> import(Session& session, const Arguments& arguments) {
    const auto files = files_of(arguments.operands);
    if (files.empty()) return not_found("CLI_005", "there are no workflows in what was named");
    const fs::path to = arguments.text("--to");
    std::vector<Imported> all;
    for (const auto& file : files) {
        CICD_TRY(auto imported, import_file(file));
        if (!to.empty() && imported.ok && !arguments.has("--audit")) {
            imported.written = (to / fs::path(file).stem()).string() + ".yaml";
            std::error_code fault;
            if (fs::exists(imported.written, fault)) return conflict("CLI_007", imported.written + " is there already", "remove it, or name another folder");
            fs::create_directories(to, fault);
            CICD_CHECK(write_text(imported.written, imported.converted.yaml));
        }
        all.push_back(std::move(imported));
    }
    if (session.structured()) {
        Array list;
        for (const auto& imported : all) list.push_back(document(imported));
        session.print(Object{{"data", std::move(list)}});
    } else if (arguments.has("--audit")) {
        audit(session, all);
    } else {
        for (const auto& imported : all) {
            tell(session, imported);
            session.console().out(to.empty() ? imported.converted.yaml : imported.written + "\n");
        }
    }
    const bool ok = std::all_of(all.begin(), all.end(), [](const auto& imported) { return imported.ok; });
    return ok ? ExitCode::success : ExitCode::usage;
}

}  // namespace

constinit const Command import_command{.name = "import",
                                       .summary = "Make a pipeline of ours from a GitHub workflow",
                                       .description = "Nothing is dropped in silence: what has no counterpart stands in comments and in the report.",
                                       .operands = operands,
                                       .options = options,
                                       .examples = examples,
                                       .handler = import};

}  // namespace cicd::cli
