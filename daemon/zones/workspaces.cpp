#include "daemon/zones/workspaces.hpp"

#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/job/log_writer.hpp"
#include "daemon/engines/reclaim.hpp"
#include "daemon/engines/sweep.hpp"
#include "daemon/git/fetched.hpp"
#include "daemon/images/registry.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/spaces.hpp"
#include "daemon/zones/repositories.hpp"
#include "daemon/zones/workspace_method.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <mutex>
#include <thread>

namespace cicd::zones {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds between_looks{10}, longest_leave{60'000};

Result<void> make_empty_file(const fs::path& path) {
    const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!file) return os::last_error("cannot create " + path.string());
    return {};
}

/// What is left of a document whose writer was killed before it got its name.
void remove_half_written(const job::Paths& paths) {
    std::error_code ignored;
    for (const auto& document : {paths.spec(), paths.pid(), paths.cancel(), paths.exit()})
        fs::remove(document.string() + ".tmp", ignored);
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

bool wants_layers(const WorkspaceMaker& maker, const Assignment& assignment) {
    // An engine sees no mounts of our own namespaces.
    const auto& spec = assignment.spec;
    const bool real = spec.real_workspace || spec.executor == model::ExecutorKind::host || spec.executor == model::ExecutorKind::container;
    return !assignment.shared_workspace && !real &&
           workspace_method(maker.folders.state, maker.runner).method == WorkspaceMethod::overlay;
}

/// Beside a real folder may lie the layers of the job's root and of its services.
fs::path workspace_of(const WorkspaceMaker& maker, const Assignment& assignment, const job::Paths& paths) {
    const auto& spec = assignment.spec;
    if (assignment.shared_workspace) return maker.folders.run(spec.run) / "workspace";
    const bool layers = spec.executor == model::ExecutorKind::rootfs || !spec.services.empty() || spec.system == model::SystemMode::writable;
    return spec.real_workspace && layers ? paths.workspace() / "real" : paths.workspace();
}

/// A real folder with real files, by the cheapest way that the file system has.
Result<void> fill(const WorkspaceMaker& maker, const model::Source& source, const fs::path& workspace) {
    if (workspace_method(maker.folders.state, maker.runner).method == WorkspaceMethod::reflink)
        if (const auto tree = maker.trees.use(source, maker.sources, false))
            return copy_tree((*tree)->layers.front(), workspace);
    CICD_CHECK(maker.sources.checkout(source, workspace));
    return {};
}

Result<std::shared_ptr<const Trees::Use>> layer(const WorkspaceMaker& maker, const model::Source& source,
                                                const fs::path& workspace) {
    CICD_TRY(auto tree, maker.trees.use(source, maker.sources, true));
    for (const auto& folder : {workspace / "upper", workspace / "work"})
        if (::mkdir(folder.c_str(), 0755) != 0) return os::last_error("cannot create " + folder.string());
    return tree;
}

/// The `.git` of a job that wants one: uppermost below what it writes, or files of its own. Without it the job goes on, and is told
/// where it would use it.
Result<void> add_repository(const WorkspaceMaker& maker, const model::Source& source, model::JobSpec& spec, Held& held) {
    if (!spec.git_depth) return {};
    auto& layers = spec.workspace_layers;
    auto made = use_repository(maker.trees, maker.sources, source, *spec.git_depth, layers.size() == 1 ? layers.front() : "");
    if (!made) return {};
    if (layers.empty()) return copy_tree((*made)->layers.front(), spec.workspace);
    layers.insert(layers.begin(), (*made)->layers.front());
    held.actions.push_back(std::move(*made));
    return {};
}

/// What the pull says is the begin of the job's log.
Result<void> pull(const WorkspaceMaker& maker, const images::Reference& reference, const job::Paths& paths) {
    CICD_CHECK(make_folder(paths.root));
    CICD_TRY(auto log, job::LogWriter::reopen(paths));
    const auto tell = [&log](std::string_view line) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const auto text = to_valid_utf8(line) + "\n";
        (void)log.write_lines(0, model::LogStream::system,
                              static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()), {}, text);
    };
    tell("pulling the image " + reference.text());
    CICD_TRY(const auto image, maker.images.pull(reference, tell, maker.stop));
    tell("it has " + humanize_size(static_cast<std::uint64_t>(image.bytes)) + " in " + std::to_string(image.files) + " files");
    return {};
}

