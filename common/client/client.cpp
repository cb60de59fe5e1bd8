#include "common/client/client.hpp"

#include "common/client/calls.hpp"
#include "common/client/connection.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"

#include <sys/random.h>

#include <array>

namespace cicd::client {

namespace route = contract::route;
using contract::path_of;
using contract::query_text;

struct Client::Connection {
    explicit Connection(const std::string& socket) : wire(socket) {}
    Wire wire;
};

namespace {

bool is_repeatable(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
}

std::string fresh_key() {
    std::array<unsigned char, 16> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string key;
    for (const auto byte : bytes) {
        key += digits[byte >> 4];
        key += digits[byte & 15];
    }
    return key;
}

template <class E>
std::string texts(const std::vector<E>& values) {
    std::string list;
    for (const auto value : values) {
        if (!list.empty()) list += ',';
        list += to_text(value);
    }
    return list;
}

std::string text(const contract::Route& r) { return std::string(r.method); }

}  // namespace

Error as_error(const RawResponse& response) {
    const auto body = codec::parse_json(response.body);
    if (body && (*body)["error"].is_object()) {
        if (auto error = codec::decode<Error>(*body)) {
            if (contract::http_status(*error) != response.status) error->kind = contract::kind_of_status(response.status);
            return *error;
        }
    }
    return {contract::kind_of_status(response.status), "CICD_" + std::to_string(response.status),
            "the daemon answered with HTTP status " + std::to_string(response.status), {}, {}};
}

Client::Client(std::filesystem::path socket)
    : socket_(std::move(socket)), connection_(std::make_unique<Connection>(socket_.string())) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<void> Client::connect() { return connection_->wire.connect(); }

Result<RawResponse> Client::raw(const std::string& method, const std::string& target, const std::string& body,
                                const std::vector<std::pair<std::string, std::string>>& headers) {
    return connection_->wire.exchange({method, target, body, headers, is_repeatable(method)});
}

Result<RawResponse> Client::raw_stream(const std::string& method, const std::string& target, const std::string& body,
                                       const std::vector<std::pair<std::string, std::string>>& headers,
                                       const std::function<bool(int, std::string_view)>& on_piece) {
    BodySink sink;
    sink.on_piece = on_piece;
    return connection_->wire.exchange({method, target, body, headers, is_repeatable(method)}, &sink);
}

Result<RawResponse> Client::raw_upload(const std::string& method, const std::string& target, std::optional<std::uint64_t> length, BodySource source) {
    WireRequest request{method, target, {}, {{"Content-Type", "application/octet-stream"}}};
    request.source = std::move(source);
    request.length = length;
    return connection_->wire.exchange(request);
}

Result<Value> Client::call(const std::string& method, const std::string& target, const Value& body) {
    WireRequest request{method, target, {}, {{"Accept", "application/json"}}, is_repeatable(method)};
    if (!body.is_null()) {
        request.body = codec::to_json(body);
        request.headers.emplace_back("Content-Type", "application/json");
    }
    if (method == "POST") {
        if (const auto key = fresh_key(); !key.empty()) {
            request.headers.emplace_back("Idempotency-Key", key);
            request.repeatable = target == path_of(route::start_run);
        }
    }
    CICD_TRY(const auto response, connection_->wire.exchange(request));
    if (response.status >= 400) return as_error(response);
    if (response.body.empty()) return Value{};
    return codec::parse_json(response.body);
}

Result<RawResponse> Client::get_text(const std::string& target) {
    CICD_TRY(auto response, raw("GET", target, {}, {{"Accept", "text/plain"}}));
    if (response.status >= 400) return as_error(response);
    return response;
}

Result<contract::DaemonStatus> Client::status() {
    return decoded<contract::DaemonStatus>(call("GET", path_of(route::status)));
}

Result<std::string> Client::version() {
    CICD_TRY(const auto value, call("GET", path_of(route::version)));
    return value["version"].is_string() ? value["version"].as_string() : std::string{};
}

Result<model::Run> Client::start_run(const contract::StartRun& request) {
    return decoded<model::Run>(call(text(route::start_run), path_of(route::start_run), codec::encode(request)));
}

Result<Value> Client::plan(const contract::StartRun& request) {
    return call(text(route::plan), path_of(route::plan), codec::encode(request));
}

Result<contract::Page<model::Run>> Client::list_runs(const contract::RunFilter& filter) {
    std::string repositories;
    for (const auto& repository : filter.repositories) repositories += (repositories.empty() ? "" : ",") + repository;
    const auto query = query_text({{"pipeline", filter.pipeline}, {"branch", filter.branch},
                                   {"status", texts(filter.states)}, {"repository", repositories},
                                   {"user", filter.user}, {"commit", filter.commit}, {"event", texts(filter.events)},
                                   {"since", filter.since ? format_time(*filter.since) : std::string{}},
                                   {"until", filter.until ? format_time(*filter.until) : std::string{}},
                                   {"cursor", filter.cursor}, {"page", std::to_string(filter.page)},
                                   {"pageSize", std::to_string(filter.page_size)}, {"sort", filter.sort}});
    return decoded<contract::Page<model::Run>>(call("GET", path_of(route::list_runs) + query));
}

Result<model::Run> Client::show_run(const std::string& id) {
    return decoded<model::Run>(call("GET", path_of(route::show_run, {id})));
}

Result<Value> Client::run_plan(const std::string& id) { return call("GET", path_of(route::run_plan, {id})); }

Result<std::string> Client::run_definition(const std::string& id) {
    CICD_TRY(auto response, get_text(path_of(route::run_definition, {id})));
    return std::move(response.body);
}

Result<model::Run> Client::cancel_run(const std::string& id, const contract::Cancel& how) {
    return decoded<model::Run>(call("POST", path_of(route::cancel_run, {id}), codec::encode(how)));
}

Result<model::Run> Client::retry_run(const std::string& id, const contract::RetryRun& options) {
    return decoded<model::Run>(call("POST", path_of(route::retry_run, {id}), codec::encode(options)));
}

Result<contract::Page<model::JobRun>> Client::list_jobs(const contract::JobFilter& filter) {
    const auto query = query_text({{"run", filter.run}, {"stage", filter.stage}, {"name", filter.name},
                                   {"status", texts(filter.states)}, {"cursor", filter.cursor},
                                   {"page", std::to_string(filter.page)},
                                   {"pageSize", std::to_string(filter.page_size)}, {"sort", filter.sort}});
    return decoded<contract::Page<model::JobRun>>(call("GET", path_of(route::list_jobs) + query));
}

Result<model::JobRun> Client::show_job(const std::string& id) {
    return decoded<model::JobRun>(call("GET", path_of(route::show_job, {id})));
}

Result<model::JobRun> Client::cancel_job(const std::string& id, const contract::Cancel& how) {
    return decoded<model::JobRun>(call("POST", path_of(route::cancel_job, {id}), codec::encode(how)));
}

Result<model::Run> Client::restart_job(const std::string& id) {
    return decoded<model::Run>(call("POST", path_of(route::restart_job, {id})));
}

Result<void> Client::follow_run(const std::string& id, std::int64_t after_seq, const StreamHandler& handler) {
    return follow_run_stream(connection_->wire, id, after_seq, handler);
}

Result<void> Client::follow_log(const std::string& id, std::uint64_t first_line,
                                const std::function<bool(const contract::LogEntry&)>& handler) {
    contract::LogQuery query;
    query.first_line = first_line;
    StreamHandler lines;
    lines.on_log = handler;
    return follow_log(id, query, lines);
}

Result<void> Client::follow_log(const std::string& id, const contract::LogQuery& query, const StreamHandler& handler) {
    return follow_log_stream(connection_->wire, id, query, handler);
}

}  // namespace cicd::client
