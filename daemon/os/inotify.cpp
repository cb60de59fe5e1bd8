#include "daemon/os/inotify.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::os {

Result<Inotify> Inotify::open() {
    Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd) {
        auto error = last_error("cannot watch files");
        if (errno == EMFILE) error.hint = "raise the limit: sysctl fs.inotify.max_user_instances=1024";
        return error;
    }
    return Inotify(std::move(fd));
}

Result<int> Inotify::add(const std::filesystem::path& path, std::uint32_t mask) {
    const int watch = ::inotify_add_watch(fd_.get(), path.c_str(), mask);
    if (watch >= 0) return watch;
    auto error = last_error("cannot watch " + path.string());
    if (errno == ENOENT) error.kind = ErrorKind::not_found;
    if (errno == ENOSPC) error.hint = "raise the limit: sysctl fs.inotify.max_user_watches=524288";
    return error;
}

void Inotify::remove(int watch) { (void)::inotify_rm_watch(fd_.get(), watch); }

Result<std::vector<Inotify::Event>> Inotify::read() {
    std::vector<Event> events;
    alignas(inotify_event) char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(fd_.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return events;
        if (n <= 0) return last_error("cannot read file events");
        for (const char* at = buffer; at < buffer + n;) {
            inotify_event header{};
            std::memcpy(&header, at, sizeof header);
            events.push_back({header.wd, header.mask, header.len > 0 ? std::string(at + sizeof header) : std::string()});
            at += sizeof header + header.len;
        }
    }
}

}  // namespace cicd::os
