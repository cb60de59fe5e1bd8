#include "daemon/runner/network.hpp"

#include "common/base/text.hpp"
#include "daemon/os/way_out.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

namespace cicd::runner {
namespace {

constexpr const char* resolver_address = "10.0.2.3";  // slirp4netns(1)
constexpr int patience_ms = 10'000;

/// What follows `search`, `domain` or `options` on the host.
std::string search_lines() {
    std::string text(1 << 14, '\0'), kept;
    const os::Fd file(::open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : -1;
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    for (const auto& line : split(text, '\n'))
        if (line.starts_with("search") || line.starts_with("domain") || line.starts_with("options")) kept += line + "\n";
    return kept;
}

}  // namespace

Result<Network> Network::open(const model::JobSpec& spec) {
    Network network;
    network.hosts_ = hosts_of(spec);
    CICD_TRY(network.space_, os::make_network_space());
    if (spec.network != model::NetworkMode::host) return network;
    network.weakness_ = os::way_out_weakness();
    if (network.weakness_.empty())
        if (const auto opened = network.open_way_out(); !opened) network.weakness_ = opened.error().message;
    return network;
}

Result<void> Network::open_way_out() {
    CICD_TRY(auto ready, os::make_pipe());
    CICD_TRY(const auto complaints, os::memory_file("slirp4netns", ""));
    os::SpawnOptions options;
    options.argv = {os::find_slirp(), "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox",
                    "--enable-seccomp", "--ready-fd=3", "--netns-type=path", "--userns-path=/proc/self/fd/4", "/proc/self/fd/5", "tap0"};
    options.fds = {{ready.write.get(), 3}, {space_.users.get(), 4}, {space_.network.get(), 5}, {complaints.get(), 2}};
    options.env = std::vector<std::string>{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    options.cwd = "/";
    options.new_session = true;
    options.death_signal = SIGKILL;
    CICD_TRY(way_out_, os::spawn(options));
    ready.write.reset();
    pollfd watched{ready.read.get(), POLLIN, 0};
    char byte = 0;
    if (::poll(&watched, 1, patience_ms) > 0 && ::read(ready.read.get(), &byte, 1) == 1) return {};
    std::string said(1024, '\0');
    const ssize_t n = ::pread(complaints.get(), said.data(), said.size(), 0);
    said.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    const auto lines = split(std::string(trim(said)), '\n');
    return unavailable("JOB_003", "slirp4netns does not work here" + (said.empty() ? "" : ": " + to_valid_utf8(lines.back())));
}

Network::~Network() {
    if (way_out_ == 0) return;
    ::kill(way_out_, SIGKILL);
    while (::waitpid(way_out_, nullptr, 0) < 0 && errno == EINTR) {}
}

void Network::put_on(os::SpawnOptions& options) const {
    options.users = space_.users.get();
    options.network = space_.network.get();
}

namespace {

/// What becomes part of a line is nothing but a name or an address.
bool is_plain(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ':'; });
}

std::string line_of(const std::string& host) {
    const auto colon = host.find(':');
    const auto name = host.substr(0, colon), address = colon == host.npos ? std::string() : host.substr(colon + 1);
    return is_plain(name) && is_plain(address) ? address + " " + name + "\n" : std::string();
}

}  // namespace

std::string hosts_of(const model::JobSpec& spec) {
    std::string names, others;
    const auto add = [&](const std::string& name) {
        if (is_plain(name)) names += " " + name;
    };
    const auto add_options = [&](const model::ContainerOptions& options) {
        if (!options.hostname.empty()) add(options.hostname);
        for (const auto& alias : options.aliases) add(alias);
        for (const auto& host : options.hosts) others += line_of(host);
    };
    if (spec.image) add_options(spec.image->options);
    for (const auto& each : spec.services) {
        add(each.service.name);
        add_options(each.service.options);
    }
    return "127.0.0.1 localhost" + names + "\n::1 localhost\n" + others;
}

Result<std::filesystem::path> write_hosts(const std::filesystem::path& job_directory, const std::string& hosts) {
    const auto path = job_directory / "hosts";
    const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file || ::write(file.get(), hosts.data(), hosts.size()) != static_cast<ssize_t>(hosts.size()))
        return os::last_error("cannot write " + path.string());
    return path;
}

std::optional<std::string> Network::resolver() const {
    if (way_out_ == 0 || !weakness_.empty()) return std::nullopt;
    return "nameserver " + std::string(resolver_address) + "\n" + search_lines();
}

}  // namespace cicd::runner
