#include "daemon/runner/control.hpp"
#include "daemon/runner/job.hpp"
#include "daemon/runner/sudo.hpp"

#include <charconv>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

namespace {

int usage() {
    std::fputs("usage: cicd-runner JOBDIR [--secrets-fd N] [--gate-fd N]\n"
               "       cicd-runner --spare CACHE --gate-fd N\n"
               "Runs the one job that JOBDIR/spec.json describes; cicdd starts it.\n", stderr);
    return 2;
}

int run(int count, char** arguments) {
    std::string directory, cache;
    int secrets_fd = -1, gate_fd = -1;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "init" && i == 1 && count == 2) return cicd::runner::run_init();
        if (argument == "--version") {
            std::puts("cicd-runner " CICD_VERSION);
            return 0;
        }
        if (argument == "--spare" && i + 1 < count) {
            cache = arguments[++i];
            continue;
        }
        if ((argument == "--secrets-fd" || argument == "--gate-fd") && i + 1 < count) {
            int& fd = argument == "--gate-fd" ? gate_fd : secrets_fd;
            const std::string_view number = arguments[++i];
            const auto end = number.data() + number.size();
            if (std::from_chars(number.data(), end, fd).ptr != end || fd < 0) return usage();
        } else if (argument.starts_with("-") || !directory.empty()) {
            return usage();
        } else {
            directory = argument;
        }
    }
    if (!cache.empty()) return gate_fd < 0 || !directory.empty() ? usage() : cicd::runner::run_spare(cache, gate_fd);
    return directory.empty() ? usage() : cicd::runner::run_job(directory, secrets_fd, gate_fd);
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const std::string_view name = count > 0 ? arguments[0] : "";
        if (name == "sudo" || name.ends_with("/sudo")) return cicd::runner::run_sudo(count, arguments);
        return run(count, arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-runner: %s\n", error.what());
        return 3;
    }
}
