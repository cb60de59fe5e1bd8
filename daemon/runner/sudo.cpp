#include "daemon/runner/sudo.hpp"

#include "common/base/text.hpp"
#include "daemon/os/spawn.hpp"

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#include <charconv>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::runner {
namespace {

struct Wish {
    std::string user = "root", group;
    bool set_home = false, login = false, shell = false, only_said = false;
    std::vector<std::string> variables, command;
};

struct User {
    std::string name, home = "/", shell = "/bin/sh";
    unsigned id = 0, group = 0;
};

std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    const auto end = text.data() + text.size();
    if (text.empty() || std::from_chars(text.data(), end, value).ptr != end) return std::nullopt;
    return value;
}

int complain(const std::string& text) {
    std::fprintf(stderr, "sudo: %s\n", text.c_str());
    return 1;
}

/// Read as text: this program is static, and has no other way to look users up.
std::optional<std::vector<std::string>> line_of(const char* table, std::string_view name, std::size_t least) {
    std::ifstream file(table);
    if (name.starts_with('#')) name.remove_prefix(1);
    for (std::string line; std::getline(file, line);) {
        auto fields = split(line, ':');
        if (fields.size() >= least && (fields[0] == name || fields[2] == name)) return fields;
    }
    return std::nullopt;
}

std::optional<User> find_user(const std::string& name) {
    const auto fields = line_of("/etc/passwd", name, 7);
    if (!fields) {
        if (name == "root") return User{.name = "root", .home = "/root"};
        return std::nullopt;
    }
    return User{(*fields)[0], (*fields)[5], (*fields)[6].empty() ? "/bin/sh" : (*fields)[6], number((*fields)[2]).value_or(0),
                number((*fields)[3]).value_or(0)};
}

std::vector<gid_t> groups_of(const User& user) {
    std::vector<gid_t> groups{user.group};
    std::ifstream file("/etc/group");
    for (std::string line; std::getline(file, line);) {
        const auto fields = split(line, ':');
        if (fields.size() < 4) continue;
        for (const auto& member : split(fields[3], ','))
            if (const auto id = number(fields[2]); member == user.name && id && *id != user.group) groups.push_back(*id);
    }
    return groups;
}

bool is_assignment(const std::string& text) {
    const auto equals = text.find('=');
    return equals != std::string::npos && equals > 0 && text.find('/') > equals;
}

/// The flags as sudo(8) has them; several letters may stand together. What asks for nothing that matters here is taken.
struct Reader {
    std::vector<std::string> words;
    std::size_t at = 0;
    Wish wish;

    std::optional<std::string> value(const std::string& rest) {
        if (!rest.empty()) return rest;
        if (at >= words.size()) return std::nullopt;
        return words[at++];
    }

    std::optional<std::string> long_flag(const std::string& word) {
        const auto equals = word.find('=');
        const auto name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
        const auto rest = equals == std::string::npos ? std::string() : word.substr(equals + 1);
        if (name == "user" || name == "group") {
            const auto given = value(rest);
            if (!given) return "the option --" + name + " needs a value";
            (name == "user" ? wish.user : wish.group) = *given;
        } else if (name == "set-home") {
            wish.set_home = true;
        } else if (name == "login") {
            wish.login = true;
        } else if (name == "shell") {
            wish.shell = true;
        } else if (name == "validate" || name == "list" || name == "reset-timestamp" || name == "remove-timestamp" || name == "version") {
            wish.only_said = true;
        } else if (name != "preserve-env" && name != "non-interactive" && name != "stdin" && name != "background" && name != "preserve-groups") {
            return "unknown option " + word;
        }
        return std::nullopt;
    }

    std::optional<std::string> letters(const std::string& word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const char letter = word[i];
            switch (letter) {
                case 'u': case 'g': case 'p': case 'C': case 'T': case 'h': {
                    const auto given = value(word.substr(i + 1));
                    if (!given) return std::string("the option -") + letter + " needs a value";
                    if (letter == 'u') wish.user = *given;
                    if (letter == 'g') wish.group = *given;
                    return std::nullopt;
                }
                case 'H': wish.set_home = true; break;
                case 'i': wish.login = true; break;
                case 's': wish.shell = true; break;
                case 'v': case 'l': case 'k': case 'K': case 'V': wish.only_said = true; break;
                case 'E': case 'n': case 'S': case 'b': case 'P': case 'A': case 'B': break;
                default: return std::string("unknown option -") + letter;
            }
        }
        return std::nullopt;
    }

    std::optional<std::string> read() {
        while (at < words.size() && words[at].size() > 1 && words[at][0] == '-') {
            const auto word = words[at++];
            if (word == "--") break;
            if (auto problem = word.starts_with("--") ? long_flag(word) : letters(word)) return problem;
        }
        while (at < words.size() && is_assignment(words[at])) wish.variables.push_back(words[at++]);
        wish.command.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
        return std::nullopt;
    }
};

void put(std::vector<std::string>& env, const std::string& entry) {
    const auto name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(env, [&](const std::string& each) { return each.starts_with(name); });
    env.push_back(entry);
}

std::string in_quotes(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

std::vector<std::string> environment(const Wish& wish, const User& user) {
    std::vector<std::string> env;
    for (char** entry = ::environ; *entry; ++entry) env.emplace_back(*entry);
    // As the usual settings of sudo have it: the home is the other user's, everything else stays for a job's sake.
    put(env, "HOME=" + user.home);
    put(env, "USER=" + user.name);
    put(env, "LOGNAME=" + user.name);
    if (wish.login) put(env, "SHELL=" + user.shell);
    put(env, "SUDO_USER=root");
    put(env, "SUDO_UID=0");
    put(env, "SUDO_GID=0");
    for (const auto& entry : wish.variables) put(env, entry);
    return env;
}

}  // namespace

int run_sudo(int count, char** arguments) {
    Reader reader{.words = std::vector<std::string>(arguments + 1, arguments + count)};
    if (const auto problem = reader.read()) return complain(*problem);
    auto& wish = reader.wish;
    if (wish.only_said && wish.command.empty()) return 0;
    const auto user = find_user(wish.user);
    if (!user) return complain("unknown user " + wish.user);
    auto group = user->group;
    if (!wish.group.empty()) {
        const auto fields = line_of("/etc/group", wish.group, 3);
        const auto id = fields ? number((*fields)[2]) : number(wish.group);
        if (!id) return complain("unknown group " + wish.group);
        group = *id;
    }
    if (wish.login || wish.shell) {
        std::string text;
        for (const auto& word : wish.command) text += (text.empty() ? "" : " ") + in_quotes(word);
        wish.command = {user->shell};
        if (wish.login) wish.command.emplace_back("-l");
        if (!text.empty()) wish.command.insert(wish.command.end(), {"-c", text});
        if (wish.login) (void)!::chdir(user->home.c_str());
    }
    if (wish.command.empty()) return complain("no command is given");
    const bool other = user->id != ::geteuid() || group != ::getegid();
    const auto groups = groups_of(*user);
    if (other && (::setgroups(groups.size(), groups.data()) != 0 || ::setresgid(group, group, group) != 0 ||
                  ::setresuid(user->id, user->id, user->id) != 0))
        return complain("cannot become " + wish.user + ": " + std::strerror(errno) +
                        " (a job of an ordinary user's daemon has no other users)");
    return complain(os::become_program(wish.command, environment(wish, *user)).message);
}

}  // namespace cicd::runner
