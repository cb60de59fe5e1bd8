#pragma once

#include "common/codec/codecs.hpp"
#include "daemon/api/http.hpp"
#include "daemon/api/router.hpp"

#include <string>
#include <vector>

/// What the resources share: bodies read, results written, filters of lists.
namespace cicd::api {

template <class T>
Result<T> read_body(const Request& request) {
    CICD_TRY(const auto body, json_body(request));
    return codec::decode<T>(body);
}

template <class T>
Answer answer(const Result<T>& result, int status = 200) {
    if (!result) return result.error();
    return json_response(codec::encode(*result), status);
}

struct PageOf {
    int page = 1, page_size = 20;
};
/// `page` and `pageSize` (`limit` is an alias).
Result<PageOf> read_page(const Request& request);

/// A comma list of an enum's texts; an unknown one is refused, naming those that there are.
template <class E>
Result<std::vector<E>> read_states(const Request& request, const std::string& name = "status");

Result<contract::RunFilter> read_run_filter(const Request& request);
Result<contract::JobFilter> read_job_filter(const Request& request);

/// The id in the path, whatever the seed's name for it.
std::string id_of(const Request& request);

}  // namespace cicd::api
