#include "daemon/os/inotify.hpp"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::os {

namespace fs = std::filesystem;

namespace {

constexpr long look_every_ns = 100'000'000;

Result<void> wait_also_for(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) return last_error("cannot wait for files");
    return {};
}

std::string hint_for(int error) {
    if (error == EMFILE) return "raise the limit: sysctl fs.inotify.max_user_instances=1024";
    if (error == ENOSPC) return "raise the limit: sysctl fs.inotify.max_user_watches=524288";
    return "";
}

}  // namespace

Result<void> Inotify::prepare() {
    ready_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
    if (!ready_) return last_error("cannot wait for files");
    return {};
}

Result<Inotify> Inotify::open() {
    Inotify watcher;
    CICD_CHECK(watcher.prepare());
    watcher.inotify_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!watcher.inotify_) {
        const int why = errno;
        const auto error = last_error("inotify cannot be used");
        // Without a descriptor nothing else would work either.
        if (why == EMFILE && !Fd(::dup(watcher.ready_.get()))) return error;
        watcher.shortage_ = error.message + "; " + hint_for(why);
        return watcher;
    }
    CICD_CHECK(wait_also_for(watcher.ready_.get(), watcher.inotify_.get()));
    return watcher;
}

Result<Inotify> Inotify::open_without_inotify() {
    Inotify watcher;
    CICD_CHECK(watcher.prepare());
    watcher.shortage_ = "inotify is not used";
    return watcher;
}

Result<int> Inotify::add(const fs::path& path, std::uint32_t mask) {
    if (!inotify_) return look_at(path, mask);
    const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), mask);
    if (watch >= 0) return watch;
    const int why = errno;
    auto error = last_error("cannot watch " + path.string());
    if (why == ENOENT) error.kind = ErrorKind::not_found;
    if (why != ENOSPC) return error;
    shortage_ = error.message + "; " + hint_for(why);
    return look_at(path, mask);
}

Result<int> Inotify::look_at(const fs::path& path, std::uint32_t mask) {
    std::error_code none;
    if (!fs::exists(path, none)) {
        errno = ENOENT;
        auto error = last_error("cannot watch " + path.string());
        error.kind = ErrorKind::not_found;
        return error;
    }
    if (!timer_) {
        Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
        if (!timer) return last_error("cannot watch " + path.string());
        CICD_CHECK(wait_also_for(ready_.get(), timer.get()));
        const itimerspec every{{0, look_every_ns}, {0, look_every_ns}};
        ::timerfd_settime(timer.get(), 0, &every, nullptr);
        timer_ = std::move(timer);
    }
    looked_[++last_looked_] = {path, mask, state_of(path)};
    return last_looked_;
}

void Inotify::remove(int watch) {
    if (looked_.erase(watch) == 0) {
        (void)::inotify_rm_watch(inotify_.get(), watch);
        return;
    }
    if (looked_.empty()) timer_.reset();  // closing it takes it out of the epoll too
}

std::map<std::string, Inotify::Fingerprint> Inotify::state_of(const fs::path& path) {
    std::map<std::string, Fingerprint> state;
    const auto note = [&](const std::string& name, const fs::path& file) {
        struct stat facts {};
        if (::lstat(file.c_str(), &facts) != 0) return;
        state[name] = {facts.st_size, facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec, facts.st_ino};
    };
    std::error_code failure;
    if (!fs::is_directory(path, failure)) {
        note("", path);
        return state;
    }
    for (fs::directory_iterator it(path, failure), end; !failure && it != end; it.increment(failure))
        note(it->path().filename().string(), it->path());
    return state;
}

void Inotify::look(std::vector<Event>& events) {
    for (auto& [watch, looked] : looked_) {
        auto now = state_of(looked.path);
        for (const auto& [name, fingerprint] : now) {
            const auto before = looked.seen.find(name);
            const bool is_new = before == looked.seen.end() || before->second.inode != fingerprint.inode;
            if (!is_new && before->second == fingerprint) continue;
            const auto mask = looked.mask & (is_new ? IN_CREATE | IN_MOVED_TO | IN_MODIFY : IN_MODIFY);
            if (mask != 0) events.push_back({watch, mask, name});
        }
        looked.seen = std::move(now);
    }
}

Result<std::vector<Inotify::Event>> Inotify::read() {
    std::vector<Event> events;
    std::uint64_t ticks = 0;
    if (timer_ && ::read(timer_.get(), &ticks, sizeof ticks) == sizeof ticks) look(events);
    if (!inotify_) return events;
    alignas(inotify_event) char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(inotify_.get(), buffer, sizeof buffer);
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
