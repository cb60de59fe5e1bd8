#include "daemon/images/registry.hpp"

#include "common/base/text.hpp"
#include "daemon/images/layout.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace cicd::images {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_answer = 8 << 20;
constexpr auto inspect_limit = std::chrono::seconds(30);
constexpr auto copy_limit = std::chrono::hours(2);

struct Ended {
    int status = 0;
    std::string out, err;
};

/// Reads what is there; false at the end.
bool take(int pipe, std::string& text) {
    char buffer[16384];
    const ssize_t n = ::read(pipe, buffer, sizeof buffer);
    if (n > 0 && text.size() < largest_answer) text.append(buffer, static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
}

/// Runs skopeo to its end; killed when it takes too long, or nobody wants it any more.
Result<Ended> skopeo(std::vector<std::string> arguments, Clock::duration limit, const std::function<void(std::string_view)>& tell,
                     const std::function<bool()>& stop) {
    CICD_TRY(auto out, os::make_pipe());
    CICD_TRY(auto err, os::make_pipe());
    os::SpawnOptions options;
    options.argv = std::move(arguments);
    options.argv.insert(options.argv.begin(), "skopeo");
    options.cwd = "/";
    options.new_session = true;
    options.death_signal = SIGKILL;  // what it writes is no use to anybody else
    options.fds = {{out.write.get(), 1}, {err.write.get(), 2}};
    CICD_TRY(const int pid, os::spawn(options));
    out.write.reset();
    err.write.reset();
    Ended ended;
    std::size_t told = 0;
    const auto end = Clock::now() + limit;
    bool killed = false;
    pollfd watched[2]{{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
    while (watched[0].fd >= 0 || watched[1].fd >= 0) {
        (void)::poll(watched, 2, 100);
        if (watched[0].revents != 0 && !take(watched[0].fd, ended.out)) watched[0].fd = -1;
        if (watched[1].revents != 0 && !take(watched[1].fd, ended.err)) watched[1].fd = -1;
        for (auto line = ended.out.find('\n', told); tell && line != std::string::npos; line = ended.out.find('\n', told)) {
            tell(std::string_view(ended.out).substr(told, line - told));
            told = line + 1;
        }
        if (killed || (Clock::now() < end && !(stop && stop()))) continue;
        killed = true;
        ::kill(-pid, SIGKILL);
    }
    while (::waitpid(pid, &ended.status, 0) < 0 && errno == EINTR) {}
    if (!killed) return ended;
    return unavailable("IMAGE_006", stop && stop() ? "the pull was stopped" : "the registry did not answer in time", "try again later");
}

/// What skopeo writes is for people with its log: the last line says it.
Error refused(const Reference& reference, const std::string& said) {
    const auto lines = split(trim(said), '\n');
    auto why = lines.empty() ? std::string() : to_valid_utf8(lines.back());
    // time="…" level=fatal msg="…"
    if (const auto message = why.find("msg=\""); message != std::string::npos && why.ends_with('"'))
        why = why.substr(message + 5, why.size() - message - 6);
    for (auto at = why.find("\\\""); at != std::string::npos; at = why.find("\\\"")) why.erase(at, 1);
    return unavailable("IMAGE_006", "the image " + reference.text() + " cannot be had from its registry: " + why,
                       "see what `skopeo inspect docker://" + reference.name + "` says; 'cicdctl image import' takes archives");
}

/// Without a tag where there is a digest: skopeo takes one of them.
std::string address(const Reference& reference) {
    if (reference.digest.empty()) return "docker://" + reference.name;
    return "docker://" + reference.name.substr(0, reference.name.rfind(':')) + "@" + reference.digest;
}

}  // namespace

bool can_pull() {
    const char* path = std::getenv("PATH");
    for (const auto& folder : split(path ? path : "/usr/bin:/bin", ':'))
        if (!folder.empty() && ::access((folder + "/skopeo").c_str(), X_OK) == 0) return true;
    return false;
}

Result<std::string> ask_registry(const Reference& reference) {
    CICD_TRY(const auto ended, skopeo({"inspect", "--raw", address(reference)}, inspect_limit, nullptr, nullptr));
    if (ended.status != 0) return refused(reference, ended.err);
    return digest_for_this_machine(ended.out);
}

Result<void> fetch_image(const Reference& reference, const std::filesystem::path& folder,
                         const std::function<void(std::string_view)>& tell, const std::function<bool()>& stop) {
    CICD_TRY(const auto ended, skopeo({"copy", address(reference), "dir:" + folder.string()}, copy_limit, tell, stop));
    if (ended.status != 0) return refused(reference, ended.err);
    return {};
}

}  // namespace cicd::images
