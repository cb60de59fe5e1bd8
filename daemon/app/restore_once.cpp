#include "daemon/app/daemon.hpp"
#include "daemon/os/files.hpp"
#include "daemon/upkeep/backup.hpp"


#include <iostream>

namespace cicd::app {

Result<void> restore_once(const std::filesystem::path& archive, const std::filesystem::path& state) {
    if (const auto failure = os::make_private_directory(state))
        return unavailable("BACKUP_001", "cannot create the state directory " + state.string() + ": " + failure.message());
    auto lock = os::FileLock::try_take(state / "cicdd.lock");
    if (!lock && lock.error().kind == ErrorKind::conflict)
        return conflict("CICD_409", "a daemon serves " + state.string(), "stop it first: cicdctl daemon stop");
    if (!lock) return lock.error();
    CICD_TRY(const auto restored, upkeep::restore(archive, state, SystemClock().now()));
    std::cout << "restored " << restored.runs << " runs (" << restored.files << " files) to " << state.string() << '\n';
    if (!restored.before.empty()) std::cout << "what was there is in " << restored.before.string() << '\n';
    return {};
}

}  // namespace cicd::app
