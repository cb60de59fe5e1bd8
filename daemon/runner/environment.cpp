#include "daemon/runner/environment.hpp"

#include "daemon/os/inner_path.hpp"
#include "daemon/runner/context.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace cicd::runner {

/// As engines do it: what the image says counts more than what its user's entry says.
model::Texts base_environment(const std::optional<model::RootImage>& root, bool has_bash, bool is_root) {
    const std::string shell = has_bash ? "/bin/bash" : "/bin/sh";  // else bash looks the user up
    const model::Texts of_root{{"HOME", "/root"}, {"USER", "root"}, {"LOGNAME", "root"}};
    if (is_root) {
        auto env = base_environment(root, has_bash);
        for (const auto& [name, value] : of_root) put(env, name, value);
        put(env, "DEBIAN_FRONTEND", "noninteractive");
        return env;
    }
    if (!root)
        return {{"HOME", "/home/ci"}, {"USER", "ci"}, {"LOGNAME", "ci"}, {"LANG", "C.UTF-8"}, {"SHELL", shell}, {"PATH", standard_path}};
    model::Texts env{{"HOME", root->home}, {"LANG", "C.UTF-8"}, {"SHELL", shell}, {"PATH", standard_path}};
    if (!root->user_name.empty()) put(env, "USER", root->user_name), put(env, "LOGNAME", root->user_name);
    for (const auto& [name, value] : root->env) put(env, name, value);
    return env;
}

model::Texts container_environment(const Inside& inside) {
    model::Texts env{{"HOME", "/"}, {"LANG", "C.UTF-8"}, {"SHELL", inside.has_bash ? "/bin/bash" : "/bin/sh"}, {"PATH", standard_path}};
    for (const auto& [name, value] : inside.env) put(env, name, value);
    return env;
}

bool has_bash(const std::optional<model::RootImage>& root) {
    if (!root) return ::access("/bin/bash", X_OK) == 0 || ::access("/usr/bin/bash", X_OK) == 0;
    const os::Fd folder(::open(root->path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return os::open_in_root(folder.get(), "bin/bash", O_PATH) || os::open_in_root(folder.get(), "usr/bin/bash", O_PATH);
}

}  // namespace cicd::runner
