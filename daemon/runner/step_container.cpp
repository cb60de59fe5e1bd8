#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/job/container.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/job.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

/// A step in a container of its own, beside the job's place: `cicd-container --run` makes it, and what it says is a step's.
namespace cicd::runner {
namespace {

namespace fs = std::filesystem;

/// For whoever the image's user is; nobody else gets as far as the job's directory.
Result<void> make_open_folder(const fs::path& folder) {
    if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return os::last_error("cannot create " + folder.string());
    if (::chmod(folder.c_str(), 0777) != 0) return os::last_error("cannot open " + folder.string() + " to the container");
    return {};
}

Result<void> make_file(const fs::path& path, const std::string& text, mode_t mode) {
    const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file || ::fchmod(file.get(), mode) != 0) return os::last_error("cannot create " + path.string());
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("cannot write " + path.string());
        done += static_cast<std::size_t>(n);
    }
    return {};
}

/// Whatever the container made of its files: links are not followed.
std::vector<os::Fd> given_back(const Program& files, const fs::path& folder) {
    std::vector<os::Fd> list;
    for (const auto& file : files.files)
        if (file.given_back)
            list.emplace_back(::open((folder / fs::path(file.path).filename()).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    return list;
}

job::RunAnswer answer_in(const os::Fd& file) {
    struct stat facts {};
    std::string text;
    if (::fstat(file.get(), &facts) == 0 && facts.st_size < (1 << 20)) text.resize(static_cast<std::size_t>(facts.st_size));
    if (::pread(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) text.clear();
    return job::read_run_answer(text);
}

/// A path of the job's place, as the container has it.
std::string moved(const std::string& value, const std::string& from, const std::string& to) {
    const bool below = value.starts_with(from) && (value.size() == from.size() || value[from.size()] == '/');
    return below ? to + value.substr(from.size()) : value;
}

}  // namespace

Result<job::RunRequest> Job::container_request(const ContainerProgram& asked, const StepFiles& files, const fs::path& folder) {
    job::RunRequest request{.image = asked.image, .context = asked.context, .file = asked.file, .entrypoint = asked.entrypoint,
                            .arguments = asked.arguments, .env = {}, .directory = asked.workspace, .mounts = {}, .joins = false};
    add_environment(request.env, files, {});
    for (auto& [name, value] : request.env) value = moved(value, supervisor_->folders().inner_workspace, asked.workspace);
    put(request.env, "HOME", asked.home);
    for (const auto& [name, value] : asked.env) put(request.env, name, value);
    for (const auto& [name, value] : request.env)
        if ((name + value).find('\0') != std::string::npos) return invalid("JOB_002", "the variable '" + name.substr(0, name.find('\0')) + "' holds a NUL byte");

    const auto said = folder / "said", texts = folder / "texts", home = paths_.files() / "home";
    if (::mkdir(paths_.files().c_str(), 0700) != 0 && errno != EEXIST) return os::last_error("cannot create " + paths_.files().string());
    for (const auto& each : {folder, said, texts, home}) CICD_CHECK(make_open_folder(each));
    request.mounts = {{spec_.workspace, asked.workspace, false}, {home.string(), asked.home, false}, {said.string(), asked.files, false}};
    Program made;
    files.add_to(made);
    for (const auto& file : made.files) CICD_CHECK(make_file(said / fs::path(file.path).filename(), file.text, 0666));
    if (!spec_.services.empty()) {
        // Where it knows the services by their names.
        request.mounts.push_back({(paths_.root / "hosts").string(), "/etc/hosts", true});
        request.joins = made_->network.has_value();
        if (const auto resolver = request.joins ? made_->network->resolver() : std::nullopt) {
            CICD_CHECK(make_file(texts / "resolver", *resolver, 0644));
            request.mounts.push_back({(texts / "resolver").string(), "/etc/resolv.conf", true});
        }
    }
    for (std::size_t i = 0; i < asked.texts.size(); ++i) {
        const auto source = texts / std::to_string(i);
        CICD_CHECK(make_file(source, asked.texts[i].second, 0644));
        request.mounts.push_back({source.string(), asked.texts[i].first, true});
    }
    return request;
}

StepEnd Job::run_container(int index, const ContainerProgram& asked) {
    const auto step = static_cast<std::uint32_t>(index);
    const auto skip = [&](const std::string& why) {
        supervisor_->note(step, why);
        return StepEnd{.state = model::StepState::skipped, .reason = std::nullopt, .message = why};
    };
    if (!spec_.workspace_layers.empty())
        return skip("skipped: it runs in a container, which was not known when the run was planned: what describes it was made while the job ran");
    const bool may_run = !supervisor_->stop_of(step);
    if (!supervisor_->await_place() || (may_run && supervisor_->stop_of(step))) return conclude(index, {.stop = supervisor_->stop_of(step)});

    const int number = inner_files + serial_++;
    const StepFiles files(asked.files, number, 0755, true);
    const auto folder = paths_.files() / std::to_string(number);
    struct Removal {
        const fs::path& folder;
        ~Removal() { (void)os::remove_all(folder); }
    } const removal{folder};
    const auto request = container_request(asked, files, folder);
    if (!request) return failure(index, request.error(), request.error().kind == ErrorKind::invalid ? model::EndReason::exit : model::EndReason::infra);
    const auto question = os::memory_file("request", job::to_text(*request));
    const auto answer = os::memory_file("answer", "");
    if (!question || !answer) return failure(index, unavailable("JOB_003", "the container cannot be asked for"), model::EndReason::infra);
    os::SpawnOptions options;
    options.argv = {sibling_program("cicd-container").string(), "--run", paths_.root.string()};
    options.cwd = "/";
    options.fds = {{question->get(), job::build_request_fd}, {answer->get(), job::build_answer_fd}};
    if (request->joins) options.fds.emplace_back(made_->network->descriptor(), job::run_network_fd);
    if (asked.source) options.fds.emplace_back(asked.source.get(), job::build_workspace_fd);

    const auto& env = request->env;
    commands_[step].begin(std::find(env.begin(), env.end(), std::pair<std::string, std::string>("ACTIONS_ALLOW_UNSECURE_COMMANDS", "true")) != env.end());
    const auto begin = std::chrono::steady_clock::now();
    const auto ran = supervisor_->run_tool(step, std::move(options), asked.timeout, Supervisor::Ending::by_itself);
    ProgramEnd end{.kind = ProgramEnd::Kind::ended};
    end.usage.wall_ms = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin).count();
    if (!ran && ran.error().kind != ErrorKind::timeout) return failure(index, ran.error(), model::EndReason::infra);
    if (!ran) {
        supervisor_->note(step, ran.error().message);
        end.stop = Stop{model::EndReason::timeout, ran.error().message};
    }
    if (may_run || supervisor_->gone()) {
        if (auto stop = supervisor_->stop_of(step)) end.stop = std::move(stop);
    }
    if (end.stop) return conclude(index, end);
    const auto told = answer_in(*answer);
    switch (told.kind) {
        case job::RunAnswer::Kind::no_engine: return skip("skipped: it runs in a container, and there is no engine for it: " + told.error);
        case job::RunAnswer::Kind::failed: return failure(index, unavailable("JOB_003", told.error));
        case job::RunAnswer::Kind::ended: break;
    }
    end.status = (told.exit_code & 0xff) << 8;  // as wait(2) gives it
    Program made;
    files.add_to(made);
    end.files = given_back(made, folder / "said");
    return conclude(index, end);
}

}  // namespace cicd::runner
