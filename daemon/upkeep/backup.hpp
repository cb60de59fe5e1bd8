#pragma once

#include "common/contract/requests.hpp"
#include "daemon/store/store.hpp"

#include <filesystem>
#include <string>

/// The state as one archive, taken while the daemon works, and put back while none does.
namespace cicd::upkeep {

/// What is in it:
///   manifest.json    format, version and schema of what wrote it, when
///   state.db         one moment of the state file
///   jobs/…           spec, journal, log and exit of jobs that had ended by then; of those that had not, what makes the
///                    next daemon count them as lost
///   keys/…           where there are any
///   checksums        SHA-256, size and name of everything before it; last, so that nothing can be cut off
/// Written beside its place, made durable, renamed.
Result<contract::BackupReport> back_up(store::Store& store, const std::filesystem::path& state, Timestamp now,
                                       const contract::Backup& request);

struct Restored {
    std::int64_t runs = 0, files = 0;
    int schema = 0;
    std::filesystem::path before;  ///< where the state that was there is now; empty where there was none
};
/// Everything is verified before anything is replaced; what was there is put aside, never deleted. The caller holds the
/// lock of the state directory.
Result<Restored> restore(const std::filesystem::path& archive, const std::filesystem::path& state, Timestamp now);

/// A restore that did not come to its end leaves a state that nobody may go on with.
Result<void> refuse_half_restored(const std::filesystem::path& state);

}  // namespace cicd::upkeep
