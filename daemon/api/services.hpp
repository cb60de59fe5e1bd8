#pragma once

#include "daemon/events/bus.hpp"
#include "daemon/git/source.hpp"
#include "daemon/planner/prepare.hpp"
#include "daemon/scheduler/run_service.hpp"
#include "daemon/store/store.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <string_view>

namespace cicd::api {

class LogWatch;

/// Everything that handlers may use. Outlives the server.
struct Services {
    scheduler::RunService& runs;
    store::Store& store;
    git::Sources& sources;
    events::Bus& bus;
    LogWatch& logs;
    boost::asio::thread_pool& pool;   ///< for what blocks
    planner::PrepareOptions prepare;
    std::function<bool()> is_ready;   ///< false while starting and stopping
    std::function<void(std::string_view)> warn;
};

}  // namespace cicd::api
