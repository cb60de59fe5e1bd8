#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/render/man.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "DIRECTORY", .completes = Completes::directory}};

Result<ExitCode> write_man_pages(Session& session, const Arguments& arguments) {
    const std::filesystem::path directory = arguments.operand(0);
    CICD_CHECK(write_text(directory / "cicdctl.1", render::man_page()));
    for (const auto* command : members(""))
        CICD_CHECK(
            write_text(directory / ("cicdctl-" + std::string(command->name) + ".1"), render::man_page(*command)));
    session.note("Man pages are in " + directory.string() + ".");
    return ExitCode::success;
}

}  // namespace

constinit const Command generate_group{.name = "generate", .summary = "Write files of an installation", .hidden = true};
constinit const Command generate_man{.name = "generate man",
                                     .summary = "Write the man pages",
                                     .operands = operands,
                                     .handler = write_man_pages,
                                     .hidden = true};

}  // namespace cicd::cli
