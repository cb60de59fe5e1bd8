#include "common/pipeline/github/container_options.hpp"

#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/expr/expression.hpp"
#include "common/model/mount.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace cicd::pipeline::github {
namespace {

enum class Takes { value, nothing };

struct Known {
    std::string_view name, shorter;
    Takes takes;
    /// False: the value is none that this flag has.
    bool (*read)(ContainerFlags&, const std::string& value);
};

bool number(const std::string& text, double& into) {
    char* end = nullptr;
    into = std::strtod(text.c_str(), &end);
    return !text.empty() && *end == '\0' && std::isfinite(into) && into > 0;
}

/// As Docker has them: 512m, 2g, 2gb, 1048576.
bool bytes(const std::string& text, std::optional<std::uint64_t>& into) {
    const auto digits = std::min(text.size(), text.find_first_not_of("0123456789."));
    const auto unit = to_lower(text.substr(digits));
    constexpr std::string_view units = "bkmgt";
    const auto power = unit.empty() ? 0 : units.find(unit[0]);
    const bool fits = unit.empty() || (power != units.npos && (unit.substr(1).empty() || unit.substr(1) == "b" || unit.substr(1) == "ib"));
    double amount = 0;
    if (!fits || !number(text.substr(0, digits), amount)) return false;
    const double all = amount * std::pow(1024.0, static_cast<double>(power));
    if (all > 1e15) return false;
    into = static_cast<std::uint64_t>(all);
    return true;
}

bool duration(const std::string& text, std::optional<Milliseconds>& into) {
    const auto time = parse_duration(text);
    if (time) into = *time;
    return time.has_value();
}

bool count(const std::string& text, std::optional<int>& into) {
    double all = 0;
    if (!number(text, all) || all > 1000) return false;
    into = static_cast<int>(all);
    return true;
}

bool pair(const std::string& text, model::Texts& into) {
    const auto equals = text.find('=');
    if (equals == 0 || equals == text.npos) return false;
    into.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    return true;
}

bool is_hostname(const std::string& text) {
    return expr::has_expression(text) ||
           (!text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == text.npos);
}

constexpr Known known[] = {
    {"--add-host", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.options.hosts.push_back(v), v.find(':') != v.npos && !v.ends_with(":host-gateway"); }},
    {"--cpus", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return number(v, f.options.cpu.emplace()); }},
    {"--entrypoint", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.entrypoint = v, true; }},
    {"--env", "-e", Takes::value, [](ContainerFlags& f, const std::string& v) { return pair(v, f.env); }},
    {"--gpus", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return count(v, f.gpus); }},
    {"--health-cmd", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.health_command = v, true; }},
    {"--health-interval", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return duration(v, f.health_interval); }},
    {"--health-retries", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return count(v, f.health_retries); }},
    {"--health-start-period", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return duration(v, f.health_start); }},
    {"--health-start-interval", "", Takes::value, [](ContainerFlags&, const std::string&) { return true; }},
    {"--health-timeout", "", Takes::value, [](ContainerFlags&, const std::string&) { return true; }},
    {"--hostname", "-h", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.options.hostname = v, is_hostname(v); }},
    {"--init", "", Takes::nothing, [](ContainerFlags&, const std::string&) { return true; }},  // ours is there anyway
    {"--interactive", "-i", Takes::nothing, [](ContainerFlags&, const std::string&) { return true; }},
    {"--label", "-l", Takes::value, [](ContainerFlags& f, const std::string& v) { return pair(v.find('=') == v.npos ? v + "=" : v, f.options.labels); }},
    {"--memory", "-m", Takes::value, [](ContainerFlags& f, const std::string& v) { return bytes(v, f.options.memory); }},
    {"--name", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.options.aliases.push_back(v), is_hostname(v); }},
    {"--network-alias", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.options.aliases.push_back(v), is_hostname(v); }},
    {"--no-healthcheck", "", Takes::nothing, [](ContainerFlags& f, const std::string&) { return f.health_command.clear(), true; }},
    {"--rm", "", Takes::nothing, [](ContainerFlags&, const std::string&) { return true; }},  // nothing stays anyway
    {"--shm-size", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return bytes(v, f.options.shared_memory); }},
    {"--tmpfs", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.options.tmpfs.push_back(v), v.starts_with('/'); }},
    {"--tty", "-t", Takes::nothing, [](ContainerFlags&, const std::string&) { return true; }},
    {"--ulimit", "", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.options.ulimits.push_back(v), v.find('=') != v.npos; }},
    {"--user", "-u", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.user = v, !v.empty(); }},
    {"--volume", "-v", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.options.volumes.push_back(v), expr::has_expression(v) || model::parse_mount(v).has_value(); }},
    {"--workdir", "-w", Takes::value, [](ContainerFlags& f, const std::string& v) { return f.working_directory = v, v.starts_with('/'); }},
};

