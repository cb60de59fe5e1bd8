#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/job/container.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/job.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cicd::runner {
namespace {

job::BuildAnswer answer_in(const os::Fd& file) {
    struct stat facts {};
    std::string text;
    if (::fstat(file.get(), &facts) == 0 && facts.st_size < (1 << 20)) text.resize(static_cast<std::size_t>(facts.st_size));
    if (::pread(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) text.clear();
    return job::read_build_answer(text);
}

}  // namespace

StepEnd Job::build_image(int index, const job::BuildRequest& request) {
    const auto step = static_cast<std::uint32_t>(index);
    const auto fail = [&](const std::string& why, model::EndReason reason) {
        supervisor_->note(step, why);
        return StepEnd{.state = model::StepState::failed, .reason = reason, .message = why, .exit_code = 1};
    };
    (void)supervisor_->await_place();
    const auto workspace = supervisor_->workspace();
    const os::Fd folder(::open(workspace.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto question = os::memory_file("request", job::to_text(request));
    const auto answer = os::memory_file("answer", "");
    if (!folder || !question || !answer) return fail("the workspace cannot be reached", model::EndReason::infra);
    os::SpawnOptions options;
    options.argv = {sibling_program("cicd-container").string(), "--build"};
    options.cwd = "/";
    options.fds = {{question->get(), job::build_request_fd}, {answer->get(), job::build_answer_fd}, {folder.get(), job::build_workspace_fd}};
    const auto ended = supervisor_->run_tool(step, std::move(options), spec_.steps[static_cast<std::size_t>(index)].timeout);
    if (!ended) return fail(ended.error().message, ended.error().kind == ErrorKind::timeout ? model::EndReason::timeout : model::EndReason::infra);
    if (const auto stop = supervisor_->stop_of(step)) {
        const bool cancelled = stop->reason == model::EndReason::cancelled || stop->reason == model::EndReason::superseded;
        return {.state = cancelled ? model::StepState::cancelled : model::StepState::failed, .reason = stop->reason, .message = stop->message,
                .forgivable = false};
    }
    const auto built = answer_in(*answer);
    if (!built.error.empty()) return fail(built.error, model::EndReason::exit);
    supervisor_->note(step, "built " + built.digest);
    return {.exit_code = 0, .outputs = {{"digest", built.digest}, {"image", built.image}}};
}

}  // namespace cicd::runner
