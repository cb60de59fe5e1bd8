#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/session.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"

#include <algorithm>
#include <cctype>

namespace cicd::cli {
namespace {

constexpr Operand operands[] = {{.name = "METHOD"}, {.name = "PATH"}};
constexpr Option options[] = {
    {.names = "-d,--data",
     .value = "BODY",
     .help = "The request's body; @FILE and - read it",
     .completes = Completes::file},
    {.names = "-H,--header", .value = "NAME:VALUE", .help = "A header; repeat for more", .many = true},
    {.names = "-i,--include", .help = "The status before the body"},
};
constexpr Example examples[] = {{"cicdctl api GET /runs", "paths are below /api/v1"},
                                {"cicdctl api POST /runs -d @run.json", "a body from a file"},
                                {"cicdctl api GET '/runs/run-3/events?logs=true'", "a stream, as it comes"}};

std::string target_of(const std::string& path) {
    const auto absolute = path.starts_with('/') ? path : "/" + path;
    for (const auto* known : {"/api/", "/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json"})
        if (absolute.starts_with(known)) return absolute;
    return std::string(contract::api_root) + absolute;
}

Result<std::vector<std::pair<std::string, std::string>>> headers_of(const Arguments& arguments, bool has_body) {
    std::vector<std::pair<std::string, std::string>> headers;
    for (const auto& typed : arguments.texts("--header")) {
        const auto colon = typed.find(':');
        if (colon == std::string::npos) return usage_error("--header takes NAME:VALUE, not '" + typed + "'");
        const auto value = typed.find_first_not_of(' ', colon + 1);
        headers.emplace_back(typed.substr(0, colon), value == std::string::npos ? "" : typed.substr(value));
    }
    if (has_body) headers.emplace_back("Content-Type", "application/json");
    return headers;
}

Result<ExitCode> call(Session& session, const Arguments& arguments) {
    auto method = arguments.operand(0);
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::toupper(c); });
    if (method.empty() || !std::all_of(method.begin(), method.end(), [](unsigned char c) { return std::isupper(c); }))
        return usage_error("'" + arguments.operand(0) + "' is no HTTP method", "GET, POST, PUT, PATCH or DELETE");
    CICD_TRY(const auto body, resolve_value(arguments.text("--data")));
    CICD_TRY(const auto headers, headers_of(arguments, arguments.has("--data")));
    CICD_TRY(auto* daemon, session.daemon());
    bool any = false, open_line = false;
    std::string error_body;
    const auto take = [&](int status, std::string_view piece) {
        if (!any && arguments.has("--include")) session.console().out("HTTP " + std::to_string(status) + "\n\n");
        any = true;
        if (status >= 400) error_body += piece;
        session.console().out(piece);
        open_line = !piece.ends_with('\n');
        return true;
    };
    CICD_TRY(const auto response, daemon->raw_stream(method, target_of(arguments.operand(1)), body, headers, take));
    if (!any && arguments.has("--include")) session.console().out("HTTP " + std::to_string(response.status) + "\n");
    if (open_line) session.console().out("\n");
    if (response.status < 400) return ExitCode::success;
    // The body was shown as it came; only the code is made of it.
    if (const auto value = codec::parse_json(error_body))
        if (const auto error = codec::decode<Error>(*value)) return exit_code_of(*error);
    return ExitCode::infrastructure;
}

}  // namespace

constinit const Command api_command{.name = "api",
                                    .summary = "Call the API directly",
                                    .operands = operands,
                                    .options = options,
                                    .examples = examples,
                                    .handler = call};

}  // namespace cicd::cli
