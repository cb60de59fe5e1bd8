#pragma once

#include "common/contract/routes.hpp"
#include "daemon/api/http.hpp"
#include "daemon/api/services.hpp"

#include <optional>
#include <span>
#include <string>

namespace cicd::api {

using Answer = Result<Response>;
using Handler = async::Task<Answer> (*)(Services&, Request);

/// One line of the route table.
struct Endpoint {
    contract::Route route;
    Handler handler;
    /// Its answer depends on nothing but the target and the state file.
    bool is_cached = false;
    /// Its body holds what must not be kept anywhere, not even as something that could be tried against.
    bool is_confidential = false;
    /// Its body may be of any size and is read by the handler (Request::body_reader).
    bool takes_stream = false;
};

/// Every endpoint there is; where two patterns match, the earlier one is taken.
std::span<const Endpoint> endpoints();

/// The endpoint for the request's method and path, whose parameters are filled in. HEAD is served by GET's.
/// not_found, or CICD_405 whose `allow` names the methods that there are.
struct Found {
    const Endpoint* endpoint = nullptr;
    std::string allow;
};
Result<Found> find_endpoint(std::span<const Endpoint> table, Request& request);

}  // namespace cicd::api
