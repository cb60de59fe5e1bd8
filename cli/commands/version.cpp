#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

Result<ExitCode> show_version(Session& session, const Arguments&) {
    if (session.structured()) {
        session.print(Object{{"version", CICD_VERSION}});
    } else {
        session.console().out("cicdctl " CICD_VERSION "\n");
    }
    return ExitCode::success;
}

}  // namespace

constinit const Command version_command{.name = "version", .summary = "Show the version", .handler = show_version};

}  // namespace cicd::cli
