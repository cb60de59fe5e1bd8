#include "common/base/subordinate_ids.hpp"

#include "common/base/text.hpp"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <optional>
#include <string>

namespace cicd {
namespace {

template <class Number>
std::optional<Number> number(const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// As /etc/passwd has it: a statically linked program can ask nobody else.
std::string login_name(unsigned user) {
    std::ifstream file("/etc/passwd");
    for (std::string line; std::getline(file, line);) {
        const auto fields = split(line, ':');
        if (fields.size() > 2 && fields[2] == std::to_string(user)) return fields[0];
    }
    return {};
}

/// Lines "NAME|UID:FIRST:COUNT".
std::optional<unsigned> first_of(const char* path, const std::string& name, unsigned user) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto fields = split(line, ':');
        if (fields.size() != 3 || (fields[0] != std::to_string(user) && (name.empty() || fields[0] != name))) continue;
        const auto first = number<unsigned>(fields[1]), count = number<unsigned>(fields[2]);
        if (first && count && *first > 0 && *count >= subordinate_ids_needed) return first;
    }
    return std::nullopt;
}

bool is_there(const std::string& program) {
    for (const char* folder : {"/usr/bin/", "/bin/", "/usr/local/bin/"})
        if (::access((folder + program).c_str(), X_OK) == 0) return true;
    return false;
}

}  // namespace

Result<SubordinateIds> find_subordinate_ids() {
    const auto user = ::geteuid();
    const auto name = login_name(user);
    const auto lack = [](const std::string& what, const std::string& hint) { return Error{ErrorKind::unavailable, "JOB_003", what, hint, {}}; };
    if (!is_there("newuidmap") || !is_there("newgidmap")) return lack("newuidmap and newgidmap are missing", "sudo apt-get install uidmap");
    const auto users = first_of("/etc/subuid", name, user), groups = first_of("/etc/subgid", name, user);
    if (users && groups) return SubordinateIds{*users, *groups};
    const auto who = name.empty() ? std::to_string(user) : name;
    return lack(who + " has no " + std::to_string(subordinate_ids_needed) + " subordinate ids in " + (users ? "/etc/subgid" : "/etc/subuid"),
                "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 " + who + " (or another range that is free)");
}

}  // namespace cicd
