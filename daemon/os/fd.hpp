#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::os {

/// Owns a file descriptor.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset();
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// "<what>: <errno's text>", for the errno of the call just made.
Error last_error(std::string_view what);

struct Pipe {
    Fd read, write;
};
/// Close-on-exec. `capacity` is a wish; 0 keeps the system's default.
Result<Pipe> make_pipe(int capacity = 0);
/// SOCK_SEQPACKET, close-on-exec.
Result<std::pair<Fd, Fd>> make_socket_pair();
Result<void> set_nonblocking(int fd);
/// An unnamed file in memory, positioned at its begin, holding `bytes`.
Result<Fd> memory_file(const char* name, std::string_view bytes);

/// One packet, with file descriptors along with it (SCM_RIGHTS). Never raises SIGPIPE.
Result<void> send_packet(int socket, const void* data, std::size_t size, const std::vector<int>& fds = {});
struct Packet {
    std::string data;  ///< empty: the other side is gone
    std::vector<Fd> fds;
};
Result<Packet> receive_packet(int socket, std::size_t largest = 4096);

}  // namespace cicd::os
