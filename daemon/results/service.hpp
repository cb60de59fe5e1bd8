#pragma once

#include "daemon/results/artifacts.hpp"
#include "daemon/results/caches.hpp"

namespace cicd::results {

/// What a job's actions may ask for. Requests may come at the same time.
class Service {
public:
    explicit Service(const job::ResultsRequest& request)
        : token_(request.token), blobs_(request.store, request.url), artifacts_(request, blobs_), caches_(request, blobs_) {}
    Response answer(Request& request);

private:
    const std::string token_;
    Blobs blobs_;
    Artifacts artifacts_;
    Caches caches_;
};

}  // namespace cicd::results
