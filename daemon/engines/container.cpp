#include "daemon/engines/container.hpp"

#include "common/base/text.hpp"
#include "common/job/container.hpp"
#include "common/model/mount.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>

namespace cicd::engines {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto removal_limit = std::chrono::seconds(30);
constexpr std::string_view label_prefix = "io.cicd.";
constexpr int default_pids = 4096;
constexpr int victim_score = 500;  ///< of several victims the kernel takes a job's process first

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

Array texts(std::initializer_list<std::string_view> list) {
    Array array;
    for (const auto text : list) array.emplace_back(text);
    return array;
}

Value bound(const std::string& source, const std::string& target, bool read_only) {
    return Object{{"Type", "bind"}, {"Source", source}, {"Target", target}, {"ReadOnly", read_only}};
}

/// Docker counts devices by a request to its driver; Podman has them by their names in CDI.
void add_gpus(Object& host, int count, Facts::Kind kind) {
    if (kind == Facts::Kind::docker)
        return host.set("DeviceRequests", Array{Object{{"Driver", ""}, {"Count", count}, {"Capabilities", Array{Value(texts({"gpu"}))}}}});
    Array devices;
    for (int i = 0; i < count; ++i)
        devices.emplace_back(Object{{"PathOnHost", "nvidia.com/gpu=" + std::to_string(i)}, {"PathInContainer", ""}, {"CgroupPermissions", ""}});
    host.set("Devices", std::move(devices));
}

/// With services the engine's own network, where the job may have a way out: the host's belongs to everybody.
std::string network_mode(const model::JobSpec& spec, const std::string& service) {
    if (!service.empty()) return "container:" + container_name(spec);
    if (spec.network == model::NetworkMode::none) return "none";
    return spec.services.empty() ? "host" : "default";
}

/// Volumes as the pipeline writes them, wherever links lead: never to what the configuration does not allow.
Result<void> add_volumes(Array& mounts, const model::JobSpec& spec) {
    for (const auto& text : spec.image ? spec.image->options.volumes : model::Strings()) {
        CICD_TRY(const auto mount, model::parse_mount(text));
        if (!mount.is_folder()) {
            Object made{{"Type", "volume"}, {"Target", mount.target}, {"ReadOnly", mount.read_only}};
            if (!mount.source.empty()) made.set("Source", volume_name(spec, mount.source));
            mounts.emplace_back(std::move(made));
            continue;
        }
        std::error_code missing;
        const auto real = std::filesystem::canonical(mount.source, missing);
        if (missing) return invalid("JOB_002", "the folder " + mount.source + " of the volume " + text + " is not on this machine");
        model::Strings allowed;
        for (const auto& folder : spec.mountable)
            if (auto path = std::filesystem::canonical(folder, missing); !missing) allowed.push_back(path.string());
        if (!model::is_below(real.string(), allowed))
            return invalid("JOB_002", "the volume " + text + " is a folder of this machine that is not allowed" + (real == mount.source ? "" : ": it leads to " + real.string()),
                           "allow it in config.yaml: volumes: [" + mount.source + "]");
        mounts.push_back(bound(real.string(), mount.target, mount.read_only));
    }
    return {};
}

Value ulimit(const std::string& text) {
    const auto equals = text.find('='), colon = text.find(':', equals);
    const auto number = [&](std::size_t from, std::size_t to) { return static_cast<double>(std::strtoll(text.substr(from, to - from).c_str(), nullptr, 10)); };
    const auto soft = number(equals + 1, std::min(colon, text.size()));
    return Object{{"Name", text.substr(0, equals)}, {"Soft", soft}, {"Hard", colon == text.npos ? soft : number(colon + 1, text.size())}};
}

void add_options(Object& host, const model::JobSpec& spec, bool has_hosts) {
    const auto& options = spec.image->options;
    Object tmpfs{{job::container_files, "rw,exec,nosuid,nodev,mode=1777,size=67108864"}};
    for (const auto& text : options.tmpfs) {
        const auto colon = text.find(':');
        tmpfs.set(text.substr(0, colon), colon == text.npos ? std::string() : text.substr(colon + 1));
    }
    host.set("Tmpfs", std::move(tmpfs));
    if (options.shared_memory) host.set("ShmSize", static_cast<double>(*options.shared_memory));
    Array ulimits, hosts;
    for (const auto& text : options.ulimits) ulimits.push_back(ulimit(text));
    if (!ulimits.empty()) host.set("Ulimits", std::move(ulimits));
    // With services, names are in a file of ours.
    for (const auto& text : has_hosts ? model::Strings() : options.hosts) hosts.emplace_back(text);
    if (!hosts.empty()) host.set("ExtraHosts", std::move(hosts));
}

Result<Object> host_config(const model::JobSpec& spec, const Folders& folders, Facts::Kind kind, const std::string& service) {
    Array mounts{bound(folders.init.string(), job::container_init, true), bound(folders.place.string(), job::container_folder, true)};
    if (!spec.workspace.empty()) mounts.push_back(bound(spec.workspace, job::container_workspace, false));
    for (const auto& action : spec.fetched)
        mounts.push_back(bound(action.path, std::string(model::actions_folder) + "/" + action.name + "/" + model::folder_of_ref(action.ref), true));
    if (!folders.hosts.empty()) mounts.push_back(bound(folders.hosts.string(), "/etc/hosts", true));
    CICD_CHECK(add_volumes(mounts, spec));
    Object host{{"Mounts", std::move(mounts)},
                {"Tmpfs", Object{{job::container_files, "rw,exec,nosuid,nodev,mode=1777,size=67108864"}}},
                {"NetworkMode", network_mode(spec, service)},
                {"Init", false},
                {"AutoRemove", false}};
    if (spec.image) add_options(host, spec, !folders.hosts.empty());
    add_limits(host, spec);
    if (spec.limits.gpu.value_or(0) > 0) add_gpus(host, *spec.limits.gpu, kind);
    return host;
}

/// The pipeline's, and ours, which nobody else sets.
Object labels_of(const model::JobSpec& spec, const std::string& service) {
    Object labels;
    for (const auto& [name, value] : spec.image ? spec.image->options.labels : model::Texts())
        if (!name.starts_with(label_prefix)) labels.set(name, value);
    labels.set(label_job, spec.job.str() + "/" + std::to_string(spec.attempt));
    labels.set(label_state, spec.store);
    if (!service.empty()) labels.set(label_service, service);
    return labels;
}

Error refused(const std::string& doing, const Answer& answer, const Engine& engine) {
    auto error = unavailable("JOB_003", "the container could not be " + doing + ": " + engine.name() + " says: " + answer.complaint());
    const auto said = answer.complaint();
    if (said.find("setting rlimit") != std::string::npos)
        error.hint = "the engine's own limits are above this machine's: set default_ulimits in containers.conf, or default-ulimits in daemon.json";
    else if (said.find("cgroup") != std::string::npos)
        error.hint = "see that the engine runs at all: podman run --rm IMAGE true, or docker run";
    return error;
}

}  // namespace

