#include "tests/support/ordinary_user.hpp"

#include <unistd.h>

namespace cicd::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* user = "65534:65534";  // nobody

}  // namespace

std::string OrdinaryUser::why_not() {
    if (::geteuid() != 0) return "only root can be another user";
    for (const char* name : {"/usr/bin/newuidmap", "/usr/bin/setpriv", "/usr/bin/unshare"})
        if (!fs::exists(name)) return std::string("there is no ") + name;
    return {};
}

OrdinaryUser::OrdinaryUser(Ids ids) {
    fs::permissions(folder_.path(), fs::perms{0755});
    for (const char* name : {"cicdctl", "cicdd", "cicd-runner", "cicd-store", "cicd-results", "cicd-unpack", "cicd-container", "cicd-action"})
        if (fs::exists(program(name))) fs::copy_file(program(name), folder_ / name);
    write_file(folder_ / "ids", ids == Ids::some ? "nobody:300000:65536\n" : "somebody-else:300000:65536\n");
    for (const char* name : {"home/state", "home/config", "home/run", "home/tmp"}) fs::create_directories(folder_ / name);
    (void)run({"chown", "-R", user, home().string()});
    fs::permissions(home() / "run", fs::perms{0700});
}

void OrdinaryUser::give(const fs::path& path, const std::string& name) const {
    (void)run({"cp", "-a", path.string(), (home() / name).string()});
    (void)run({"chown", "-R", user, (home() / name).string()});
}

Outcome OrdinaryUser::sh(const std::string& commands) const {
    const auto at = home().string();
    const auto ids = (folder_ / "ids").string();
    RunOptions options;
    options.env = {{"HOME", at}, {"CICD_STATE_DIR", at + "/state"}, {"CICD_CONFIG_DIR", at + "/config"}, {"XDG_RUNTIME_DIR", at + "/run"}, {"TMPDIR", at + "/tmp"},
                   {"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}, {"cicdctl", (folder_ / "cicdctl").string()}, {"commands", commands}};
    options.directory = home();
    return run({"unshare", "-m", "sh", "-c", "mount --bind " + ids + " /etc/subuid && mount --bind " + ids + " /etc/subgid && "
                "exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c \"$commands\""}, options);
}

}  // namespace cicd::test