/// For what is written above an overlay.
Result<void> make_layer(const fs::path& folder) {
    CICD_CHECK(make_folder(folder));
    for (const auto& each : {folder / "upper", folder / "work"})
        if (::mkdir(each.c_str(), 0755) != 0) return os::last_error("cannot create " + each.string());
    return {};
}

/// An image that the run was given, with a layer for what is written into it.
Result<std::shared_ptr<const images::Store::Use>> root_of(const WorkspaceMaker& maker, const model::Image& wanted,
                                                          const job::Paths& paths, const fs::path& layer) {
    const auto method = workspace_method(maker.folders.state, maker.runner);
    if (method.method != WorkspaceMethod::overlay)
        return unavailable("JOB_003", "images need overlays, which cannot be mounted here: " + method.why,
                           "see what `cicdctl doctor` says");
    CICD_TRY(const auto reference, images::parse_reference(wanted.name));
    auto digest = maker.images.find(reference);
    if (!digest && reference.kind == images::Reference::Kind::name && images::can_pull() && wanted.pull != "never") {
        CICD_CHECK(pull(maker, reference, paths));
        digest = maker.images.find(reference);
    }
    if (!digest)
        return unavailable("JOB_003", "the image " + reference.text() + " is not on this machine any more",
                           "import it again: cicdctl image import");
    CICD_TRY(auto image, maker.images.use(*digest, wanted.user));
    CICD_CHECK(make_layer(layer));
    return image;
}

/// What the engine is to be asked for, with the files that this machine has of it, should the engine lack it.
Result<void> files_for_engine(const WorkspaceMaker& maker, std::string& name, const std::string& user,
                              std::optional<model::RootImage>& files, Held& held) {
    CICD_TRY(const auto reference, images::parse_reference(name));
    name = reference.text();
    const auto digest = maker.images.find(reference);
    if (!digest) return {};
    CICD_TRY(auto image, maker.images.use(*digest, user));
    files = image->root;
    files->name = name;
    files->digest = *digest;
    held.images.push_back(std::move(image));
    return {};
}

Result<void> container_images(const WorkspaceMaker& maker, model::JobSpec& spec, Held& held) {
    spec.engine = maker.engine;
    spec.mountable = maker.mountable;
    if (!spec.image) return invalid("JOB_002", "the job has no image to run in", "name one with 'image'");
    CICD_CHECK(files_for_engine(maker, spec.image->name, spec.image->user, spec.image_files, held));
    for (auto& each : spec.services)
        if (!each.service.image.empty())
            CICD_CHECK(files_for_engine(maker, each.service.image, each.service.user, each.root, held));
    return {};
}

Result<void> prepare_root(const WorkspaceMaker& maker, model::JobSpec& spec, const job::Paths& paths, Held& held) {
    if (!spec.image) return internal_error("the job has no image");
    CICD_TRY(auto image, root_of(maker, *spec.image, paths, paths.workspace() / "root"));
    spec.root = image->root;
    spec.root->name = spec.image->name;
    held.images.push_back(std::move(image));
    return {};
}

model::Image image_of(const model::Service& service) {
    model::Image image;
    image.name = service.image;
    image.user = service.user;
    return image;
}

Result<void> prepare_services(const WorkspaceMaker& maker, model::JobSpec& spec, const job::Paths& paths, Held& held) {
    if (spec.executor == model::ExecutorKind::container) return {};
    for (auto& each : spec.services) {
        const auto layer = paths.service(each.service.name);
        if (each.service.image.empty()) {
            if (!spec.workspace_layers.empty()) CICD_CHECK(make_layer(layer));
            continue;
        }
        CICD_TRY(auto image, root_of(maker, image_of(each.service), paths, layer / "root"));
        each.root = image->root;
        each.root->name = each.service.image;
        CICD_TRY(const auto facts, maker.images.show(image->root.digest));
        each.entrypoint = facts.entrypoint;
        each.command = facts.command;
        each.working_directory = facts.working_directory;
        held.images.push_back(std::move(image));
    }
    return {};
}

/// Read-only for jobs that are kept apart; others get files of their own, which go with the job.
Result<void> prepare_actions(const WorkspaceMaker& maker, model::JobSpec& spec, const job::Paths& paths, Held& held) {
    for (auto& action : spec.fetched) {
        if (spec.executor == model::ExecutorKind::host) {
            const auto folder = paths.actions() / action.name / model::folder_of_ref(action.ref);
            CICD_CHECK(make_folder(folder));
            CICD_CHECK(maker.sources.checkout(git::source_of(action), folder));
            action.path = folder.string();
            continue;
        }
        CICD_TRY(auto tree, maker.trees.use(git::source_of(action), maker.sources, false));
        action.path = tree->layers.front();
        held.actions.push_back(std::move(tree));
    }
    return {};
}

