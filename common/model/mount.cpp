#include "common/model/mount.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace cicd::model {
namespace {

constexpr std::size_t longest_name = 64;

bool is_name(const std::string& text) {
    const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; };
    return !text.empty() && text.size() <= longest_name && std::isalnum(static_cast<unsigned char>(text.front())) != 0 && std::all_of(text.begin(), text.end(), fits);
}

bool is_path(const std::string& text) {
    if (!text.starts_with('/')) return false;
    const auto parts = split(text, '/');
    return std::none_of(parts.begin(), parts.end(), [](const std::string& part) { return part == ".." || part == "."; }) &&
           std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == ','; });
}

std::string plain(const std::string& path) {
    auto text = std::filesystem::path(path).lexically_normal().string();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
}

/// Where the job's own files are, and what runs its steps.
bool is_taken(const std::string& target) {
    static const std::vector<std::string> below{"/run/.cicd", "/run/cicd", "/proc", "/sys"};
    static constexpr std::array<std::string_view, 7> whole{"/", "/dev", "/workspace", "/run", "/etc", "/etc/hosts", "/etc/resolv.conf"};
    return is_below(target, below) || std::find(whole.begin(), whole.end(), target) != whole.end();
}

}  // namespace

bool is_below(const std::string& path, const std::vector<std::string>& folders) {
    const auto asked = plain(path);
    return std::any_of(folders.begin(), folders.end(), [&](const std::string& each) {
        const auto folder = plain(each);
        return asked == folder || asked.starts_with(folder == "/" ? folder : folder + "/");
    });
}

Result<Mount> parse_mount(const std::string& text) {
    const auto wrong = [&](const std::string& why) {
        return invalid("JOB_002", "the volume '" + text + "' " + why, "write NAME:/path, /folder:/path or /path, and :ro behind it for read-only");
    };
    const auto parts = split(text, ':');
    if (parts.size() > 3) return wrong("has too many parts");
    Mount mount;
    if (parts.size() == 1) mount.target = parts[0];
    else mount.source = parts[0], mount.target = parts[1];
    if (parts.size() > 1 && !is_name(mount.source) && !is_path(mount.source)) return wrong("has neither a name nor a folder in front");
    if (!is_path(mount.target)) return wrong("has no absolute path in the container");
    mount.target = plain(mount.target);
    if (mount.is_folder()) mount.source = plain(mount.source);
    if (is_taken(mount.target)) return wrong("would hide what a job needs at " + mount.target);
    // How files are shared with a virtual machine or labelled for SELinux is the engine's own affair.
    static constexpr std::array<std::string_view, 7> known{"rw", "z", "Z", "cached", "delegated", "consistent", "nocopy"};
    for (const auto& option : parts.size() == 3 ? split(parts[2], ',') : std::vector<std::string>())
        if (option == "ro") mount.read_only = true;
        else if (std::find(known.begin(), known.end(), option) == known.end()) return wrong("has the unknown option '" + option + "'");
    return mount;
}

}  // namespace cicd::model
