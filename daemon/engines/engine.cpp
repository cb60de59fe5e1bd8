#include "daemon/engines/engine.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace cicd::engines {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds first_answer{20}, usual_limit{600};
constexpr std::size_t largest_answer = 16 << 20;
constexpr std::size_t longest_line = 1 << 20;
constexpr std::size_t longest_complaint = 2000;

/// "1.41" → 1041; nothing where that is no version.
std::optional<int> number(std::string_view version) {
    const auto dot = version.find('.');
    int major = 0, minor = 0;
    if (dot == std::string_view::npos) return std::nullopt;
    const auto first = std::from_chars(version.data(), version.data() + dot, major);
    const auto second = std::from_chars(version.data() + dot + 1, version.data() + version.size(), minor);
    if (first.ec != std::errc{} || second.ec != std::errc{} || major < 0 || minor < 0 || major > 99 || minor > 999) return std::nullopt;
    return major * 1000 + minor;
}

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

bool is_podman(const Value& version) {
    const auto& parts = version["Components"];
    if (!parts.is_array()) return false;
    return std::any_of(parts.as_array().begin(), parts.as_array().end(),
                       [](const Value& part) { return text_of(part["Name"]).starts_with("Podman"); });
}

Error broken(const std::string& socket, const std::string& why) {
    return unavailable("ENGINE_002", "what answers at " + socket + " is no container engine that can be used: " + why,
                       "it is to speak the Engine API " + std::string(lowest_api) + " or newer: Podman 4, Docker 20.10");
}

client::WirePeer peer() {
    return {"the container engine", "its socket needs a shorter path", "see what `cicdctl doctor` says", "see what `cicdctl doctor` says"};
}

}  // namespace

std::string encoded(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string result;
    for (const unsigned char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~").find(static_cast<char>(c)) != std::string_view::npos;
        if (plain) result += static_cast<char>(c);
        else result.append({'%', digits[c >> 4], digits[c & 15]});
    }
    return result;
}

std::string Answer::complaint() const {
    auto said = body["message"].is_string() ? body["message"].as_string() : std::string(trim(text));
    if (said.size() > longest_complaint) said.resize(longest_complaint);
    return said.empty() ? "status " + std::to_string(status) : to_valid_utf8(trim(said));
}

Engine::Engine(const std::string& socket) : wire_(std::make_unique<client::Wire>(socket, peer())) { facts_.socket = socket; }

Result<Engine> Engine::connect(const std::string& socket) {
    Engine engine(socket);
    if (const auto reached = engine.wire_->connect(); !reached) {
        Error error = reached.error();
        error.code = "ENGINE_001";
        return error;
    }
    engine.answer_within(first_answer);
    if (engine.learn_from_ping()) {
        engine.answer_within(usual_limit);
        return engine;
    }
    CICD_TRY(const auto answer, engine.exchange({.method = "GET", .target = "/version", .repeatable = true}));
    const auto newest = number(text_of(answer.body["ApiVersion"]));
    if (!answer.ok() || !newest) return broken(socket, answer.ok() ? "its version cannot be understood" : answer.complaint());
    const auto least = number(text_of(answer.body["MinAPIVersion"])).value_or(0);
    if (*newest < *number(lowest_api)) return broken(socket, "its API is " + text_of(answer.body["ApiVersion"]));
    engine.facts_.api = least > *number(lowest_api) ? text_of(answer.body["MinAPIVersion"]) : std::string(lowest_api);
    engine.facts_.kind = is_podman(answer.body) ? Facts::Kind::podman : Facts::Kind::docker;
    engine.facts_.version = text_of(answer.body["Version"]);
    engine.answer_within(usual_limit);
    return engine;
}

/// Podman takes half a second to tell its version, and says the same in the headers of a ping at once.
bool Engine::learn_from_ping() {
    const auto answer = exchange({.method = "GET", .target = "/_ping", .repeatable = true});
    const auto newest = answer && answer->ok() ? number(answer->api_version) : std::nullopt;
    const auto slash = answer ? answer->server.find('/') : std::string::npos;
    if (!newest || *newest < *number(lowest_api) || slash == std::string::npos) return false;
    const auto maker = answer->server.substr(0, slash);
    if (maker != "Libpod" && maker != "Docker") return false;
    facts_.kind = maker == "Libpod" ? Facts::Kind::podman : Facts::Kind::docker;
    facts_.version = answer->server.substr(slash + 1, answer->server.find(' ', slash) - slash - 1);
    // Docker 29 speaks nothing older than 1.44, and does not say so here.
    facts_.api = facts_.kind == Facts::Kind::docker && *newest >= *number("1.44") ? "1.44" : std::string(lowest_api);
    return true;
}

std::string Engine::name() const { return (facts_.kind == Facts::Kind::podman ? "Podman " : "Docker ") + facts_.version; }

