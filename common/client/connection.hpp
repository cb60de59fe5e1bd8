#pragma once

#include "common/base/result.hpp"
#include "common/client/client.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::client {

struct WireRequest {
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> headers;
    /// A second sending has no second effect, so a connection that died unanswered may be replaced.
    bool repeatable = false;
    BodySource source;                    ///< instead of `body`; not repeatable
    std::optional<std::uint64_t> length;  ///< of what it gives in all; not known: in chunks, an empty piece is the end
};

/// Receives a body as it arrives.
struct BodySink {
    std::function<bool(int status)> on_header;  ///< may be empty; before the body comes. false: stop
    std::function<bool(int status, std::string_view piece)> on_piece;  ///< false: stop, and close the connection
    std::function<void()> on_pause;  ///< all that has arrived was handed over
    std::function<bool()> on_idle;  ///< may be empty; called when nothing came for `idle_interval` and on EINTR
    std::chrono::milliseconds idle_interval{100};
    bool stopped = false;           ///< out: a callback gave false
    bool cut = false;               ///< out: the connection ended before the body did
};

/// Who is to answer, for what is said when it does not.
struct WirePeer {
    std::string name = "the daemon";
    std::string too_long = "set CICD_SOCKET to a shorter path";
    std::string start = "start it with: cicdctl daemon start";
    std::string look = "see how it is with: cicdctl daemon status";
};

/// HTTP/1.1 over one kept-alive Unix-domain connection.
class Wire {
public:
    explicit Wire(std::string socket, WirePeer peer = {});
    ~Wire();
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    Result<void> connect();
    Result<RawResponse> exchange(const WireRequest& request, BodySink* sink = nullptr);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cicd::client