std::string container_name(const model::JobSpec& spec, const std::string& service) {
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a: engines are shared by daemons of other states
    for (const unsigned char c : spec.store) hash = (hash ^ c) * 1099511628211U;
    char digits[17];
    (void)std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    return "cicd-" + std::string(digits, 8) + "-" + spec.job.str() + "-" + std::to_string(spec.attempt) + (service.empty() ? "" : "-" + service);
}

std::string volume_name(const model::JobSpec& spec, const std::string& name) { return container_name(spec) + "-volume-" + name; }

void add_limits(Object& host, const model::JobSpec& spec) {
    host.set("SecurityOpt", texts({"no-new-privileges"}));
    host.set("CapDrop", texts({"MKNOD", "AUDIT_WRITE", "NET_RAW"}));
    host.set("OomScoreAdj", victim_score);
    host.set("PidsLimit", spec.limits.pids.value_or(default_pids));
    if (spec.limits.memory) {
        host.set("Memory", static_cast<double>(*spec.limits.memory));
        host.set("MemorySwap", static_cast<double>(*spec.limits.memory));
    }
    // Docker refuses more cores than there are.
    const double cores = std::max(1U, std::thread::hardware_concurrency());
    if (spec.limits.cpu) host.set("NanoCpus", static_cast<double>(static_cast<std::int64_t>(std::min(*spec.limits.cpu, cores) * 1e9)));
}

