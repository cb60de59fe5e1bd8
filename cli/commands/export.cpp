#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/render/findings.hpp"
#include "cli/session.hpp"
#include "common/codec/json.hpp"
#include "common/pipeline/write_github.hpp"
#include "common/pipeline/parse.hpp"
#include "common/pipeline/write_hcl.hpp"

#include <filesystem>

namespace cicd::cli {
namespace {

constexpr Operand one_file[] = {{.name = "FILE", .completes = Completes::file}};
constexpr Option options[] = {
    {.names = "--format", .value = "FORMAT", .help = "yaml, json, hcl, or github: a workflow of GitHub Actions", .choices = "yaml|json|hcl|github"}};
constexpr Example examples[] = {
    {"cicdctl export .cicd.yaml --format json", "the same pipeline as JSON"},
    {"cicdctl export .cicd.yaml --format hcl", "for tools that speak HCL"},
    {"cicdctl export .cicd.yaml --format github > ci.yml", "what GitHub has no word for stands in comments"}};

Result<std::string> definition(Session& session, const std::string& name) {
    std::error_code fault;
    if (name == "-" || std::filesystem::is_regular_file(name, fault)) return read_text(name);
    CICD_TRY(auto* daemon, session.daemon());
    return daemon->pipeline_definition(name);
}

ExitCode write_github(const Session& session, const model::Pipeline& pipeline, const std::string& file) {
    const auto workflow = pipeline::to_github(pipeline, file);
    if (session.structured()) {
        session.print(Object{{"workflow", workflow.value}, {"findings", render::findings_value(workflow.report)}});
        return ExitCode::success;
    }
    for (const auto& finding : workflow.report.findings) session.note(render::finding_line(finding));
    session.console().out(pipeline::github_yaml(workflow));
    return ExitCode::success;
}

Result<ExitCode> export_definition(Session& session, const Arguments& arguments) {
    const auto name = arguments.operand(0);
    CICD_TRY(const auto text, definition(session, name));
    if (const auto dialect = pipeline::guess_dialect(name, text); dialect != model::Dialect::native)
        return invalid("CLI_003", name + " is no pipeline of ours", "translate it first: cicdctl import " + name + " | cicdctl export -");
    const auto parsed = pipeline::parse_pipeline(std::string_view(text), name);
    if (!parsed.ok()) return pipeline::as_error(parsed.problems);
    const auto format = arguments.text("--format");
    if (format == "github") return write_github(session, parsed.value, name);
    if (format == "hcl") {
        session.console().out(pipeline::export_hcl(parsed.value));
        return ExitCode::success;
    }
    const bool json = format == "json" || session.output() == Output::json;
    session.console().out(json ? codec::to_json(pipeline::export_value(parsed.value), 2) + "\n" : pipeline::export_yaml(parsed.value));
    return ExitCode::success;
}

}  // namespace

constinit const Command export_command{.name = "export",
                                       .summary = "Write a pipeline of ours with all defaults resolved, or as a workflow of GitHub's",
                                       .description = "FILE is a file, - or the name of a pipeline that the daemon keeps.",
                                       .operands = one_file,
                                       .options = options,
                                       .examples = examples,
                                       .handler = export_definition};
constinit const Command pipeline_export{.name = "pipeline export",
                                        .summary = "The same as export",
                                        .description = "FILE is a file, - or the name of a pipeline that the daemon keeps.",
                                        .operands = one_file,
                                        .options = options,
                                        .examples = examples,
                                        .handler = export_definition};

}  // namespace cicd::cli