struct Refused {
    std::string_view name;
    Takes takes;
    const char* reason;
};
constexpr const char* is_the_machine = "it would give the job the machine itself";
constexpr Refused refused[] = {
    {"--privileged", Takes::nothing, is_the_machine},
    {"--cap-add", Takes::value, is_the_machine},
    {"--security-opt", Takes::value, is_the_machine},
    {"--device", Takes::value, "devices of this machine are not given to jobs, but for GPUs: --gpus 1"},
    {"--pid", Takes::value, is_the_machine},
    {"--ipc", Takes::value, "processes of the machine are not shared with jobs; /dev/shm gets its size by --shm-size"},
    {"--userns", Takes::value, is_the_machine},
    {"--cgroupns", Takes::value, is_the_machine},
    {"--network", Takes::value, "a job and its services have a network of their own"},
    {"--net", Takes::value, "a job and its services have a network of their own"},
    {"--publish", Takes::value, "a job and its services share one network: each is at its own port"},
    {"-p", Takes::value, "a job and its services share one network: each is at its own port"},
    {"--publish-all", Takes::nothing, "a job and its services share one network: each is at its own port"},
    {"--restart", Takes::value, "a service that ends ends its job"},
    {"--read-only", Takes::nothing, "the container's own files are gone with it anyway"},
    {"--detach", Takes::nothing, "the job waits for what it needs"},
    {"-d", Takes::nothing, "the job waits for what it needs"},
};

const Known* find_known(const std::string& name) {
    for (const auto& each : known)
        if (name == each.name || (!each.shorter.empty() && name == each.shorter)) return &each;
    return nullptr;
}

/// `--name=value`, `--name value`, `-xvalue`; moves `at` behind what it took.
Flag next_flag(const std::vector<std::string>& words, std::size_t& at) {
    const auto& word = words[at++];
    Flag flag{word, {}};
    bool has_value = false;
    if (const auto equals = word.find('='); word.starts_with("--") && equals != word.npos) {
        flag = {word.substr(0, equals), word.substr(equals + 1)};
        has_value = true;
    } else if (word.size() > 2 && word[0] == '-' && word[1] != '-' && find_known(word.substr(0, 2))) {
        const auto* one = find_known(word.substr(0, 2));
        if (one->takes == Takes::nothing) return flag.name = word.substr(0, 2), flag;  // -it
        flag = {word.substr(0, 2), word.substr(word[2] == '=' ? 3 : 2)};
        has_value = true;
    }
    if (has_value) return flag;
    const auto* one = find_known(flag.name);
    const auto* not_here = std::find_if(std::begin(refused), std::end(refused), [&](const auto& each) { return each.name == flag.name; });
    const bool takes = one ? one->takes == Takes::value : not_here != std::end(refused) ? not_here->takes == Takes::value
                                                        : at < words.size() && !words[at].starts_with('-');
    if (takes && at < words.size()) flag.value = words[at++];
    return flag;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool open = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto end = text.substr(i).starts_with("${{") ? text.find("}}", i) : text.npos;
        if (end != text.npos) {
            word += text.substr(i, end + 2 - i);
            i = end + 1;
            open = true;
        } else if (quote != 0 ? c == quote : c == '"' || c == '\'') {
            quote = quote != 0 ? 0 : c;
            open = true;
        } else if (quote == 0 && (c == ' ' || c == '\n' || c == '\t' || c == '\r')) {
            if (open) words.push_back(std::exchange(word, {}));
            open = false;
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size() && (quote == 0 || text[i + 1] == quote || text[i + 1] == '\\')) {
            word += text[++i];
            open = true;
        } else {
            word += c;
            open = true;
        }
    }
    if (open) words.push_back(std::move(word));
    return words;
}

void read_flags(Reader& r, const Cursor& at, std::string_view what, ContainerFlags& into) {
    const auto text = r.text(at);
    const std::string shown = std::string(what) + ".options ";
    if (r.b.whole_expression(at)) return r.unsupported(at, std::string(what) + ".options", "which options there are has to be written out");
    const auto words = words_of(text);
    for (std::size_t i = 0; i < words.size();) {
        if (!words[i].starts_with('-')) {
            r.unsupported(at, shown + words[i], "it is no option");
            ++i;
            continue;
        }
        const auto flag = next_flag(words, i);
        const auto* one = find_known(flag.name);
        if (one) {
            auto tried = into;
            if (one->read(tried, flag.value)) {
                into = std::move(tried);
                r.count();
            } else {
                const bool later = expr::has_expression(flag.value);
                r.unsupported(at, shown + flag.name, later ? "its value has to be written out" : "'" + flag.value + "' is not understood, or not to be had here");
            }
            continue;
        }
        const auto* not_here = std::find_if(std::begin(refused), std::end(refused), [&](const auto& each) { return each.name == flag.name; });
        r.unsupported(at, shown + flag.name, not_here != std::end(refused) ? not_here->reason : "containers are not given it here");
    }
}

}  // namespace cicd::pipeline::github