/// What an earlier daemon made for the same attempt goes, after the runner that it held back has left. The log stays
/// the file that it is, empty: somebody may follow it already.
Result<void> clear(const job::Paths& paths) {
    for (auto waited = Milliseconds{0}; job::runner_status(paths).liveness == job::RunnerLiveness::alive; waited += between_looks) {
        if (waited > longest_leave)
            return unavailable("ZONE_001", "the runner that an earlier daemon held back in " + paths.root.string() + " does not leave",
                               "end it: its number is in " + paths.pid().string());
        std::this_thread::sleep_for(between_looks);
    }
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(paths.root, failure)) {
        const bool of_log = entry.path() == paths.log() || entry.path() == paths.index();
        if (!of_log) CICD_CHECK(os::remove_all(entry.path()));
        if (of_log && ::truncate(entry.path().c_str(), 0) != 0) return os::last_error("cannot empty " + entry.path().string());
    }
    if (failure) return unavailable("ZONE_001", "cannot read " + paths.root.string() + ": " + failure.message());
    return {};
}

}  // namespace

Value with_runner(Value contexts) {
    if (!contexts.is_object() || contexts.as_object().contains("runner")) return contexts;
    auto members = std::move(contexts.as_object());
    members.set("runner", runner_context());
    return Value(std::move(members));
}

bool needs_checkout(const WorkspaceMaker& maker, const Assignment& assignment) {
    const auto& actions = assignment.spec.fetched;
    const auto& depth = assignment.spec.git_depth;
    return (wants_layers(maker, assignment) && !maker.trees.has(assignment.source)) ||
           (depth && !has_repository(maker.trees, assignment.source, *depth)) ||
           std::any_of(actions.begin(), actions.end(), [&](const auto& action) { return !maker.trees.has(git::source_of(action)); });
}

bool needs_pull(const WorkspaceMaker& maker, const Assignment& assignment) {
    const auto missing = [&](const std::string& name) {
        const auto reference = images::parse_reference(name);
        return reference && !maker.images.find(*reference);
    };
    const auto& spec = assignment.spec;
    if (spec.executor == model::ExecutorKind::container) return false;  // its engine pulls
    if (spec.executor == model::ExecutorKind::rootfs && spec.image && missing(spec.image->name)) return true;
    return std::any_of(spec.services.begin(), spec.services.end(), [&](const model::JobService& each) {
        return !each.service.image.empty() && missing(each.service.image);
    });
}

Result<Held> make_job_directory(const WorkspaceMaker& maker, const Assignment& assignment) {
    const job::Paths paths{maker.folders.job(assignment.spec.job, assignment.spec.attempt)};
    auto spec = assignment.spec;
    spec.workspace = workspace_of(maker, assignment, paths).string();
    spec.store = maker.folders.state.string();
    spec.cache = (maker.folders.state / "cache").string();
    spec.contexts = with_runner(std::move(spec.contexts));
    // What a step uses may build an image, or run in a container.
    if (std::any_of(spec.steps.begin(), spec.steps.end(), [](const auto& step) { return !step.uses.empty(); })) spec.engine = maker.engine;
    Held held;
    if (fs::exists(paths.root)) CICD_CHECK(clear(paths));
    if (spec.executor == model::ExecutorKind::rootfs) {
        CICD_CHECK(prepare_root(maker, spec, paths, held));
    }
    if (spec.executor == model::ExecutorKind::container) CICD_CHECK(container_images(maker, spec, held));
    if (assignment.shared_workspace) {
        CICD_CHECK(make_folder(paths.root));
        CICD_CHECK(make_shared_workspace(maker, assignment));
    } else {
        CICD_CHECK(make_folder(paths.workspace()));
        if (wants_layers(maker, assignment)) {
            CICD_TRY(held.tree, layer(maker, assignment.source, paths.workspace()));
            spec.workspace_layers = held.tree->layers;
        } else {
            CICD_CHECK(make_folder(spec.workspace));
            CICD_CHECK(fill(maker, assignment.source, spec.workspace));
        }
        CICD_CHECK(add_repository(maker, assignment.source, spec, held));
        held.layers = spec.workspace_layers;
    }
    CICD_CHECK(prepare_services(maker, spec, paths, held));
    CICD_CHECK(prepare_actions(maker, spec, paths, held));
    CICD_CHECK(make_empty_file(paths.journal()));
    CICD_CHECK(job::write_spec(paths, spec));
    return held;
}

