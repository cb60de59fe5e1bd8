#pragma once

#include "daemon/events/bus.hpp"
#include "daemon/git/source.hpp"
#include "daemon/images/store.hpp"
#include "daemon/planner/prepare.hpp"
#include "daemon/scheduler/run_service.hpp"
#include "daemon/secrets/vault.hpp"
#include "daemon/store/store.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace cicd::api {

class LogWatch;
class Metrics;
class RunEvents;

/// What an administrator asks of the daemon itself. daemon/app fills it. Calls block and are made on the pool.
class Upkeep {
public:
    virtual ~Upkeep() = default;
    virtual Result<contract::BackupReport> backup(const contract::Backup& request) = 0;
    virtual Result<contract::CleanUpReport> clean_up(const contract::CleanUp& request) = 0;
    /// Bytes that may still be written before what is to stay free is touched.
    virtual Result<std::uint64_t> room() = 0;
    /// trace | debug | info | warn | error
    [[nodiscard]] virtual std::string log_level() const = 0;
    /// From now on, until the daemon ends. Refused with CICD_400 for an unknown level.
    virtual Result<void> set_log_level(const std::string& level) = 0;
};

struct UploadLimits {
    std::uint64_t size = std::uint64_t{16} << 30;
    std::uint64_t unpacked = std::uint64_t{64} << 30;
};

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
    secrets::Vault& secrets;
    images::Store* images = nullptr;  ///< null: refused as not available
    Upkeep* upkeep = nullptr;         ///< null: refused as not available
    RunEvents* run_events = nullptr;  ///< these two are the server's own, and there while it serves
    std::shared_ptr<Metrics> metrics;
    UploadLimits uploads;
    /// Brings an artifact's content to this disk, where it is elsewhere. Blocks. Not set: all there is is here.
    std::function<Result<void>(const std::string& digest)> fetch;
};

}  // namespace cicd::api
