#include "daemon/runner/sandbox.hpp"

#include "daemon/runner/etc_image.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace cicd::runner {
namespace {

using Kind = os::Enclosure::Kind;
using Entry = os::Enclosure::Entry;

constexpr std::array roots{"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

bool is_folder(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

class Layout {
public:
    explicit Layout(const SandboxRequest& request) : request_(request) {}

    os::Enclosure make() {
        made_.program = request_.init;
        made_.hostname = "ci";
        made_.own_network = request_.spec.network == model::NetworkMode::none && !request_.network;
        made_.seccomp = request_.seccomp;
        // Half of the memory is the kernel's own limit.
        const auto half = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) / 2 * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        if (const auto& storage = request_.spec.limits.storage; storage && *storage < half) made_.root_size = storage;
        if (request_.spec.root) use_image(*request_.spec.root);
        else if (request_.writable) use_copy_of_host();
        else use_host();
        if (request_.writable) add_package_tools();
        if (!made_.own_network) add_resolver();
        if (request_.network && !request_.spec.root && !request_.writable) bind(request_.hosts.string(), "/etc/hosts");
        // Apart from the root, so that steps that filled that can be followed by one that cleans up.
        made_.entries.push_back({.kind = Kind::memory, .target = sandbox_files, .source = std::to_string(64 << 20), .mode = 0700});
        add_actions();
        add_workspace();
        return std::move(made_);
    }

private:
    void use_host() {
        bind("/usr", "/usr");
        for (const char* root : roots) add_root(std::string("/") + root);
        if (is_folder("/opt")) bind("/opt", "/opt");
        if (is_folder("/nix/store")) {
            folder("/nix", 0755);
            bind("/nix/store", "/nix/store");
        }
        bind(request_.etc.string(), "/etc");
        for (const auto& name : request_.etc_folders) bind("/etc/" + name, "/etc/" + name);
        made_.entries.push_back({Kind::proc, "/proc"});
        os::add_devices(made_);
        // The root is a private tmpfs: plain directories in it are as private as further mounts, and cheaper.
        add_common_folders();
        folder("/home", 0755);
        folder("/home/ci", 0700);
        made_.entries.push_back({Kind::link, "/var/run", "../run"});
    }

    /// This machine's system with a layer over each part of it, and of /var only what package managers keep.
    void use_copy_of_host() {
        for (const char* path : {"/var", "/var/lib", "/var/cache", "/var/cache/apt", "/var/log", "/var/spool", "/var/mail", "/var/backups",
                                 "/var/local", "/var/opt", "/home", "/srv", "/media", "/mnt"})
            folder(path, 0755);
        folder("/root", 0700);
        add_common_folders();
        folder("/run/lock", 01777);
        for (const auto& entry : request_.writable->host()) made_.entries.push_back(entry);
        for (const char* root : roots) {
            const auto path = std::string("/") + root;
            if (std::filesystem::is_symlink(path)) add_root(path);
        }
        made_.entries.push_back({Kind::link, "/var/run", "../run"});
        made_.entries.push_back({Kind::link, "/var/lock", "../run/lock"});
        made_.entries.push_back({Kind::proc, "/proc"});
        os::add_devices(made_);
        request_.writable->put_on(made_);
        if (request_.network) add_file("/etc/hosts", request_.network->hosts());
    }

    /// `sudo` as scripts know it; no package may start a server; and where there is only one user, apt stays that one.
    void add_package_tools() {
        const auto* image = request_.spec.root ? &*request_.spec.root : nullptr;
        const auto has = [&](const char* path) { return std::filesystem::exists((image ? image->path : "") + path); };
        folder("/usr", 0755);
        folder("/usr/local", 0755);
        folder("/usr/local/bin", 0755);
        bind(request_.init, "/usr/local/bin/sudo");
        if (!has("/etc/debian_version")) return;
        made_.entries.push_back({.kind = Kind::file, .target = "/usr/sbin/policy-rc.d", .source = "#!/bin/sh\nexit 101\n", .mode = 0755});
        if (!request_.writable->has_users() && has("/etc/apt/apt.conf.d"))
            add_file("/etc/apt/apt.conf.d/99cicd", "APT::Sandbox::User \"root\";\n");
    }

    /// The image's files under a layer of the job's own, which goes with the job; of the host only names and addresses.
    void use_image(const model::RootImage& image) {
        const auto own = request_.root_layer.string();
        const auto lower = request_.writable ? request_.writable->seen(image.path) : image.path;
        made_.root_overlay = "lowerdir=" + lower + ",upperdir=" + own + "/upper,workdir=" + own + "/work,userxattr,volatile";
        made_.root_mounted_on = own;
        made_.user = static_cast<unsigned>(image.user);
        made_.group = static_cast<unsigned>(image.group);
        if (request_.writable) {
            request_.writable->put_on(made_);
            folder("/root", 0700);
        }
        made_.entries.push_back({Kind::proc, "/proc"});
        made_.entries.push_back({.kind = Kind::memory, .target = "/dev", .source = std::to_string(64 << 20), .mode = 0755});
        os::add_devices(made_);
        add_common_folders();
        folder("/etc", 0755);
        for (std::size_t at = image.home.find('/', 1); at != std::string::npos; at = image.home.find('/', at + 1))
            folder(image.home.substr(0, at), 0755);
        if (image.home.size() > 1) folder(image.home, 0700);
        const bool host_network = request_.spec.network == model::NetworkMode::host;
        add_file("/etc/hosts", request_.network ? request_.network->hosts() : host_network ? host_file("/etc/hosts").value_or("") : "127.0.0.1 localhost\n::1 localhost\n");
    }

    void add_common_folders() {
        folder("/tmp", 01777);
        folder("/var", 0755);
        folder("/var/tmp", 01777);
        folder("/run", 0755);
    }

    void bind(const std::string& source, const std::string& target, bool writable = false) {
        made_.entries.push_back({.kind = Kind::bind, .target = target, .source = source, .writable = writable});
    }
    void add_file(const std::string& path, std::string text) {
        made_.entries.push_back({.kind = Kind::file, .target = path, .source = std::move(text), .mode = 0644});
    }
    void folder(const std::string& path, int mode) {
        made_.entries.push_back({.kind = Kind::folder, .target = path, .mode = mode});
    }

    /// /bin and its like: a link on a merged system, a directory of its own on others.
    void add_root(const std::string& path) {
        char target[PATH_MAX];
        const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
        if (n > 0) made_.entries.push_back({Kind::link, path, std::string(target, static_cast<std::size_t>(n))});
        else if (is_folder(path)) bind(path, path);
    }

    static std::optional<std::string> host_file(const char* path) {
        const os::Fd file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        std::string text(1 << 14, '\0');
        const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : -1;
        if (n < 0) return std::nullopt;
        text.resize(static_cast<std::size_t>(n));
        return text;
    }

    /// Copied for each job: it changes while the machine runs, often by way of a link.
    void add_resolver() {
        auto text = request_.network ? request_.network->resolver() : host_file("/etc/resolv.conf");
        if (text) add_file(request_.spec.root || request_.writable ? std::string("/etc/resolv.conf") : resolver_file, std::move(*text));
    }

    void add_actions() {
        std::set<std::string> made;
        const auto parent = [&](const std::string& path) {
            if (made.insert(path).second) folder(path, 0755);
        };
        for (const auto& action : request_.spec.fetched) {
            const std::string top(model::actions_folder);
            parent(top);
            parent(top + "/" + action.name.substr(0, action.name.find('/')));
            parent(top + "/" + action.name);
            bind(action.path, top + "/" + action.name + "/" + model::folder_of_ref(action.ref));
        }
    }

    void add_workspace() {
        if (request_.spec.workspace.empty() && request_.awaited < 0) return;
        if (request_.awaited < 0)
            return made_.entries.push_back(workspace());
        made_.awaited = request_.awaited;
        made_.awaited_target = sandbox_workspace;
    }

    [[nodiscard]] Entry workspace() const {
        auto layers = request_.spec.workspace_layers;
        if (request_.writable)
            for (auto& layer : layers) layer = request_.writable->seen(layer);
        auto entry = os::workspace_entry(sandbox_workspace, request_.folders.workspace.string(), layers);
        entry.shifted = layers.empty() && request_.writable && request_.writable->shifts();
        return entry;
    }

    const SandboxRequest& request_;
    os::Enclosure made_;
};

class Arguments {
public:
    Arguments(const os::Enclosure& enclosure, const std::string& bwrap) : enclosure_(enclosure) {
        bindings_.argv.reserve(256);
        add({bwrap, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--uid",
             std::to_string(enclosure.user), "--gid", std::to_string(enclosure.group), "--hostname", enclosure.hostname,
             "--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL"});
        if (enclosure.own_network) add({"--unshare-net"});
        if (enclosure.root_size) add({"--size", std::to_string(*enclosure.root_size), "--tmpfs", "/"});
    }

    Result<Bindings> finish() {
        for (const auto& entry : enclosure_.entries)
            if (!entry.target.starts_with("/dev")) CICD_CHECK(translate(entry));
        add({"--dev", "/dev"});
        // To the kernel, a job of root's is root where only the uid counts, and so could set the host's parameters.
        if (::geteuid() == 0) add({"--ro-bind", "/proc/sys", "/proc/sys"});
        add({"--ro-bind", enclosure_.program, "/run/cicd/init"});
        if (!enclosure_.seccomp.empty()) {
            CICD_TRY(const auto number, pass(enclosure_.seccomp));
            add({"--seccomp", number});
        }
        add({"--chdir", sandbox_workspace, "--", "/run/cicd/init", "init"});
        return std::move(bindings_);
    }

private:
    void add(std::initializer_list<std::string> arguments) {
        bindings_.argv.insert(bindings_.argv.end(), arguments);
    }

    Result<void> translate(const Entry& entry) {
        switch (entry.kind) {
            case Kind::folder: {
                std::string mode(4, '0');
                for (int digit = 0; digit < 4; ++digit)
                    mode[static_cast<std::size_t>(digit)] = static_cast<char>('0' + ((entry.mode >> (9 - 3 * digit)) & 7));
                add({"--perms", mode, "--dir", entry.target});
                return {};
            }
            case Kind::link: add({"--symlink", entry.source, entry.target}); return {};
            case Kind::file: {
                CICD_TRY(const auto number, pass(entry.source));
                add({"--perms", "0644", "--file", number, entry.target});
                return {};
            }
            case Kind::bind: add({entry.writable ? "--bind" : "--ro-bind", entry.source, entry.target}); return {};
            case Kind::proc: add({"--proc", entry.target}); return {};
            case Kind::memory: add({"--perms", "0700", "--size", entry.source, "--tmpfs", entry.target}); return {};
            case Kind::terminals: return {};
            case Kind::overlay:
                return unavailable("JOB_003", "bubblewrap cannot make a workspace of layers",
                                   "enable unprivileged user namespaces: see what `cicdctl doctor` says");
        }
        return {};
    }

    Result<std::string> pass(const std::string& bytes) {
        CICD_TRY(auto file, os::memory_file("sandbox", bytes));
        const int number = control_fd + 1 + static_cast<int>(bindings_.held.size());
        bindings_.fds.emplace_back(file.get(), number);
        bindings_.held.push_back(std::move(file));
        return std::to_string(number);
    }

    const os::Enclosure& enclosure_;
    Bindings bindings_;
};

}  // namespace

os::Enclosure sandbox(const SandboxRequest& request) { return Layout(request).make(); }

std::string find_bubblewrap() {
    if (const char* given = std::getenv("CICD_BWRAP")) return given;
    for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"})
        if (::access(path, X_OK) == 0) return path;
    return {};
}

Result<Bindings> bubblewrap_command(const os::Enclosure& enclosure, const std::string& bwrap) {
    if (bwrap.empty() || ::access(bwrap.c_str(), X_OK) != 0)
        return unavailable("JOB_003", "the sandbox needs bubblewrap (bwrap), which is not installed",
                           "install the package bubblewrap: sudo apt-get install bubblewrap");
    if (!enclosure.root_overlay.empty())
        return unavailable("JOB_003", "bubblewrap cannot run an image", "enable unprivileged user namespaces: see what `cicdctl doctor` says");
    return Arguments(enclosure, bwrap).finish();
}

Error explain_sandbox_failure(std::string_view said) {
    Error error = unavailable("JOB_003", "the sandbox could not be set up");
    if (!said.empty()) error.message += ": " + std::string(said);
    const bool namespaces = said.find("namespace") != std::string_view::npos ||
                            said.find("uid map") != std::string_view::npos ||
                            said.find("uid_map") != std::string_view::npos ||
                            said.find("No space left on device") != std::string_view::npos ||
                            said.find("Operation not permitted") != std::string_view::npos;
    error.hint = namespaces ? "enable unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1 "
                              "(Debian), sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04), "
                              "sysctl user.max_user_namespaces=15000"
                            : "see what `cicdctl doctor` says about the sandbox";
    return error;
}

}  // namespace cicd::runner
