#include "daemon/zones/workspaces.hpp"

#include "daemon/os/files.hpp"

#include <fcntl.h>
#include <sys/utsname.h>

#include <mutex>

namespace cicd::zones {
namespace {

namespace fs = std::filesystem;

Result<void> make_folder(const fs::path& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (!failure) return {};
    return unavailable("ZONE_001", "cannot create " + path.string() + ": " + failure.message(),
                       "free space or make the state directory writable");
}

Result<void> make_empty_file(const fs::path& path) {
    const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!file) return os::last_error("cannot create " + path.string());
    return {};
}

/// The `runner` context, with GitHub's names for the machine.
Value runner_context() {
    utsname machine{};
    ::uname(&machine);
    const std::string name = machine.machine;
    Object context;
    context.set("name", "local");
    context.set("os", "Linux");
    context.set("arch", name == "x86_64" ? "X64" : name == "aarch64" ? "ARM64" : name);
    context.set("temp", "/tmp");
    return context;
}

fs::path ready_mark(const Folders& folders, const RunId& run) {
    return folders.run(run) / "ready";
}

}  // namespace

Result<void> make_job_directory(const Folders& folders, const Assignment& assignment, git::Sources& sources) {
    const job::Paths paths{folders.job(assignment.spec.job, assignment.spec.attempt)};
    auto spec = assignment.spec;
    spec.workspace = (assignment.shared_workspace ? folders.run(spec.run) / "workspace" : paths.workspace()).string();
    if (spec.contexts.is_object() && !spec.contexts.as_object().contains("runner")) {
        auto contexts = spec.contexts.as_object();
        contexts.set("runner", runner_context());
        spec.contexts = Value(std::move(contexts));
    }
    if (fs::exists(paths.root)) CICD_CHECK(os::remove_all(paths.root));
    if (assignment.shared_workspace) {
        CICD_CHECK(make_folder(paths.root));
        CICD_CHECK(make_shared_workspace(folders, assignment, sources));
    } else {
        CICD_CHECK(make_folder(paths.workspace()));
        CICD_CHECK(sources.checkout(assignment.source, paths.workspace()));
    }
    CICD_CHECK(make_empty_file(paths.journal()));
    return job::write_spec(paths, spec);
}

Result<void> make_shared_workspace(const Folders& folders, const Assignment& assignment, git::Sources& sources) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    const auto mark = ready_mark(folders, assignment.spec.run);
    if (fs::exists(mark)) return {};
    const auto workspace = folders.run(assignment.spec.run) / "workspace";
    CICD_CHECK(os::remove_all(workspace));
    CICD_CHECK(make_folder(workspace));
    CICD_CHECK(sources.checkout(assignment.source, workspace));
    return make_empty_file(mark);
}

void sweep_workspaces(const Folders& folders) {
    std::error_code ignored;
    for (const auto& job : fs::directory_iterator(folders.state / "jobs", ignored))
        for (const auto& attempt : fs::directory_iterator(job.path(), ignored)) {
            const job::Paths paths{attempt.path()};
            if (fs::exists(paths.exit(), ignored) && fs::exists(paths.workspace(), ignored))
                (void)os::remove_all(paths.workspace());
        }
}

}  // namespace cicd::zones