Result<model::JobSpec> spec_of_service(const model::JobSpec& job, const std::string& service) {
    const auto found = std::find_if(job.services.begin(), job.services.end(), [&](const auto& each) { return each.service.name == service; });
    if (found == job.services.end()) return internal_error("the job has no service '" + service + "'");
    auto spec = job;
    spec.limits.gpu.reset();
    const auto& options = found->service.options;
    if (options.cpu) spec.limits.cpu = std::min(*options.cpu, spec.limits.cpu.value_or(*options.cpu));
    if (options.memory) spec.limits.memory = std::min(*options.memory, spec.limits.memory.value_or(*options.memory));
    if (!spec.image) spec.image.emplace();
    spec.image->entrypoint.clear();
    spec.image->options = options;
    if (!found->service.user.empty()) spec.image->user = found->service.user;
    if (found->service.image.empty()) return spec;
    spec.image.emplace();
    spec.image->name = found->service.image;
    spec.image->user = found->service.user;
    spec.image->options = options;
    spec.image_files = found->root;
    spec.workspace.clear();
    return spec;
}

Result<Object> container_request(const model::JobSpec& spec, const std::string& image, const Folders& folders, Facts::Kind kind,
                         const std::string& service) {
    Array entrypoint;
    const auto& own = spec.image ? spec.image->entrypoint : std::string();
    for (const auto& word : split(own, ' '))
        if (!word.empty()) entrypoint.emplace_back(word);
    Array command = texts({"init", job::container_socket});
    // Not by the engine: where it is given one limit, Podman forgets those of its own configuration.
    if (spec.limits.storage) command.emplace_back(std::to_string(*spec.limits.storage));
    if (entrypoint.empty()) entrypoint.emplace_back(job::container_init);
    else command.insert(command.begin(), Value(job::container_init));
    CICD_TRY(auto host, host_config(spec, folders, kind, service));
    Object request{{"Image", image},
                   {"Entrypoint", std::move(entrypoint)},
                   {"Cmd", std::move(command)},
                   {"HostConfig", std::move(host)}};
    if (!spec.workspace.empty()) request.set("WorkingDir", job::container_workspace);
    request.set("Labels", labels_of(spec, service));
    const auto hostname = spec.image ? spec.image->options.hostname : std::string();
    if (service.empty() && !hostname.empty()) request.set("Hostname", hostname);
    if (spec.network == model::NetworkMode::none && service.empty()) {
        if (hostname.empty()) request.set("Hostname", "ci");
        // Quicker with Docker, but then nobody can join it.
        if (spec.services.empty()) request.set("NetworkDisabled", true);
    }
    if (spec.image && !spec.image->user.empty()) request.set("User", spec.image->user);
    return request;
}

