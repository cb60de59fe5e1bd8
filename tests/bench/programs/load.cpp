#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// cicd-bench-load SOCKET PATH SECONDS CONNECTIONS: GETs one path over so many kept connections of a Unix socket, each
/// with one request under way at a time. Prints: requests per second, median and p99 of the answers in milliseconds.
/// One thread and no library, so that what is measured is the server.
namespace {

using Clock = std::chrono::steady_clock;

int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the socket's path is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect to " + path + ": " + std::strerror(errno));
    return fd;
}

struct Connection {
    int fd = -1;
    std::string answer;
    Clock::time_point asked;
};

/// The whole answer's length, once its head is there; 0 before. Answers come with a Content-Length.
std::size_t answer_size(std::string_view answer) {
    const auto head = answer.find("\r\n\r\n");
    if (head == answer.npos) return 0;
    if (!answer.starts_with("HTTP/1.1 200"))
        throw std::runtime_error("unexpected answer: " + std::string(answer.substr(0, answer.find('\r'))));
    static constexpr std::string_view name = "content-length:";
    const auto end = answer.begin() + static_cast<std::ptrdiff_t>(head);
    auto at = std::search(answer.begin(), end, name.begin(), name.end(),
                          [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    if (at == end) throw std::runtime_error("an answer without Content-Length");
    at += name.size();
    while (*at == ' ') ++at;
    std::size_t size = 0;
    std::from_chars(&*at, answer.data() + head, size);
    return head + 4 + size;
}

void ask(Connection& connection, const std::string& request) {
    connection.answer.clear();
    connection.asked = Clock::now();
    if (::send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        throw std::runtime_error("the server does not take requests");
}

/// Reads what is there; true once the answer is complete.
bool receive(Connection& connection) {
    char buffer[65536];
    const auto n = ::recv(connection.fd, buffer, sizeof buffer, 0);
    if (n <= 0) throw std::runtime_error("the server closed a connection");
    connection.answer.append(buffer, static_cast<std::size_t>(n));
    const auto size = answer_size(connection.answer);
    return size != 0 && connection.answer.size() >= size;
}

std::vector<double> load(const std::string& socket, const std::string& path, double seconds, std::size_t clients) {
    const auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    std::vector<Connection> connections(clients);
    std::vector<pollfd> watched;
    for (auto& connection : connections) {
        connection.fd = connect_to(socket);
        watched.push_back({connection.fd, POLLIN, 0});
        ask(connection, request);
    }
    std::vector<double> times;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end) {
        if (::poll(watched.data(), watched.size(), 1000) <= 0) throw std::runtime_error("no answer within a second");
        for (std::size_t i = 0; i < watched.size(); ++i) {
            if (watched[i].revents == 0 || !receive(connections[i])) continue;
            times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - connections[i].asked).count());
            ask(connections[i], request);
        }
    }
    for (const auto& connection : connections) ::close(connection.fd);
    return times;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 5) {
        std::fputs("usage: cicd-bench-load SOCKET PATH SECONDS CONNECTIONS\n", stderr);
        return 2;
    }
    try {
        const double seconds = std::atof(arguments[3]);
        auto times = load(arguments[1], arguments[2], seconds, static_cast<std::size_t>(std::atoi(arguments[4])));
        if (times.empty()) throw std::runtime_error("not one answer");
        std::sort(times.begin(), times.end());
        std::printf("%.1f %.4f %.4f\n", static_cast<double>(times.size()) / seconds, times[times.size() / 2],
                    times[times.size() * 99 / 100]);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cicd-bench-load: %s\n", error.what());
        return 1;
    }
}
