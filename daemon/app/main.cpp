#include "common/base/paths.hpp"
#include "daemon/app/daemon.hpp"

#include <CLI/CLI.hpp>

#include <signal.h>

#include <exception>
#include <filesystem>
#include <iostream>

namespace {

using cicd::app::ServeOptions;

void print(const cicd::Error& error) {
    std::cerr << "cicdd: " << error.message << '\n';
    for (const auto& problem : error.problems)
        std::cerr << "  " << problem.file << ':' << problem.line << ':' << problem.column << ": " << problem.message << '\n';
    if (!error.hint.empty()) std::cerr << "  " << error.hint << '\n';
}

int exit_code(const cicd::Error& error) {
    switch (error.kind) {
        case cicd::ErrorKind::invalid: return 2;
        case cicd::ErrorKind::forbidden: return 4;
        case cicd::ErrorKind::not_found: return 5;
        case cicd::ErrorKind::blocked: return 6;
        case cicd::ErrorKind::conflict: return 7;
        case cicd::ErrorKind::unavailable: return 3;
        case cicd::ErrorKind::timeout: return 124;
        case cicd::ErrorKind::cancelled: return 9;
        case cicd::ErrorKind::internal: return 3;
    }
    return 3;
}

void add_serve_options(CLI::App& app, ServeOptions& options) {
    app.add_option("--state-dir", options.state_directory, "where the daemon keeps everything (CICD_STATE_DIR)");
    app.add_option("--socket", options.socket, "the API's socket (CICD_SOCKET)");
    app.add_option("--config-dir", options.config_directory, "where config.yaml is (CICD_CONFIG_DIR)");
    app.add_option("--slots", options.slots, "how many jobs may run at once");
    auto* background = app.add_flag("--background", options.background, "return when the daemon answers");
    app.add_option("--log", options.log, "write the log to this file, which is kept small, instead of stderr");
    app.add_flag("--foreground", options.foreground, "serve in this process (default)")->excludes(background);
}

std::filesystem::path state_directory_of(const ServeOptions& options) {
    return std::filesystem::absolute(options.state_directory.empty() ? cicd::state_directory() : options.state_directory);
}

int report(const cicd::Result<void>& outcome) {
    if (outcome) return 0;
    print(outcome.error());
    return exit_code(outcome.error());
}

int start_serving(ServeOptions options) {
    options.state_directory = state_directory_of(options);
    if (options.socket.empty())
        options.socket = std::getenv("CICD_SOCKET") ? cicd::socket_path() : options.state_directory / "cicdd.sock";
    options.socket = std::filesystem::absolute(options.socket);
    if (options.config_directory.empty()) options.config_directory = cicd::config_directory();
    options.program = std::filesystem::read_symlink("/proc/self/exe").string();
    return report(options.background ? cicd::app::serve_in_background(options) : cicd::app::serve(options));
}

}  // namespace

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    CLI::App app("The daemon of cicd: keeps runs, schedules jobs, serves the API", "cicdd");
    app.set_version_flag("--version", "cicdd " CICD_VERSION);
    ServeOptions options;
    add_serve_options(app, options);
    auto* serve_command = app.add_subcommand("serve", "serve the API (default)");
    add_serve_options(*serve_command, options);
    auto* plan_command = app.add_subcommand("plan", "plan the run asked for on stdin (JSON) and print it; needs no daemon");
    auto* restore_command = app.add_subcommand("restore", "put a backup in the place of a state directory that no daemon serves");
    std::filesystem::path archive;
    restore_command->add_option("FILE", archive, "what 'cicdctl daemon backup' wrote")->required();
    restore_command->add_option("--state-dir", options.state_directory, "where to (CICD_STATE_DIR)");
    app.require_subcommand(0, 1);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : 2;
    }
    try {
        if (plan_command->parsed()) return cicd::app::plan_once(cicd::config_directory());
        if (restore_command->parsed()) return report(cicd::app::restore_once(archive, state_directory_of(options)));
        return start_serving(options);
    } catch (const std::exception& exception) {
        std::cerr << "cicdd: " << exception.what() << '\n';
        return 3;
    }
}
