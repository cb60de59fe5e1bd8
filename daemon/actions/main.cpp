#include "daemon/actions/performer.hpp"
#include "daemon/os/ownership.hpp"
#include "daemon/runner/control.hpp"
#include "daemon/runner/run_job.hpp"
#include "daemon/runner/sudo.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

namespace {

int usage() {
    std::fputs("usage: cicd-runner JOBDIR [--secrets-fd N] [--gate-fd N] [--lock-fd N]\n"
               "       cicd-runner --spare CACHE --gate-fd N\n"
               "Runs the one job that JOBDIR/spec.json describes; cicdd starts it.\n", stderr);
    return 2;
}

/// Lets `ps` and whoever looks for a job's runner see which job a spare has become: as if it had been started for it.
void show_as(int count, char** arguments, const std::string& directory) {
    char* const begin = arguments[1];
    const auto room = static_cast<std::size_t>(arguments[count - 1] + std::strlen(arguments[count - 1]) - begin);
    std::memset(begin, 0, room);
    std::memcpy(begin, directory.data(), std::min(directory.size(), room));
}

/// In a container that has nothing but that folder: what other users of containers wrote there is given to this one.
int own(const char* folder, std::string_view user, std::string_view group) {
    unsigned uid = 0, gid = 0;
    const bool numbers = std::from_chars(user.data(), user.data() + user.size(), uid).ptr == user.data() + user.size() &&
                         std::from_chars(group.data(), group.data() + group.size(), gid).ptr == group.data() + group.size();
    if (!numbers) return usage();
    const auto given = cicd::os::give_tree(folder, uid, gid);
    if (!given) std::fprintf(stderr, "cicd-runner: %s\n", given.error().message.c_str());
    return given ? 0 : 3;
}

int run(int count, char** arguments) {
    std::string directory, cache;
    int secrets_fd = -1, gate_fd = -1, lock_fd = -1;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "init" && i == 1 && count == 2) return cicd::runner::run_init();
        if (argument == "init" && i == 1 && (count == 3 || count == 4)) {
            std::uint64_t largest_file = 0;
            if (count == 4) std::from_chars(arguments[3], arguments[3] + std::strlen(arguments[3]), largest_file);
            return cicd::runner::run_container_init(arguments[2], largest_file);
        }
        if (argument == "own" && i == 1 && count == 5) return own(arguments[2], arguments[3], arguments[4]);
        if (argument == "--version") {
            std::puts("cicd-runner " CICD_VERSION);
            return 0;
        }
        if (argument == "--spare" && i + 1 < count) {
            cache = arguments[++i];
            continue;
        }
        if ((argument == "--secrets-fd" || argument == "--gate-fd" || argument == "--lock-fd") && i + 1 < count) {
            int& fd = argument == "--gate-fd" ? gate_fd : argument == "--lock-fd" ? lock_fd : secrets_fd;
            const std::string_view number = arguments[++i];
            const auto end = number.data() + number.size();
            if (std::from_chars(number.data(), end, fd).ptr != end || fd < 0) return usage();
        } else if (argument.starts_with("-") || !directory.empty()) {
            return usage();
        } else {
            directory = argument;
        }
    }
    if (!cache.empty()) {
        if (gate_fd < 0 || !directory.empty()) return usage();
        return cicd::runner::run_spare(cache, gate_fd, cicd::actions::make_performer,
                                       [&](const std::string& job) { show_as(count, arguments, job); });
    }
    return directory.empty() ? usage() : cicd::runner::run_job(directory, secrets_fd, gate_fd, lock_fd, cicd::actions::make_performer);
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
