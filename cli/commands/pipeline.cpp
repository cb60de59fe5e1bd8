#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/follow.hpp"
#include "cli/lists.hpp"
#include "cli/pipeline_files.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"
#include "common/pipeline/parse.hpp"

namespace cicd::cli {
namespace {

constexpr Operand one_pipeline[] = {{.name = "PIPELINE", .completes = Completes::pipeline}};
constexpr Operand files[] = {{.name = "FILE", .required = false, .many = true, .completes = Completes::file}};
constexpr Option list_options[] = {{.names = "--limit", .value = "N", .help = "At most so many (50)"},
                                   {.names = "--page", .value = "N", .help = "Further pages of that size"}};
constexpr Option save_options[] = {
    {.names = "-f,--file",
     .value = "FILE",
     .help = "The definition; - reads standard input",
     .completes = Completes::file},
    {.names = "--name", .value = "NAME", .help = "Another name than the definition's"},
    {.names = "--description", .value = "TEXT", .help = "Another description"},
    {.names = "--repository", .value = "PATH|URL", .help = "What it runs on", .completes = Completes::directory},
};
constexpr Option run_options[] = {
    {.names = "-p,--param", .value = "KEY=VALUE", .help = "A parameter; VALUE may be @FILE or -", .many = true},
    {.names = "--branch", .value = "NAME", .help = "On this branch"},
    {.names = "--commit", .value = "ID", .help = "On this commit"},
    {.names = "-d,--detach", .help = "Start it and return; its id is printed"},
};
constexpr Example create_examples[] = {{"cicdctl pipeline create .cicd.yaml", "with this repository as its source"}};
constexpr Example update_examples[] = {{"cicdctl pipeline update demo -f new.yaml", "a new version; runs keep theirs"}};
constexpr Example run_examples[] = {{"cicdctl pipeline run demo -p level=full", "on its own repository"}};
Result<ExitCode> list(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto limit, arguments.number("--limit", 1));
    CICD_TRY(const auto number, arguments.number("--page", 1));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto page, daemon->list_pipelines(number.value_or(1), limit.value_or(50)));
    if (session.structured()) {
        session.print(codec::encode(page));
    } else if (page.data.empty()) {
        session.note("No pipelines are kept; 'cicdctl pipeline create FILE' adds one.");
    } else {
        print_pipelines(session, page.data);
    }
    return ExitCode::success;
}

Result<ExitCode> show(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto pipeline, daemon->show_pipeline(arguments.operand(0)));
    print_pipeline(session, pipeline);
    if (!session.structured() && session.output() != Output::name && !session.quiet())
        session.console().out("\n" + pipeline.definition + (pipeline.definition.ends_with('\n') ? "" : "\n"));
    return ExitCode::success;
}

// What is sent: the file's text, and where it stands in its repository.
Result<contract::SavePipeline> definition_of(const std::string& file, const Arguments& arguments) {
    contract::SavePipeline request;
    request.name = arguments.text("--name");
    request.description = arguments.text("--description");
    request.repository = arguments.text("--repository");
    if (!file.empty()) {
        CICD_TRY(request.definition, read_text(file));
        const auto parsed = pipeline::parse_pipeline(std::string_view(request.definition), file);
        if (!parsed.ok()) return pipeline::as_error(parsed.problems);
        if (request.name.empty()) request.name = parsed.value.name;
    }
    if (file.empty() || file == "-" || !request.repository.empty()) return request;
    std::error_code fault;
    const auto path = std::filesystem::weakly_canonical(file, fault);
    const auto root = repository_root(path.parent_path());
    if (!root) return request;
    request.repository = root->string();
    request.file = path.lexically_relative(std::filesystem::weakly_canonical(*root, fault)).generic_string();
    return request;
}

Result<ExitCode> create(Session& session, const Arguments& arguments) {
    auto file = arguments.text("--file");
    if (file.empty()) file = arguments.operand(0);
    if (file.empty()) {
        CICD_TRY(const auto here, pipeline_files_here());
        if (here.size() > 1) return usage_error("there are several pipelines: " + join(here, ", "), "name one of them");
        file = here.front();
    }
    CICD_TRY(const auto request, definition_of(file, arguments));
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto pipeline, daemon->create_pipeline(request));
    print_pipeline(session, pipeline);
    return ExitCode::success;
}

Result<ExitCode> update(Session& session, const Arguments& arguments) {
    CICD_TRY(auto request, definition_of(arguments.text("--file"), arguments));
    if (!arguments.has("--name")) request.name.clear();
    if (request == contract::SavePipeline{})
        return usage_error("nothing to change was given", "-f FILE gives the new definition");
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto pipeline, daemon->update_pipeline(arguments.operand(0), request));
    print_pipeline(session, pipeline);
    return ExitCode::success;
}

