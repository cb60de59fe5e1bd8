#include "daemon/api/router.hpp"

#include "common/base/text.hpp"
#include "common/contract/errors.hpp"

#include <algorithm>
#include <set>

namespace cicd::api {
namespace {

/// Without `/api/v1` or `/v1`.
std::string_view below_root(std::string_view path) {
    for (const std::string_view root : {contract::api_root, std::string_view("/v1")})
        if (path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/'))
            return path.substr(root.size());
    return path;
}

using Parameters = std::map<std::string, std::string, std::less<>>;

/// Compares segment by segment, so an encoded slash in a name never changes which route is meant.
std::optional<Parameters> match(std::string_view pattern, std::span<const std::string> segments) {
    Parameters parameters;
    std::size_t index = 0;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        const auto part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(part.size());
        if (index == segments.size()) return std::nullopt;
        const auto& segment = segments[index++];
        if (part.starts_with('{'))
            parameters.emplace(part.substr(1, part.size() - 2), segment);
        else if (part != segment)
            return std::nullopt;
    }
    if (index != segments.size()) return std::nullopt;
    return parameters;
}

Result<std::vector<std::string>> segments_of(std::string_view path) {
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    std::vector<std::string> segments;
    for (const auto& raw : split(path.substr(std::min<std::size_t>(1, path.size())), '/')) {
        CICD_TRY(auto segment, percent_decode(raw, false));
        if (segment.empty() || segment == "." || segment == "..")
            return not_found(std::string(contract::code::no_route), "there is nothing at this path");
        segments.push_back(std::move(segment));
    }
    return segments;
}

}  // namespace

Result<Found> find_endpoint(std::span<const Endpoint> table, Request& request) {
    CICD_TRY(const auto segments, segments_of(below_root(request.path)));
    const std::string_view wanted = request.method == "HEAD" ? "GET" : std::string_view(request.method);
    std::set<std::string> allowed;
    for (const auto& endpoint : table) {
        auto parameters = match(endpoint.route.path, segments);
        if (!parameters) continue;
        if (endpoint.route.method == wanted) {
            request.path_parameters = std::move(*parameters);
            return Found{&endpoint, {}};
        }
        allowed.insert(std::string(endpoint.route.method));
        if (endpoint.route.method == "GET") allowed.insert("HEAD");
    }
    if (allowed.empty())
        return not_found(std::string(contract::code::no_route), "there is nothing at " + to_valid_utf8(request.path),
                         "GET /api/v1/openapi.json lists every path");
    return Found{nullptr, join(std::vector<std::string>(allowed.begin(), allowed.end()), ", ")};
}

}  // namespace cicd::api
