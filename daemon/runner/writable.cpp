#include "daemon/runner/writable.hpp"

#include "common/base/text.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/spaces.hpp"
#include "daemon/runner/hidden.hpp"

#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace cicd::runner {
namespace {

namespace fs = std::filesystem;

/// What a package manager needs to lay out files and to run scripts as other users. All of it counts in the job's own user
/// namespace only.
constexpr std::array rights{CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID,
                            CAP_SETUID, CAP_SETPCAP, CAP_SETFCAP, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE};

/// Of /var only what package managers keep: logs, mail, databases and the state of services are nobody's business.
constexpr std::array host_folders{
    "usr", "etc", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "var/lib/dpkg", "var/lib/apt", "var/lib/ucf",
    "var/lib/pam", "var/lib/python", "var/lib/xml-core", "var/lib/sgml-base", "var/lib/emacsen-common",
    "var/lib/dictionaries-common", "var/lib/ghostscript", "var/lib/rpm", "var/cache/apt", "var/cache/debconf",
    "var/cache/ldconfig", "var/cache/fontconfig", "var/cache/man"};

Result<void> make(const fs::path& folder) {
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return os::last_error("cannot create " + folder.string());
    return {};
}

bool is_real_folder(const std::string& path, struct stat& facts) {
    return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

}  // namespace

Result<WritableSystem> WritableSystem::make(const model::JobSpec& spec, const fs::path& layers, bool alone) {
    WritableSystem system;
    if (::geteuid() != 0) {
        const auto ids = alone ? find_subordinate_ids() : Result<SubordinateIds>(unavailable("JOB_003", ""));
        if (spec.root && ids) {
            CICD_TRY(system.subordinate_, os::make_subordinate_spaces(*ids));
        }
        if (spec.root) return system;
        return unavailable("JOB_003", "only a daemon that runs as root can give a job a writable copy of this machine's system",
                           "give the job an image");
    }
    if (spec.workspace == layers.string() && spec.workspace_layers.empty())
        return unavailable("JOB_003", "a writable system needs overlays, which cannot be mounted here", "see what `cicdctl doctor` says");
    CICD_CHECK(runner::make(layers));
    CICD_TRY(system.users_, os::make_id_space(first_inhabitant));
    if (spec.root) {
        CICD_CHECK(system.shift(spec.root->path, layers / "root" / "lower"));
        if (::chown((layers / "root" / "upper").c_str(), first_inhabitant, first_inhabitant) != 0)
            return os::last_error("cannot give the job its layer");
    } else {
        CICD_CHECK(system.add_host(layers / "host"));
    }
    if (spec.workspace_layers.empty()) return system;
    CICD_CHECK(runner::make(layers / "lower"));
    for (std::size_t i = 0; i < spec.workspace_layers.size(); ++i)
        CICD_CHECK(system.shift(spec.workspace_layers[i], layers / "lower" / std::to_string(i)));
    if (::chown((fs::path(spec.workspace) / "upper").c_str(), first_inhabitant, first_inhabitant) != 0)
        return os::last_error("cannot give the job its workspace");
    return system;
}

Result<void> WritableSystem::shift(const std::string& source, const fs::path& place) {
    CICD_CHECK(runner::make(place));
    shifted_.emplace_back(source, place.string());
    return {};
}

Result<void> WritableSystem::add_host(const fs::path& layers) {
    CICD_CHECK(runner::make(layers));
    struct stat facts {};
    for (const std::string folder : host_folders) {
        const auto source = "/" + folder;
        if (!is_real_folder(source, facts)) continue;
        const auto own = layers / std::to_string(host_.size());
        for (const auto& each : {own, own / "upper", own / "work"}) CICD_CHECK(runner::make(each));
        CICD_CHECK(shift(source, own / "lower"));
        CICD_CHECK(hide_private(source, own / "upper", folder == "etc" || folder == "var/cache/debconf"));
        const auto options = "lowerdir=" + (own / "lower").string() + ",upperdir=" + (own / "upper").string() +
                             ",workdir=" + (own / "work").string() + ",userxattr,volatile";
        host_.push_back({.kind = os::Enclosure::Kind::overlay, .target = source, .source = options, .mounted_on = own.string()});
    }
    return {};
}

void WritableSystem::put_on(os::Enclosure& enclosure) const {
    enclosure.user = enclosure.group = 0;
    enclosure.capabilities.assign(rights.begin(), rights.end());
    if (subordinate_.inner) enclosure.inhabitants = subordinate_.inner.get();
    if (!shifts()) return;
    enclosure.inhabitants = users_.get();
    enclosure.owner = first_inhabitant;
    enclosure.shifted = shifted_;
}

std::string WritableSystem::seen(const std::string& folder) const {
    for (const auto& [source, place] : shifted_)
        if (source == folder) return place;
    return folder;
}

void give_to(unsigned owner, const fs::path& folder) {
    std::error_code ignored;
    struct stat facts {};
    for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, ignored), end; at != end; at.increment(ignored))
        if (::lstat(at->path().c_str(), &facts) == 0 && facts.st_uid == 0)
            (void)::lchown(at->path().c_str(), owner, owner);
}

}  // namespace cicd::runner