Result<ExitCode> remove(Session& session, const Arguments& arguments) {
    const auto name = arguments.operand(0);
    CICD_TRY(const auto sure, session.confirm("Delete the pipeline '" + name + "'? Its runs stay."));
    if (!sure) return ExitCode::cancelled;
    CICD_TRY(auto* daemon, session.daemon());
    CICD_CHECK(daemon->remove_pipeline(name));
    session.note("Deleted " + name + ".");
    return ExitCode::success;
}

Result<ExitCode> versions(Session& session, const Arguments& arguments) {
    CICD_TRY(auto* daemon, session.daemon());
    if (session.structured()) {
        CICD_TRY(const auto value,
                 daemon->call("GET", contract::path_of(contract::route::pipeline_versions, {arguments.operand(0)})));
        session.print(value);
        return ExitCode::success;
    }
    CICD_TRY(const auto all, daemon->pipeline_versions(arguments.operand(0)));
    render::Table table({{.title = "VERSION", .right = true}, {.title = "CREATED"}, {.title = "BY"}});
    for (const auto& version : all)
        table.add({{std::to_string(version.version)}, {format_time(version.created_time)}, {version.created_by}});
    session.print(table);
    return ExitCode::success;
}

Result<ExitCode> set_state(Session& session, const Arguments& arguments, model::PipelineState state) {
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(const auto pipeline, daemon->set_pipeline_state(arguments.operand(0), state));
    print_pipeline(session, pipeline);
    return ExitCode::success;
}

Result<ExitCode> enable(Session& session, const Arguments& arguments) {
    return set_state(session, arguments, model::PipelineState::active);
}

Result<ExitCode> disable(Session& session, const Arguments& arguments) {
    return set_state(session, arguments, model::PipelineState::disabled);
}

Result<ExitCode> validate(Session& session, const Arguments& arguments) {
    return validate_command.handler(session, arguments);
}

Result<ExitCode> run(Session& session, const Arguments& arguments) {
    contract::StartRun request;
    request.pipeline = arguments.operand(0);
    request.branch = arguments.text("--branch");
    request.commit = arguments.text("--commit");
    for (const auto& text : arguments.texts("--param")) {
        const auto equals = text.find('=');
        if (equals == std::string::npos) return usage_error("--param takes KEY=VALUE, not '" + text + "'");
        CICD_TRY(auto value, resolve_value(text.substr(equals + 1)));
        request.params.emplace_back(text.substr(0, equals), std::move(value));
    }
    CICD_TRY(auto* daemon, session.daemon());
    CICD_TRY(auto started, daemon->start_run(request));
    if (arguments.has("--detach")) {
        print_run(session, started);
        return ExitCode::success;
    }
    return follow_and_summarise(session, std::move(started), false, {.cancel_when_interrupted = true});
}

}  // namespace

constinit const Command pipeline_group{.name = "pipeline",
                                       .summary = "Pipelines that the daemon keeps: list, create, run, …"};
constinit const Command pipeline_list{
    .name = "pipeline list", .summary = "List the pipelines", .options = list_options, .handler = list};
constinit const Command pipeline_show{.name = "pipeline show",
                                      .summary = "Show a pipeline with its definition",
                                      .operands = one_pipeline,
                                      .handler = show};
constinit const Command pipeline_create{.name = "pipeline create",
                                        .summary = "Let the daemon keep a pipeline",
                                        .operands = files,
                                        .options = save_options,
                                        .examples = create_examples,
                                        .handler = create};
constinit const Command pipeline_update{.name = "pipeline update",
                                        .summary = "Give a pipeline a new version",
                                        .operands = one_pipeline,
                                        .options = save_options,
                                        .examples = update_examples,
                                        .handler = update};
constinit const Command pipeline_delete{.name = "pipeline delete",
                                        .summary = "Delete a pipeline; its runs stay",
                                        .operands = one_pipeline,
                                        .handler = remove};
constinit const Command pipeline_versions{.name = "pipeline versions",
                                          .summary = "List the versions of a pipeline",
                                          .operands = one_pipeline,
                                          .handler = versions};
constinit const Command pipeline_enable{
    .name = "pipeline enable", .summary = "Let a pipeline run again", .operands = one_pipeline, .handler = enable};
constinit const Command pipeline_disable{.name = "pipeline disable",
                                         .summary = "Let a pipeline start no more runs",
                                         .operands = one_pipeline,
                                         .handler = disable};
constinit const Command pipeline_validate{.name = "pipeline validate",
                                          .summary = "Check pipeline files, like 'validate'",
                                          .operands = files,
                                          .options = validate_options,
                                          .handler = validate};
constinit const Command pipeline_run{.name = "pipeline run",
                                     .summary = "Run a pipeline that the daemon keeps",
                                     .operands = one_pipeline,
                                     .options = run_options,
                                     .examples = run_examples,
                                     .handler = run};

}  // namespace cicd::cli
