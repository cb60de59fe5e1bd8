#include "daemon/archives/start.hpp"

#include "common/base/paths.hpp"
#include "common/codec/codecs.hpp"
#include "common/codec/json.hpp"
#include "daemon/os/spawn.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace cicd::archives {
namespace {

constexpr std::size_t largest_answer = 64 << 10;

std::string all_of(int pipe) {
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t n = ::read(pipe, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return text;
        if (text.size() < largest_answer) text.append(buffer, static_cast<std::size_t>(n));
    }
}

}  // namespace

Result<objects::SavedTree> unpack_outside(const objects::ObjectStore& store, int file, std::uint64_t bytes) {
    CICD_TRY(auto out, os::make_pipe());
    os::SpawnOptions options;
    options.argv = {sibling_program("cicd-unpack").string(), store.folder().string(), std::to_string(bytes)};
    options.cwd = "/";
    options.env.emplace();
    options.new_session = true;
    options.death_signal = SIGKILL;
    options.fds = {{file, STDIN_FILENO}, {out.write.get(), STDOUT_FILENO}, {STDERR_FILENO, STDERR_FILENO}};
    CICD_TRY(const int pid, os::spawn(options));
    out.write.reset();
    const auto text = all_of(out.read.get());
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    // What makes the program itself fail is more likely the archive than anything else.
    if (status != 0)
        return invalid("ARTIFACT_006", "the archive cannot be unpacked: the program that does it " +
                           (WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                                                : "ended with " + std::to_string(WEXITSTATUS(status))),
                       "'cicdctl daemon logs' may tell more; nothing of it was stored");
    CICD_TRY(const auto answer, codec::parse_json(text));
    if (answer["error"].is_object()) {
        CICD_TRY(const auto error, codec::decode<Error>(answer));
        return error;
    }
    objects::SavedTree saved;
    saved.digest = answer["digest"].as_string();
    saved.size = static_cast<std::uint64_t>(answer["size"].as_number());
    saved.files = static_cast<std::uint64_t>(answer["files"].as_number());
    return saved;
}

}  // namespace cicd::archives
