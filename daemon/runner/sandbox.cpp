#include "daemon/runner/sandbox.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace cicd::runner {
namespace {

// What programs expect of /etc and nobody minds showing. Everything else stays outside: keys, shadow, sudoers, …
// Files are copied, which is cheaper than a mount each; directories are mounted read-only.
constexpr std::array etc_files{
    "ld.so.cache", "ld.so.conf", "localtime", "timezone", "nsswitch.conf", "hosts", "services", "protocols",
    "host.conf", "gai.conf", "mime.types", "debian_version", "os-release", "gitconfig", "ssl/openssl.cnf"};
constexpr std::array etc_folders{"alternatives", "ssl/certs", "ca-certificates", "pki/tls/certs", "pki/ca-trust",
                                 "ld.so.conf.d", "terminfo", "perl", "fonts", "xdg", "crypto-policies"};
constexpr std::array etc_folder_prefixes{"java", "python"};
constexpr std::array roots{"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

constexpr off_t largest_copy = 1 << 20;

bool is_folder(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

class Arguments {
public:
    Arguments(const SandboxRequest& request, const std::string& bwrap) : request_(request) {
        bindings_.argv.reserve(256);
        add({bwrap, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--uid",
             "1000", "--gid", "1000", "--hostname", "ci", "--die-with-parent", "--new-session", "--as-pid-1",
             "--cap-drop", "ALL"});
        if (request.network == model::NetworkMode::none) add({"--unshare-net"});
        bindings_.fds.emplace_back(request.control, control_fd);
    }

    Result<Bindings> finish() {
        add({"--ro-bind", "/usr", "/usr"});
        for (const char* root : roots) add_root(std::string("/") + root);
        if (is_folder("/opt")) add({"--ro-bind", "/opt", "/opt"});
        if (is_folder("/nix/store")) add({"--ro-bind", "/nix/store", "/nix/store"});
        CICD_CHECK(add_etc());
        add({"--proc", "/proc", "--dev", "/dev"});
        // To the kernel, a job of root's is root where only the uid counts, and so could set the host's parameters.
        if (::geteuid() == 0) add({"--ro-bind", "/proc/sys", "/proc/sys"});
        // The root is a private tmpfs: plain directories in it are as private as further mounts, and cheaper.
        for (const char* open_to_all : {"/tmp", "/var/tmp"}) add({"--perms", "1777", "--dir", open_to_all});
        add({"--perms", "0755", "--dir", "/home", "--perms", "0700", "--dir", "/home/ci", "--perms", "0755", "--dir",
             "/run/cicd"});
        add({"--symlink", "../run", "/var/run"});
        add({"--ro-bind", request_.init, "/run/cicd/init"});
        add({"--ro-bind", request_.folders.scripts.string(), sandbox_scripts});
        add({"--bind", request_.folders.files.string(), sandbox_files});
        add({"--bind", request_.folders.workspace.string(), sandbox_workspace, "--chdir", sandbox_workspace});
        add({"--", "/run/cicd/init", "init"});
        return std::move(bindings_);
    }

private:
    void add(std::initializer_list<std::string> arguments) {
        bindings_.argv.insert(bindings_.argv.end(), arguments);
    }

    /// /bin and its like: a link on a merged system, a directory of its own on others.
    void add_root(const std::string& path) {
        char target[PATH_MAX];
        const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
        if (n > 0) add({"--symlink", std::string(target, static_cast<std::size_t>(n)), path});
        else if (is_folder(path)) add({"--ro-bind", path, path});
    }

    Result<void> add_etc() {
        for (const char* name : etc_files) copy("/etc/" + std::string(name), "/etc/" + std::string(name));
        if (request_.network == model::NetworkMode::host) copy("/etc/resolv.conf", "/etc/resolv.conf");
        for (const char* name : etc_folders) {
            const std::string path = std::string("/etc/") + name;
            if (is_folder(path)) add({"--ro-bind", path, path});
        }
        const std::unique_ptr<DIR, int (*)(DIR*)> etc(::opendir("/etc"), ::closedir);
        while (const dirent* entry = etc ? ::readdir(etc.get()) : nullptr)
            for (const char* prefix : etc_folder_prefixes)
                if (std::strncmp(entry->d_name, prefix, std::strlen(prefix)) == 0) {
                    const std::string path = std::string("/etc/") + entry->d_name;
                    if (is_folder(path)) add({"--ro-bind", path, path});
                }
        CICD_CHECK(write("/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nci:x:1000:1000:ci:/home/ci:/bin/bash\n"
                                        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"));
        return write("/etc/group", "root:x:0:\nci:x:1000:\nnogroup:x:65534:\n");
    }

    /// A link is followed here, so that /etc/resolv.conf arrives whatever it points at.
    void copy(const std::string& from, const std::string& to) {
        os::Fd file(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        struct stat facts {};
        if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size > largest_copy) return;
        pass(std::move(file), to);
    }

    Result<void> write(const std::string& path, std::string_view text) {
        CICD_TRY(auto file, os::memory_file("etc", text));
        pass(std::move(file), path);
        return {};
    }

    void pass(os::Fd file, const std::string& path) {
        const int number = control_fd + 1 + static_cast<int>(bindings_.held.size());
        add({"--perms", "0644", "--file", std::to_string(number), path});
        bindings_.fds.emplace_back(file.get(), number);
        bindings_.held.push_back(std::move(file));
    }

    const SandboxRequest& request_;
    Bindings bindings_;
};

std::string find_bwrap() {
    for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"})
        if (::access(path, X_OK) == 0) return path;
    return {};
}

}  // namespace

Result<Bindings> sandbox_command(const SandboxRequest& request) {
    const char* override_path = std::getenv("CICD_BWRAP");
    const std::string bwrap = override_path ? override_path : find_bwrap();
    if (bwrap.empty() || ::access(bwrap.c_str(), X_OK) != 0)
        return unavailable("JOB_003", "the sandbox needs bubblewrap (bwrap), which is not installed",
                           "install the package bubblewrap: sudo apt-get install bubblewrap");
    return Arguments(request, bwrap).finish();
}

Error explain_sandbox_failure(std::string_view said) {
    Error error = unavailable("JOB_003", "the sandbox could not be set up");
    if (!said.empty()) error.message += ": " + std::string(said);
    const bool namespaces = said.find("namespace") != std::string_view::npos ||
                            said.find("uid map") != std::string_view::npos ||
                            said.find("Operation not permitted") != std::string_view::npos;
    error.hint = namespaces ? "enable unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1 "
                              "(Debian), sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04), "
                              "sysctl user.max_user_namespaces=15000"
                            : "see what `cicdctl doctor` says about the sandbox";
    return error;
}

}  // namespace cicd::runner
