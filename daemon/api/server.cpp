#include "common/contract/errors.hpp"
#include "daemon/api/request_id.hpp"
#include "daemon/api/server.hpp"
#include "daemon/os/files.hpp"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace cicd::api {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;
using boost::system::error_code;

namespace {

constexpr std::size_t longest_socket_path = 107;

std::string user_name(uid_t uid) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found) return found->pw_name;
    return "uid " + std::to_string(uid);
}

/// The name of the user on the other side, or nothing where that is neither us nor root.
std::optional<std::string> allowed_peer(Socket& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
    if (peer.uid != ::geteuid() && peer.uid != 0) return std::nullopt;
    return user_name(peer.uid);
}

/// What the limit of open files leaves beside runners, logs and the state file.
std::int64_t most_connections() {
    constexpr std::int64_t most = 16'384, least = 64;
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return most;
    return std::clamp(static_cast<std::int64_t>(files.rlim_cur) / 2, least, most);
}

Error cannot_listen(const std::filesystem::path& socket, const std::string& why) {
    return unavailable("CICD_503", "cannot listen at " + socket.string() + ": " + why);
}

Result<void> make_folder(const std::filesystem::path& socket) {
    std::error_code error;
    const auto folder = socket.parent_path();
    if (folder.empty() || std::filesystem::exists(folder, error)) return {};
    if (const auto refused = os::make_private_directory(folder)) return cannot_listen(socket, refused.message());
    return {};
}

}  // namespace

Server::Server(const asio::any_io_executor& executor, Services& services, std::filesystem::path socket)
    : services_(services), path_(std::move(socket)), run_events_(services.bus), metrics_(std::make_shared<Metrics>(run_events_)),
      most_connections_(most_connections()), dispatcher_(executor, services), acceptor_(executor),
      sessions_(executor, [this](std::exception_ptr error) {
          try {
              std::rethrow_exception(error);
          } catch (const boost::system::system_error& ended) {
              if (ended.code() != asio::error::operation_aborted)
                  services_.warn(std::string("a connection failed: ") + ended.what());
          } catch (const std::exception& failure) {
              services_.warn(std::string("a connection failed: ") + failure.what());
          }
      }) {
    services_.run_events = &run_events_;
    services_.metrics = metrics_;
}

Server::~Server() {
    services_.run_events = nullptr;
    services_.metrics = nullptr;
}

Result<std::unique_ptr<Server>> Server::listen(const asio::any_io_executor& executor, Services& services,
                                               const std::filesystem::path& socket) {
    if (socket.string().size() > longest_socket_path)
        return invalid("CICD_400", "the socket's path is longer than 107 bytes: " + socket.string(),
                       "set CICD_SOCKET or --socket to a shorter one");
    CICD_CHECK(make_folder(socket));
    std::unique_ptr<Server> server(new Server(executor, services, socket));
    ::unlink(socket.c_str());
    error_code error;
    const asio::local::stream_protocol::endpoint endpoint(socket.string());
    server->acceptor_.open(endpoint.protocol(), error);
    // The socket is never there with other permissions than its own, not even for a moment: Linux makes the file with those of
    // the descriptor. A changed umask would be other threads' as well, whose new folders nobody could enter.
    if (!error && ::fchmod(server->acceptor_.native_handle(), 0600) != 0) error = {errno, boost::system::system_category()};
    if (!error) server->acceptor_.bind(endpoint, error);
    if (!error) server->acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return cannot_listen(socket, error.message());
    server->sessions_.spawn(server->accept());
    return server;
}

async::Task<void> Server::accept() {
    while (!stopping_) {
        error_code error;
        auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (stopping_) co_return;
        if (error) {
            // Out of descriptors, most likely: wait until some connection has ended.
            services_.warn("cannot accept a connection: " + error.message());
            asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds(100));
            co_await pause.async_wait(asio::use_awaitable);
            continue;
        }
        auto user = allowed_peer(socket);
        if (!user) {
            services_.warn("refused a connection of another user");
            continue;
        }
        if (metrics_->connections() >= most_connections_) {
            turn_away(std::move(socket));
            continue;
        }
        sessions_.spawn(serve_connection(std::move(socket), dispatcher_, std::move(*user)));
    }
}

/// Without waiting for its request: a client that asks anything finds this answer.
void Server::turn_away(Socket socket) {
    const Error error{ErrorKind::unavailable, std::string(contract::code::too_many),
                      std::to_string(most_connections_) + " connections are open, as many as the daemon takes",
                      "end some, or raise the limit of open files (ulimit -n) and start the daemon again", {}};
    const auto response = error_response(error, next_request_id());
    const auto text = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
                      "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
    [[maybe_unused]] const auto sent = ::send(socket.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    metrics_->answered("other", "none", 503, {});
}

void Server::stop() {
    if (stopping_) return;
    stopping_ = true;
    ::unlink(path_.c_str());
    error_code ignored;
    acceptor_.close(ignored);
    sessions_.cancel();
}

async::Task<void> Server::join() { return sessions_.join(); }

}  // namespace cicd::api