Result<void> make_shared_workspace(const WorkspaceMaker& maker, const Assignment& assignment) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    const auto mark = ready_mark(maker.folders, assignment.spec.run);
    if (fs::exists(mark)) return {};
    const auto workspace = maker.folders.run(assignment.spec.run) / "workspace";
    CICD_CHECK(os::remove_all(workspace));
    CICD_CHECK(make_folder(workspace));
    CICD_CHECK(fill(maker, assignment.source, workspace));
    return make_empty_file(mark);
}

void remove_work(const Folders& folders, const fs::path& folder) {
    if (os::remove_all(folder) || ::geteuid() == 0) return;
    // Of a writable system's users, or a container's.
    if (const auto ids = find_subordinate_ids(); ids && os::take_back(*ids, sibling_program("cicd-runner").string(), folder.string()) && os::remove_all(folder)) return;
    if (engines::reclaim(folders.state, folder)) (void)os::remove_all(folder);
}

void remove_leavings(const Folders& folders, const job::Paths& paths) {
    remove_work(folders, paths.workspace());
    (void)os::remove_all(paths.actions());
    // Of a host job: scripts, which may hold secrets. Of steps in containers: their home.
    if (std::error_code ignored; fs::exists(paths.files(), ignored)) remove_work(folders, paths.files());
    remove_half_written(paths);
}

std::vector<Attempt> attempts_without_runner(const Folders& folders) {
    std::vector<Attempt> found;
    std::error_code ignored;
    for (const auto& job : fs::directory_iterator(folders.state / "jobs", ignored))
        for (const auto& attempt : fs::directory_iterator(job.path(), ignored)) {
            const job::Paths paths{attempt.path()};
            const auto name = attempt.path().filename().string();
            int number = 0;
            std::from_chars(name.data(), name.data() + name.size(), number);
            const bool over = fs::exists(paths.exit(), ignored);
            if (number <= 0 || (over && !fs::exists(paths.workspace(), ignored) && !fs::exists(paths.files(), ignored) && !fs::exists(paths.actions(), ignored))) continue;
            if (over || job::runner_status(paths).liveness != job::RunnerLiveness::alive)
                found.emplace_back(JobId(job.path().filename().string()), number);
        }
    return found;
}

void set_aside(const Folders& folders, const std::vector<Attempt>& attempts) {
    std::error_code ignored;
    fs::create_directory(folders.aside(), ignored);
    for (const auto& [job, number] : attempts) {
        const job::Paths paths{folders.job(job, number)};
        const bool never_started =
            !fs::exists(paths.exit(), ignored) && job::runner_status(paths).liveness == job::RunnerLiveness::not_started;
        fs::rename(never_started ? paths.root : paths.workspace(), folders.aside() / (job.str() + "." + std::to_string(number)), ignored);
        remove_half_written(paths);
    }
}

std::optional<fs::path> set_aside(const Folders& folders, const fs::path& folder) {
    static std::atomic<int> count = 0;
    const auto aside = folders.aside() / (std::to_string(::getpid()) + "." + std::to_string(++count));
    for (int tries = 0; tries < 10; ++tries) {  // `remove_set_aside` may take the folder away in between
        std::error_code failure;
        fs::create_directory(folders.aside(), failure);
        fs::rename(folder, aside, failure);
        if (!failure) return aside;
        if (!fs::exists(folder, failure)) break;
    }
    return std::nullopt;
}

void remove_set_aside(const Folders& folders) {
    remove_work(folders, folders.aside());
}

void sweep_containers(const Folders& folders) {
    (void)engines::sweep_containers(folders.state, [&](const std::string& job) {
        const auto slash = job.find('/');
        int attempt = 0;
        if (slash == std::string::npos) return false;
        std::from_chars(job.data() + slash + 1, job.data() + job.size(), attempt);
        const auto id = job.substr(0, slash);
        if (id.empty() || id.find_first_of("/.") != std::string::npos) return false;
        return job::runner_status({folders.job(JobId(id), attempt)}).liveness == job::RunnerLiveness::alive;
    });
}

}  // namespace cicd::zones
