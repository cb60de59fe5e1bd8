#include "daemon/os/spaces.hpp"
#include "daemon/os/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace cicd::os {
namespace {

constexpr std::size_t stack_size = 32 << 10;

/// A process that stands in namespaces until their descriptors are open; killed with its guard.
class Standing {
public:
    Standing(int (*body)(void*), void* given, int flags)
        : stack_(::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
        if (stack_ != MAP_FAILED) pid_ = ::clone(body, static_cast<char*>(stack_) + stack_size, flags | SIGCHLD, given);
    }
    ~Standing() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
        }
        if (stack_ != MAP_FAILED) ::munmap(stack_, stack_size);
    }
    Standing(const Standing&) = delete;
    Standing& operator=(const Standing&) = delete;
    [[nodiscard]] int pid() const { return pid_; }
    /// Until it has ended by itself; as wait(2) gives it.
    int wait() {
        int status = -1;
        if (pid_ > 0)
            while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
        pid_ = -1;
        return status;
    }
    [[nodiscard]] Fd users() const {
        return Fd(::open(("/proc/" + std::to_string(pid_) + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
    }

private:
    void* stack_;
    int pid_ = -1;
};

int stand(void*) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
}

struct Inner {
    int outer, socket;
};

/// A line may not reach over two of the outer one's.
bool write_map(const std::string& path) {
    const std::string text = "0 0 1\n1 1 " + std::to_string(subordinate_ids_needed);
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// Only who is in the outer one may give all of its ids to the inner one. Tells the pid of who stands in that.
int make_inner(void* given) {
    const auto& inner = *static_cast<const Inner*>(given);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int answer = -1;
    if (::setns(inner.outer, CLONE_NEWUSER) == 0) {
        const Standing standing(stand, nullptr, CLONE_NEWUSER);
        const auto folder = "/proc/" + std::to_string(standing.pid());
        if (standing.pid() > 0 && write_map(folder + "/uid_map") && write_map(folder + "/gid_map")) answer = standing.pid();
        if (answer < 0) answer = -errno;
        (void)!::write(inner.socket, &answer, sizeof answer);
        char done = 0;
        (void)!::read(inner.socket, &done, 1);
        return 0;
    }
    answer = -errno;
    (void)!::write(inner.socket, &answer, sizeof answer);
    return 0;
}

Result<void> map_by(const char* program, int pid, unsigned own, unsigned first) {
    SpawnOptions options;
    options.argv = {program, std::to_string(pid), "0", std::to_string(own), "1", "1", std::to_string(first), std::to_string(subordinate_ids_needed)};
    options.env = std::vector<std::string>{"PATH=/usr/bin:/bin:/usr/local/bin"};
    CICD_TRY(const auto said, memory_file("idmap", ""));
    options.fds = {{said.get(), STDERR_FILENO}};
    CICD_TRY(const int child, spawn(options));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (status == 0) return {};
    std::string text(1024, '\0');
    const ssize_t n = ::pread(said.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return unavailable("JOB_003", std::string(program) + " gives no subordinate ids" + (text.empty() ? "" : ": " + text.substr(0, text.find('\n'))));
}

Result<Fd> make_outer(const SubordinateIds& ids) {
    const Standing standing(stand, nullptr, CLONE_NEWUSER);
    if (standing.pid() < 0) return last_error("cannot make a user namespace");
    CICD_CHECK(map_by("newuidmap", standing.pid(), ::geteuid(), ids.first_user));
    CICD_CHECK(map_by("newgidmap", standing.pid(), ::getegid(), ids.first_group));
    auto users = standing.users();
    if (!users) return last_error("cannot keep a user namespace");
    return users;
}

struct Inside {
    int users;
    char* const* argv;
};

/// Between clone and exec of a process with threads: nothing here allocates.
int run_inside(void* given) {
    const auto& inside = *static_cast<const Inside*>(given);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::setns(inside.users, CLONE_NEWUSER) != 0) ::_exit(126);
    ::execv(inside.argv[0], inside.argv);
    ::_exit(127);
}

}  // namespace

Result<IdSpaces> make_subordinate_spaces(const SubordinateIds& ids) {
    IdSpaces made;
    CICD_TRY(made.outer, make_outer(ids));
    CICD_TRY(auto sockets, make_socket_pair());
    Inner inner{made.outer.get(), sockets.second.get()};
    const Standing helper(make_inner, &inner, 0);
    sockets.second.reset();
    int pid = 0;
    if (helper.pid() < 0 || ::read(sockets.first.get(), &pid, sizeof pid) != sizeof pid) return last_error("cannot make a user namespace with users of its own");
    if (pid > 0) made.inner = Fd(::open(("/proc/" + std::to_string(pid) + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
    if (pid < 0) errno = -pid;
    if (!made.inner) return last_error("cannot make a user namespace with users of its own");
    return made;
}

Result<void> take_back(const SubordinateIds& ids, const std::string& runner, const std::string& folder) {
    CICD_TRY(const auto users, make_outer(ids));
    std::string words[] = {runner, "own", folder, "0", "0"};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), words[4].data(), nullptr};
    Inside inside{users.get(), argv};
    int status = -1;
    {
        Standing running(run_inside, &inside, 0);
        status = running.wait();
    }
    if (status == 0) return {};
    return unavailable("JOB_003", "what other users wrote in " + folder + " cannot be taken back");
}

}  // namespace cicd::os
