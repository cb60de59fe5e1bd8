#include "cli/commands/commands.hpp"
#include "cli/session.hpp"
#include "common/base/paths.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::cli {
namespace {

constexpr Option options[] = {{.names = "-f,--follow", .help = "Go on as it is written"},
                              {.names = "--tail", .value = "N", .help = "Only the last N lines"}};
constexpr Example examples[] = {{"cicdctl daemon logs -f", "what it says"},
                                {"cicdctl daemon logs --tail 50", "the end of it"}};

// Where the last `count` lines begin, looked for from the end in pieces: the log may be large.
off_t start_of_tail(int fd, off_t size, int count) {
    char buffer[65536];
    auto end = size;
    bool at_end = true;
    while (end > 0) {
        const auto length = std::min<off_t>(end, sizeof buffer);
        const auto got = ::pread(fd, buffer, static_cast<std::size_t>(length), end - length);
        if (got <= 0) return 0;
        for (auto i = got; i-- > 0;) {
            const bool last = at_end;
            at_end = false;
            if (buffer[i] != '\n' || last) continue;  // the newline of the last line ends it
            if (--count <= 0) return end - length + i + 1;
        }
        end -= length;
    }
    return 0;
}

void print_from(const Session& session, int fd, off_t& offset) {
    char buffer[65536];
    for (;;) {
        const auto got = ::pread(fd, buffer, sizeof buffer, offset);
        if (got <= 0) return;
        session.console().out({buffer, static_cast<std::size_t>(got)});
        offset += got;
    }
}

// Goes on with the next file where the log was renamed away and begun anew.
void follow(const Session& session, const std::filesystem::path& file, int fd, off_t offset) {
    const auto watch = ::inotify_init1(IN_CLOEXEC);
    ::inotify_add_watch(watch, file.parent_path().c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    alignas(inotify_event) char events[4096];
    for (;;) {
        print_from(session, fd, offset);
        struct stat ours {
        }, there{};
        if (::fstat(fd, &ours) == 0 && ::stat(file.c_str(), &there) == 0) {
            if (ours.st_ino != there.st_ino) {
                const auto next = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
                if (next >= 0) {
                    ::close(fd);
                    fd = next;
                    offset = 0;
                    continue;
                }
            }
            if (there.st_size < offset) offset = 0;
        }
        if (::read(watch, events, sizeof events) <= 0) break;
    }
    ::close(watch);
    ::close(fd);
}

Result<ExitCode> logs(Session& session, const Arguments& arguments) {
    CICD_TRY(const auto tail, arguments.number("--tail", 0));
    const auto file = state_directory() / "cicdd.log";
    const auto fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return not_found("CLI_005", "there is no log of a daemon: " + file.string() + ": " + std::strerror(errno),
                         "a daemon that systemd started writes to 'journalctl --user -u cicdd'");
    off_t offset = 0;
    struct stat status {};
    if (tail && ::fstat(fd, &status) == 0)
        offset = *tail == 0 ? status.st_size : start_of_tail(fd, status.st_size, *tail);
    if (arguments.has("--follow")) {
        follow(session, file, fd, offset);
        return ExitCode::success;
    }
    print_from(session, fd, offset);
    ::close(fd);
    return ExitCode::success;
}

}  // namespace

constinit const Command daemon_logs{.name = "daemon logs",
                                    .summary = "Show what the daemon writes",
                                    .options = options,
                                    .examples = examples,
                                    .handler = logs};

}  // namespace cicd::cli
