// A connection's bytes: parsed by the server's parser with its limits, routed, its query and its body read.
#include "daemon/api/request_parser.hpp"
#include "daemon/api/resources/answers.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/beast/http.hpp>

#include <array>

using namespace cicd;
namespace http = boost::beast::http;

namespace {

namespace route = contract::route;

// Handlers are not called: they act on a daemon. What they read from a request is read below.
constexpr std::array table = {
    api::Endpoint{route::healthz, nullptr},         api::Endpoint{route::plan, nullptr},
    api::Endpoint{route::list_pipelines, nullptr},  api::Endpoint{route::create_pipeline, nullptr},
    api::Endpoint{route::show_pipeline, nullptr},   api::Endpoint{route::set_pipeline_state, nullptr},
    api::Endpoint{route::remove_pipeline_stage, nullptr}, api::Endpoint{route::run_pipeline, nullptr},
    api::Endpoint{route::list_runs, nullptr},       api::Endpoint{route::start_run, nullptr},
    api::Endpoint{route::show_run, nullptr},        api::Endpoint{route::cancel_run, nullptr},
    api::Endpoint{route::retry_run, nullptr},       api::Endpoint{route::run_logs, nullptr},
    api::Endpoint{route::show_pipeline_run, nullptr}, api::Endpoint{route::list_jobs, nullptr},
    api::Endpoint{route::job_log_stream, nullptr},
};

template <class T>
void use(const Result<T>& result) {
    if (!result) fuzz::require_good(result.error());
}

void read_everything(const api::Request& request) {
    use(api::read_run_filter(request));
    use(api::read_job_filter(request));
    use(api::read_page(request));
    if (const auto number = api::query_number(request, "tail", 7, 1, 1000))
        fuzz::require(*number >= 1 && *number <= 1000, "a number in a query is within its bounds");
    use(api::query_flag(request, "follow", false));
    use(api::read_body<contract::StartRun>(request));
    use(api::read_body<contract::RetryRun>(request));
    use(api::read_body<contract::Cancel>(request));
    use(api::read_body<contract::SavePipeline>(request));
}

void answer(const http::request<http::string_body>& message) {
    auto request = api::as_request(message, "somebody");
    fuzz::require(!request.id.empty() && request.id.size() <= 64, "a request has an id that logs can hold", request.id);
    if (const auto target = api::read_target(request.target, request); !target)
        return fuzz::require_good(target.error());
    const auto found = api::find_endpoint(table, request);
    if (!found) {
        fuzz::require_good(found.error());
        const auto response = api::error_response(found.error(), request.id);
        fuzz::require(response.status >= 400 && response.status < 500, "an unknown path is the client's fault");
        fuzz::require(codec::parse_json(response.body).has_value(), "an error is told as JSON", response.body);
        return;
    }
    fuzz::require((found->endpoint != nullptr) == found->allow.empty(), "a path has an endpoint or other methods");
    if (found->endpoint)
        for (const auto& [name, value] : request.path_parameters)
            fuzz::require(!value.empty() && value != "." && value != "..", "a path's parameter is a name", value);
    read_everything(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto bytes = fuzz::as_text(data, size);
    const std::size_t piece = fuzz::take_byte(bytes) % 64u * 16 + 1;
    api::MessageParser parser;
    api::set_limits(parser);
    parser.eager(true);
    std::string pending;
    while (!parser.is_done()) {
        const auto more = bytes.substr(0, piece);
        if (more.empty()) return 0;
        bytes.remove_prefix(more.size());
        pending += more;
        boost::system::error_code error;
        pending.erase(0, parser.put(boost::asio::buffer(pending), error));
        if (error && error != http::error::need_more) return fuzz::require_good(api::no_request(error)), 0;
    }
    answer(parser.get());
    return 0;
}
