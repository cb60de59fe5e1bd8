#include "daemon/os/spaces.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace cicd::os {
namespace {

struct Making {
    std::string user, group;
    int socket;
};

bool write_once(const char* path, std::string_view text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    ::close(file);
    errno = error;
    return written;
}

/// In the new namespaces.
int prepare(void* given) {
    const auto& making = *static_cast<const Making*>(given);
    if (!write_once("/proc/self/setgroups", "deny") || !write_once("/proc/self/uid_map", making.user) ||
        !write_once("/proc/self/gid_map", making.group) || !raise_loopback())
        return errno;
    (void)write_once("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    return 0;
}

/// Whoever started it kills it, or dies.
int wait_for_the_end(void*) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
}

/// Stands still until we have opened what it is in.
int stand(void* given) {
    const int socket = static_cast<const Making*>(given)->socket;
    const int failure = prepare(given);
    (void)!::write(socket, &failure, sizeof failure);
    return wait_for_the_end(nullptr);
}

}  // namespace

bool raise_loopback() {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const bool up = ::ioctl(socket, SIOCSIFFLAGS, &request) == 0;
    ::close(socket);
    return up;
}

Result<NetworkSpace> make_network_space() {
    constexpr std::size_t size = 64 << 10;
    auto sockets = make_socket_pair();
    if (!sockets) return sockets.error();
    Making making{"0 " + std::to_string(::geteuid()) + " 1", "0 " + std::to_string(::getegid()) + " 1", sockets->second.get()};
    void* stack = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return last_error("cannot make a network for the services");
    NetworkSpace made;
    const int pid = ::clone(stand, static_cast<char*>(stack) + size, CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD, &making);
    int failure = pid < 0 ? errno : 0;
    if (pid > 0) {
        sockets->second.reset();
        const auto told = ::read(sockets->first.get(), &failure, sizeof failure);
        if (told != sizeof failure) failure = ECHILD;
        const auto folder = "/proc/" + std::to_string(pid) + "/ns/";
        if (failure == 0) {
            made.users = Fd(::open((folder + "user").c_str(), O_RDONLY | O_CLOEXEC));
            made.network = Fd(::open((folder + "net").c_str(), O_RDONLY | O_CLOEXEC));
            if (!made.users || !made.network) failure = errno;
        }
        ::kill(pid, SIGKILL);
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
    }
    ::munmap(stack, size);
    if (failure == 0) return made;
    errno = failure;
    auto error = last_error("cannot make a network for the services");
    error.kind = ErrorKind::unavailable;
    return error;
}

Result<Fd> make_id_space(unsigned first) {
    constexpr std::size_t size = 16 << 10;
    void* stack = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return last_error("cannot make a user namespace");
    const int pid = ::clone(wait_for_the_end, static_cast<char*>(stack) + size, CLONE_NEWUSER | SIGCHLD, nullptr);
    Fd space;
    int failure = pid < 0 ? errno : 0;
    if (pid > 0) {
        const auto folder = "/proc/" + std::to_string(pid);
        const auto map = "0 " + std::to_string(first) + " " + std::to_string(ids_of_space);
        const bool mapped = write_once((folder + "/uid_map").c_str(), map) && write_once((folder + "/gid_map").c_str(), map);
        if (mapped) space = Fd(::open((folder + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
        if (!space) failure = errno;
        ::kill(pid, SIGKILL);
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
    }
    ::munmap(stack, size);
    if (space) return space;
    errno = failure;
    auto error = last_error("cannot make a user namespace with users of its own");
    error.kind = ErrorKind::unavailable;
    return error;
}

bool enter_network_space(int users, int network) {
    return (users < 0 || ::setns(users, CLONE_NEWUSER) == 0) && (network < 0 || ::setns(network, CLONE_NEWNET) == 0);
}

}  // namespace cicd::os
