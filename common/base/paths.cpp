#include "common/base/paths.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace cicd {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::filesystem::path home() {
    if (auto home = environment("HOME"); !home.empty()) return home;
    return "/";
}

}  // namespace

std::filesystem::path state_directory() {
    if (auto own = environment("CICD_STATE_DIR"); !own.empty()) return own;
    if (auto xdg = environment("XDG_STATE_HOME"); !xdg.empty()) return std::filesystem::path(xdg) / "cicd";
    return home() / ".local/state/cicd";
}

std::filesystem::path socket_path() {
    if (auto own = environment("CICD_SOCKET"); !own.empty()) return own;
    return state_directory() / "cicdd.sock";
}

std::filesystem::path config_directory() {
    if (auto own = environment("CICD_CONFIG_DIR"); !own.empty()) return own;
    if (auto xdg = environment("XDG_CONFIG_HOME"); !xdg.empty()) return std::filesystem::path(xdg) / "cicd";
    return home() / ".config/cicd";
}

std::filesystem::path sibling_program(const char* name) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) {
        const auto folder = self.parent_path();
        for (const auto& candidate : {folder / name, folder / "../libexec/cicd" / name, folder / "../lib/cicd" / name})
            if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return name;
}

}  // namespace cicd
