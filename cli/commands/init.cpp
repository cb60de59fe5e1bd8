#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/project.hpp"
#include "cli/session.hpp"
#include "common/base/text.hpp"

namespace cicd::cli {
namespace {

constexpr Option options[] = {{.names = "--force", .help = "Overwrite the .cicd.yaml there is"},
                              {.names = "--stdout", .help = "Print it instead of writing it"}};
constexpr Example examples[] = {{"cicdctl init", "writes .cicd.yaml"},
                                {"cicdctl init --stdout", "shows what it would write"}};

Result<ExitCode> init(Session& session, const Arguments& arguments) {
    std::error_code fault;
    const auto here = std::filesystem::current_path(fault);
    const auto repository = repository_root(here);
    const auto root = repository.value_or(here);
    const auto proposal = propose_pipeline(root);
    if (arguments.has("--stdout")) {
        session.console().out(proposal.yaml);
        return ExitCode::success;
    }
    const auto file = root / ".cicd.yaml";
    if (std::filesystem::exists(file, fault) && !arguments.has("--force"))
        return conflict("CLI_007", file.string() + " is there already",
                        "--force overwrites it; --stdout shows the proposal");
    CICD_CHECK(write_text(file, proposal.yaml));
    if (session.structured()) {
        Array recognised;
        for (const auto& name : proposal.recognised) recognised.emplace_back(name);
        session.print(Object{{"file", file.string()}, {"recognised", std::move(recognised)}});
        return ExitCode::success;
    }
    session.console().out(file.string() + "\n");
    session.note(proposal.recognised.empty() ? "No build tool was recognised: edit the commands."
                                             : "For " + join(proposal.recognised, ", ") + ".");
    if (!repository) session.note("This is no git repository yet: 'git init'.");
    session.note("Next: cicdctl run");
    return ExitCode::success;
}

}  // namespace

constinit const Command init_command{.name = "init",
                                     .summary = "Write a pipeline that fits this repository",
                                     .options = options,
                                     .examples = examples,
                                     .handler = init};

}  // namespace cicd::cli
