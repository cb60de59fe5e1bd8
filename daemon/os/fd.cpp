#include "daemon/os/fd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::os {
namespace {
constexpr std::size_t most_fds = 8;
}

void Fd::reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Error last_error(std::string_view what) {
    return internal_error(std::string(what) + ": " + std::strerror(errno));
}

Result<Pipe> make_pipe(int capacity) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return last_error("cannot make a pipe");
    // Refused above the user's quota of pipe pages; a small pipe works as well.
    if (capacity > 0) (void)::fcntl(ends[1], F_SETPIPE_SZ, capacity);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<std::pair<Fd, Fd>> make_socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return last_error("cannot make a socket pair");
    return std::pair{Fd(ends[0]), Fd(ends[1])};
}

Result<void> set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return last_error("cannot make a descriptor non-blocking");
    return {};
}

Result<Fd> memory_file(const char* name, std::string_view bytes) {
    Fd file(::memfd_create(name, MFD_CLOEXEC));
    if (!file) return last_error("cannot make a file in memory");
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = ::pwrite(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return last_error("cannot fill a file in memory");
        done += static_cast<std::size_t>(n);
    }
    return file;
}

Result<void> send_packet(int socket, const void* data, std::size_t size, const std::vector<int>& fds) {
    iovec bytes{const_cast<void*>(data), size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_fds)] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
        std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
    }
    while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR) return last_error("cannot send a message");
    return {};
}

Result<Packet> receive_packet(int socket, std::size_t largest) {
    Packet packet;
    packet.data.resize(largest);
    iovec bytes{packet.data.data(), largest};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_fds)] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n = 0;
    while ((n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
        // A peer that died with unread data counts as gone.
        if (errno == ECONNRESET) break;
        if (errno != EINTR) return last_error("cannot receive a message");
    }
    packet.data.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            packet.fds.emplace_back(fd);
        }
    }
    return packet;
}

}  // namespace cicd::os
