#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "common/client/connection.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// Podman or Docker, by the Engine API on its Unix socket (Docker's "Engine API v1.41"; Podman serves the same). Everything
/// blocks.
namespace cicd::engines {

inline constexpr std::string_view lowest_api = "1.41";

/// What answers at a socket.
struct Facts {
    enum class Kind { podman, docker } kind = Kind::docker;
    std::string socket, version, api;  ///< api: the version that both sides speak
};

struct Answer {
    int status = 0;
    Value body;        ///< of JSON; null where there is none
    std::string text;  ///< as it came
    std::string server = {}, api_version = {};
    [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
    /// What the engine says went wrong.
    [[nodiscard]] std::string complaint() const;
};

/// A request's body that is made while it is sent: empty at its end.
using Upload = std::function<Result<std::string>()>;
/// Called for each JSON document of a stream; false: enough.
using OnLine = std::function<bool(const Value&)>;

class Engine {
public:
    /// Fails (unavailable, ENGINE_001) where nobody answers, ENGINE_002 where who answers is no engine or too old a one.
    static Result<Engine> connect(const std::string& socket);

    [[nodiscard]] const Facts& facts() const { return facts_; }
    /// "Podman 4.3.1"
    [[nodiscard]] std::string name() const;

    /// Any status is an answer. `target` is without the version.
    Result<Answer> ask(const std::string& method, const std::string& target, const Value& body = {});
    /// An answer that is a stream of JSON documents: progress. Fails where the stream is cut, or an error comes in it.
    Result<void> stream(const std::string& method, const std::string& target, const OnLine& on_line,
                        const std::vector<std::pair<std::string, std::string>>& headers = {}, Upload upload = nullptr);
    /// What an attached container prints, in frames, until it has ended. `on_begin`: from now on nothing is missed; false where
    /// there will be nothing. `goes_on` is asked ten times a second and after everything that came.
    struct Attached {
        std::function<bool()> on_begin;
        std::function<void(std::string_view)> on_bytes;
        std::function<bool()> goes_on;
    };
    Result<void> attach(const std::string& target, const Attached& to);
    /// Asked ten times a second while an answer is waited for: then that fails (cancelled).
    void stop_when(std::function<bool()> stop) { stop_ = std::move(stop); }
    /// How long `ask` waits for an answer.
    void answer_within(std::chrono::seconds limit) { limit_ = limit; }

private:
    explicit Engine(const std::string& socket);
    Result<Answer> exchange(client::WireRequest request);
    bool learn_from_ping();

    Facts facts_;
    std::unique_ptr<client::Wire> wire_;
    std::function<bool()> stop_;
    std::chrono::seconds limit_{};
};

/// For a query or a path: everything but letters, digits and -._~ as %XX.
std::string encoded(std::string_view text);

}  // namespace cicd::engines
