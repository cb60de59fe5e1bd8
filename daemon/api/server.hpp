#pragma once

#include "common/base/result.hpp"
#include "daemon/api/dispatch.hpp"
#include "daemon/api/metrics.hpp"
#include "daemon/api/run_events.hpp"
#include "daemon/api/services.hpp"
#include "daemon/async/task_group.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <filesystem>
#include <memory>

namespace cicd::api {

/// The API on a Unix socket, for this user and root. Lives on the io thread.
class Server {
public:
    /// Makes the socket (0600, its folder 0700 where it has to be made). A socket file that is already there is replaced:
    /// the caller holds the lock that says nobody serves it.
    static Result<std::unique_ptr<Server>> listen(const boost::asio::any_io_executor& executor, Services& services,
                                                  const std::filesystem::path& socket);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Accepts no more, ends every connection, removes the socket.
    void stop();
    /// Returns when every connection has ended.
    async::Task<void> join();

private:
    Server(const boost::asio::any_io_executor& executor, Services& services, std::filesystem::path socket);
    async::Task<void> accept();

    void turn_away(boost::asio::local::stream_protocol::socket socket);

    Services& services_;
    std::filesystem::path path_;
    RunEvents run_events_;
    std::shared_ptr<Metrics> metrics_;
    std::int64_t most_connections_;
    Dispatcher dispatcher_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    async::TaskGroup sessions_;
    bool stopping_ = false;
};

/// One connection, from its first request to its end.
async::Task<void> serve_connection(boost::asio::local::stream_protocol::socket socket, Dispatcher& dispatcher,
                                   std::string user);

}  // namespace cicd::api