Result<Answer> Engine::exchange(client::WireRequest request) {
    std::string text;
    bool too_large = false;
    client::BodySink sink;
    sink.on_piece = [&](int, std::string_view piece) {
        too_large = text.size() + piece.size() > largest_answer;
        if (!too_large) text += piece;
        return !too_large;
    };
    const auto end = Clock::now() + limit_;
    sink.on_idle = [&] { return Clock::now() < end && !(stop_ && stop_()); };
    const std::string what = request.method + " " + request.target;
    CICD_TRY(const auto response, wire_->exchange(request, &sink));
    if (too_large) return unavailable("ENGINE_003", "the container engine's answer to " + what + " is larger than 16 MiB");
    if (sink.stopped && Clock::now() >= end) return unavailable("ENGINE_003", "the container engine did not answer " + what + " in time", "see what `cicdctl doctor` says");
    if (sink.stopped) return Error{ErrorKind::cancelled, "ENGINE_003", "the container engine was not waited for", "", {}};
    if (sink.cut) return unavailable("ENGINE_003", "the container engine's answer to " + what + " was cut off");
    Answer answer{response.status, {}, std::move(text), response.server, response.api_version};
    if (response.content_type.find("json") == std::string::npos || trim(answer.text).empty()) return answer;
    auto parsed = codec::parse_json(answer.text);
    if (parsed) answer.body = std::move(*parsed);
    else if (answer.ok())
        return unavailable("ENGINE_003", "the container engine's answer to " + what + " is no JSON: " + parsed.error().message);
    return answer;
}

Result<Answer> Engine::ask(const std::string& method, const std::string& target, const Value& body) {
    client::WireRequest request{.method = method, .target = "/v" + facts_.api + target};
    request.repeatable = method == "GET" || method == "DELETE";
    if (!body.is_null()) {
        request.body = codec::to_json(body);
        request.headers.emplace_back("Content-Type", "application/json");
    }
    return exchange(std::move(request));
}

Result<void> Engine::stream(const std::string& method, const std::string& target, const OnLine& on_line,
                            const std::vector<std::pair<std::string, std::string>>& headers, Upload upload) {
    client::WireRequest request{.method = method, .target = "/v" + facts_.api + target, .headers = headers, .source = std::move(upload)};
    std::string rest;
    std::optional<Error> failure;
    bool enough = false;
    const auto take = [&](std::string_view line) {
        if (trim(line).empty()) return;
        const auto document = codec::parse_json(trim(line));
        const auto said = document ? (*document)["error"] : Value();
        if (!document) failure = unavailable("ENGINE_003", "the container engine's progress cannot be understood: " + document.error().message);
        else if (said.is_string()) failure = unavailable("ENGINE_003", to_valid_utf8(said.as_string().substr(0, longest_complaint)));
        else enough = !on_line(*document);
    };
    client::BodySink sink;
    int status = 0;
    sink.on_piece = [&](int code, std::string_view piece) {
        status = code;
        rest += piece;
        if (code >= 300) return rest.size() < longest_line;
        for (auto end = rest.find('\n'); end != std::string::npos && !failure && !enough; end = rest.find('\n')) {
            take(std::string_view(rest).substr(0, end));
            rest.erase(0, end + 1);
        }
        if (rest.size() > longest_line) failure = unavailable("ENGINE_003", "a line of the container engine's progress is too long");
        return !failure && !enough;
    };
    if (stop_) sink.on_idle = [this] { return !stop_(); };
    CICD_TRY(const auto response, wire_->exchange(request, &sink));
    if (failure) return *failure;
    if (enough) return {};
    if (sink.stopped && response.status < 300) return Error{ErrorKind::cancelled, "ENGINE_003", "the container engine was not waited for", "", {}};
    if (response.status >= 300) {
        const auto body = codec::parse_json(rest);
        const Answer answer{response.status, body ? *body : Value(), rest};
        return unavailable("ENGINE_003", answer.complaint());
    }
    if (sink.cut) return unavailable("ENGINE_003", "the container engine's progress was cut off", "try again");
    take(rest);
    return failure ? Result<void>(*failure) : Result<void>{};
}

Result<void> Engine::attach(const std::string& target, const Attached& to) {
    std::string refusal;
    bool refused = false, goes_on = true;
    client::BodySink sink;
    sink.on_header = [&](int status) {
        refused = status >= 300;
        return refused || to.on_begin();
    };
    sink.on_piece = [&](int, std::string_view piece) {
        if (!refused) return to.on_bytes(piece), goes_on;
        refusal += piece.substr(0, longest_complaint);
        return refusal.size() < longest_complaint;
    };
    sink.on_pause = [&] { goes_on = goes_on && to.goes_on(); };
    sink.on_idle = [&] { return goes_on = goes_on && to.goes_on(); };
    CICD_TRY(const auto response, wire_->exchange({.method = "POST", .target = "/v" + facts_.api + target}, &sink));
    if (!refused) return {};
    const auto body = codec::parse_json(refusal);
    return unavailable("ENGINE_003", "the container's output cannot be read: " + Answer{response.status, body ? *body : Value(), refusal}.complaint());
}

}  // namespace cicd::engines
