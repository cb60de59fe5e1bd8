#pragma once

#include "daemon/app/configuration.hpp"
#include "daemon/remote/copies.hpp"
#include "daemon/secrets/vault.hpp"
#include "daemon/store/store.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace cicd::app {

/// Copies artifacts to the object store elsewhere, on a thread of its own, as soon as there are new ones. Where that fails
/// it says so once and tries again, less and less often; nothing waits for it.
class Copier {
public:
    /// Null where the configuration names none.
    static Result<std::unique_ptr<Copier>> make(const Configuration& configuration, const std::filesystem::path& state,
                                                store::Store& store, secrets::Vault& vault);
    Copier(store::Store& store, remote::Copies copies);
    ~Copier();
    Copier(const Copier&) = delete;
    Copier& operator=(const Copier&) = delete;

    void start();
    void stop();
    /// Any thread; blocks.
    Result<void> fetch(const std::string& digest) const { return copies_.fetch(digest); }
    Result<std::uint64_t> trim(std::uint64_t keep) const { return copies_.trim(keep); }

private:
    void work();
    /// Whether everything that is listed now has its copy.
    Result<void> push_new();

    store::Store& store_;
    remote::Copies copies_;
    std::int64_t done_up_to_ = 0;
    std::int64_t seen_version_ = -1;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::thread thread_;
};

}  // namespace cicd::app
