#include "daemon/engines/run.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "common/job/container.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/engines/build.hpp"
#include "daemon/engines/container.hpp"
#include "daemon/engines/finding.hpp"
#include "daemon/engines/images.hpp"
#include "daemon/engines/sweep.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>

namespace cicd::engines {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto death_limit = std::chrono::seconds(15);
constexpr auto longest_job = std::chrono::hours(24 * 90);

std::string contents(int fd) {
    struct stat facts {};
    if (::fstat(fd, &facts) != 0 || facts.st_size > (16 << 20)) return {};
    std::string text(static_cast<std::size_t>(facts.st_size), '\0');
    return ::pread(fd, text.data(), text.size(), 0) == facts.st_size ? text : std::string();
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return;  // nobody reads any more: who did tells us to end
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

/// Whether this process is to end, which it looks for when it has nothing else to do; and what the container is told then.
class Ending {
public:
    explicit Ending(Milliseconds grace) : grace_(grace) {
        ::sigemptyset(&watched_);
        for (const int number : {SIGTERM, SIGINT}) ::sigaddset(&watched_, number);
        ::sigprocmask(SIG_BLOCK, &watched_, nullptr);
    }
    bool is_asked() {
        const timespec at_once{};
        for (int number = 0; (number = ::sigtimedwait(&watched_, nullptr, &at_once)) > 0;) {
            if (number == SIGTERM && !kill_at_) kill_at_ = Clock::now() + grace_, politely_ = true;
            if (number == SIGINT) kill_at_ = Clock::now();
        }
        return kill_at_.has_value();
    }
    /// False where it has been killed, and does not end even so.
    bool serve(Engine& engine, const std::string& container) {
        if (!is_asked()) return true;
        if (std::exchange(politely_, false)) kill(engine, container, "SIGTERM");
        if (!killed_at_ && Clock::now() >= *kill_at_) {
            kill(engine, container, "SIGKILL");
            killed_at_ = Clock::now();
        }
        return !killed_at_ || Clock::now() < *killed_at_ + death_limit;
    }

private:
    static void kill(Engine& engine, const std::string& container, const char* signal) {
        (void)engine.ask("POST", "/containers/" + encoded(container) + "/kill?signal=" + signal);
    }

    sigset_t watched_{};
    Milliseconds grace_;
    bool politely_ = false;
    std::optional<Clock::time_point> kill_at_, killed_at_;
};

/// Frames: stream, three zeros, a length of four bytes, the text.
class Frames {
public:
    void take(std::string_view bytes) {
        while (!bytes.empty()) {
            if (left_ == 0) {
                const auto n = std::min(bytes.size(), 8 - head_.size());
                head_ += bytes.substr(0, n);
                bytes.remove_prefix(n);
                if (head_.size() < 8) return;
                for (std::size_t i = 4; i < 8; ++i) left_ = left_ << 8 | static_cast<unsigned char>(head_[i]);
                stream_ = head_[0] == 2 ? STDERR_FILENO : STDOUT_FILENO;
                head_.clear();
                continue;
            }
            const auto n = std::min(bytes.size(), left_);
            write_all(stream_, bytes.substr(0, n));
            bytes.remove_prefix(n);
            left_ -= n;
        }
    }

private:
    std::string head_;
    std::size_t left_ = 0;
    int stream_ = STDOUT_FILENO;
};

/// The job's own network. Docker joins none but those of its own containers, nor does an engine without the rights for it.
std::string network_of(const model::JobSpec& spec, const job::RunRequest& asked, const Engine& engine) {
    if (spec.executor == model::ExecutorKind::container) return "container:" + container_name(spec);
    if (asked.joins && engine.facts().kind == Facts::Kind::podman && ::geteuid() == 0)
        return "ns:/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(job::run_network_fd);
    if (asked.joins)
        write_all(STDERR_FILENO, "the services of this job are not reached from here: " + engine.name() +
                                     " cannot join a network that it did not make; give the job a container, then an engine makes all of them\n");
    return spec.network == model::NetworkMode::none ? "none" : "host";
}

Object request_for(const model::JobSpec& spec, const job::RunRequest& asked, const std::string& image, const Engine& engine) {
    Array env, arguments, mounts;
    for (const auto& [name, value] : asked.env) env.emplace_back(name + "=" + value);
    for (const auto& argument : asked.arguments) arguments.emplace_back(argument);
    for (const auto& mount : asked.mounts)
        mounts.emplace_back(Object{{"Type", "bind"}, {"Source", mount.source}, {"Target", mount.target}, {"ReadOnly", mount.read_only}});
    Object host{{"Mounts", std::move(mounts)},
                {"NetworkMode", network_of(spec, asked, engine)},
                // What it prints goes through our hands and nowhere else.
                {"LogConfig", Object{{"Type", "none"}}},
                {"AutoRemove", false}};
    add_limits(host, spec);
    Object request{{"Image", image},
                   {"Env", std::move(env)},
                   {"WorkingDir", asked.directory},
                   {"AttachStdout", true},
                   {"AttachStderr", true},
                   {"HostConfig", std::move(host)},
                   {"Labels", Object{{label_job, spec.job.str() + "/" + std::to_string(spec.attempt)}, {label_state, spec.store}, {label_service, "step"}}}};
    if (!asked.entrypoint.empty()) request.set("Entrypoint", Array{Value(asked.entrypoint)});
    if (!arguments.empty()) request.set("Cmd", std::move(arguments));
    return request;
}

Result<std::string> image_of(Engine& engine, const model::JobSpec& spec, const job::RunRequest& asked) {
    if (!asked.image.empty()) {
        auto wanted = spec;
        wanted.image.emplace();
        wanted.image->name = asked.image;
        wanted.image_files.reset();
        CICD_TRY(const auto found, provide_image(engine, wanted, "", [](std::string_view line) { write_all(STDOUT_FILENO, std::string(line) + "\n"); }));
        return found.id;
    }
    job::BuildRequest request;
    request.context = asked.context;
    request.file = asked.file;
    // By these it is found again, once nobody needs it.
    request.labels = {{label_state, spec.store}, {label_action, "true"}};
    request.network = spec.network == model::NetworkMode::none ? "none" : "host";
    return build(engine, request);
}

/// Made, watched until it has ended, and gone. `other` is a second connection to the same engine.
Result<int> run_in(Engine& engine, Engine& other, const std::string& id, Ending& ending) {
    const auto at = "/containers/" + encoded(id);
    Frames frames;
    Result<void> started;
    CICD_CHECK(engine.attach(at + "/attach?stream=1&stdout=1&stderr=1",
                             {.on_begin =
                                  [&] {
                                      const auto answer = other.ask("POST", at + "/start");
                                      if (!answer) started = answer.error();
                                      else if (!answer->ok())
                                          started = unavailable("JOB_003", "the container could not be started: " + other.name() + " says: " + answer->complaint());
                                      return started.has_value();
                                  },
                              .on_bytes = [&](std::string_view bytes) { frames.take(bytes); },
                              .goes_on = [&] { return ending.serve(other, id); }}));
    CICD_CHECK(started);
    other.answer_within(longest_job);
    other.stop_when([&] { return !ending.serve(engine, id); });
    const auto ended = other.ask("POST", at + "/wait");
    other.stop_when(nullptr);
    if (!ended) return ended.error();
    const auto& code = ended->body["StatusCode"];
    if (!ended->ok() || !code.is_number()) return unavailable("ENGINE_003", "the container's end is not known: " + ended->complaint());
    return static_cast<int>(code.as_number());
}

Result<int> run(const model::JobSpec& spec, Engine& engine, const job::RunRequest& asked, Ending& ending) {
    CICD_CHECK(remember_engine(spec.store, engine.facts().socket));
    engine.stop_when([&] { return ending.is_asked(); });
    CICD_TRY(const auto image, image_of(engine, spec, asked));
    engine.stop_when(nullptr);
    CICD_TRY(auto other, Engine::connect(engine.facts().socket));
    CICD_TRY(const auto made, engine.ask("POST", "/containers/create", request_for(spec, asked, image, engine)));
    const auto& id = made.body["Id"];
    if (!made.ok() || !id.is_string())
        return unavailable("JOB_003", "the container could not be made: " + engine.name() + " says: " + made.complaint());
    auto ended = ending.is_asked() ? Result<int>(Error{ErrorKind::cancelled, "JOB_003", "the step was ended", "", {}})
                                   : run_in(engine, other, id.as_string(), ending);
    auto removed = remove_container(other, id.as_string());
    if (!removed)
        // Its connection may be from a service that has ended meanwhile.
        if (auto again = start_served(engine.facts().socket)) removed = remove_container(*again, id.as_string());
    if (ended && !removed) return removed.error();
    return ended;
}

std::string told(const Error& error) { return error.message + (error.hint.empty() ? "" : " (" + error.hint + ")"); }

job::RunAnswer answer_for(const model::JobSpec& spec, const job::RunRequest& request, Ending& ending) {
    auto engine = find_engine(spec.engine.empty() ? "auto" : spec.engine, MayStart::yes);
    if (!engine) return {job::RunAnswer::Kind::no_engine, 0, told(engine.error())};
    const auto code = run(spec, *engine, request, ending);
    if (!code) return {job::RunAnswer::Kind::failed, 0, told(code.error())};
    return {job::RunAnswer::Kind::ended, *code, {}};
}

}  // namespace

int run_container(const std::string& job_directory) {
    ::signal(SIGPIPE, SIG_IGN);
    const auto spec = job::read_spec({job_directory});
    Ending ending(spec ? spec->grace : Milliseconds(0));
    const auto answer = spec ? answer_for(*spec, job::read_run_request(contents(job::build_request_fd)), ending)
                             : job::RunAnswer{job::RunAnswer::Kind::failed, 0, told(spec.error())};
    const auto text = job::to_text(answer);
    const bool written = ::pwrite(job::build_answer_fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    if (ending.is_asked()) return job::told_to_end;
    return written && answer.kind == job::RunAnswer::Kind::ended ? 0 : 1;
}

}  // namespace cicd::engines