namespace {

/// Those with a name, which others of the job may use too: whoever comes first makes them.
Result<void> make_volumes(Engine& engine, const model::JobSpec& spec) {
    for (const auto& text : spec.image ? spec.image->options.volumes : model::Strings()) {
        CICD_TRY(const auto mount, model::parse_mount(text));
        if (mount.source.empty() || mount.is_folder()) continue;
        auto labels = labels_of(spec, {});
        CICD_TRY(const auto made, engine.ask("POST", "/volumes/create", Object{{"Name", volume_name(spec, mount.source)}, {"Labels", std::move(labels)}}));
        // Podman takes one that is there for a mistake.
        if (!made.ok() && made.status != 409 && made.complaint().find("already exists") == std::string::npos) return refused("given its volume", made, engine);
    }
    return {};
}

Result<int> start_as_asked(Engine& engine, const model::JobSpec& spec, const std::string& image, const Folders& folders,
                           const Tell& tell, const std::string& service) {
    const auto name = container_name(spec, service);
    CICD_TRY(const auto request, container_request(spec, image, folders, engine.facts().kind, service));
    CICD_CHECK(make_volumes(engine, spec));
    const auto create = [&] { return engine.ask("POST", "/containers/create?name=" + encoded(name), request); };
    CICD_TRY(auto created, create());
    if (created.status == 409) {
        // Of a runner of this attempt that was killed together with all that watched it.
        CICD_CHECK(service.empty() ? remove_containers(engine, spec) : remove_container(engine, name));
        CICD_TRY(created, create());
    }
    if (!created.ok()) return refused("made", created, engine);
    if (created.body["Warnings"].is_array())
        for (const auto& warning : created.body["Warnings"].as_array())
            if (!text_of(warning).empty()) tell(engine.name() + " warns: " + to_valid_utf8(text_of(warning)));
    CICD_TRY(const auto started, engine.ask("POST", "/containers/" + encoded(name) + "/start"));
    if (!started.ok()) return refused("started", started, engine);
    CICD_TRY(const auto facts, engine.ask("GET", "/containers/" + encoded(name) + "/json"));
    const auto& pid = facts.body["State"]["Pid"];
    return pid.is_number() ? static_cast<int>(pid.as_number()) : 0;
}

}  // namespace

Result<int> start_container(Engine& engine, const model::JobSpec& spec, const std::string& image, const Folders& folders,
                            const Tell& tell, const std::string& service) {
    auto started = start_as_asked(engine, spec, image, folders, tell, service);
    const bool own_network = service.empty() && network_mode(spec, service) == "default";
    if (started || !own_network || started.error().kind == ErrorKind::cancelled) return started;
    auto alone = spec;
    alone.network = model::NetworkMode::none;
    CICD_CHECK(remove_container(engine, container_name(spec)));
    auto again = start_as_asked(engine, alone, image, folders, tell, service);
    if (again) tell("the job and its services reach only each other: " + started.error().message);
    return again;
}

Result<void> remove_containers(Engine& engine, const model::JobSpec& spec) {
    for (const auto& each : spec.services) CICD_CHECK(remove_container(engine, container_name(spec, each.service.name)));
    CICD_CHECK(remove_container(engine, container_name(spec)));
    std::set<std::string> names;
    const auto add = [&](const model::ContainerOptions& options) {
        for (const auto& text : options.volumes)
            if (const auto mount = model::parse_mount(text); mount && !mount->source.empty() && !mount->is_folder()) names.insert(mount->source);
    };
    if (spec.image) add(spec.image->options);
    for (const auto& each : spec.services) add(each.service.options);
    for (const auto& name : names) CICD_CHECK(remove_volume(engine, volume_name(spec, name)));
    return {};
}

Result<void> remove_volume(Engine& engine, const std::string& name) {
    CICD_TRY(const auto answer, engine.ask("DELETE", "/volumes/" + encoded(name) + "?force=true"));
    return answer.ok() || answer.status == 404 ? Result<void>() : refused("removed", answer, engine);
}

Result<void> remove_container(Engine& engine, const std::string& name) {
    for (const auto end = Clock::now() + removal_limit;;) {
        CICD_TRY(const auto answer, engine.ask("DELETE", "/containers/" + encoded(name) + "?force=true&v=true"));
        if (answer.status == 404) return {};
        if (!answer.ok() && Clock::now() > end) return refused("removed", answer, engine);
        // Also what was answered well may go on for a moment.
        if (!answer.ok()) ::poll(nullptr, 0, 50);
    }
}

}  // namespace cicd::engines
