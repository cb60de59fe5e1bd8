#include "daemon/runner/services.hpp"

#include "common/base/text.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/environment.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace cicd::runner {
namespace {

using Clock = SteadyTime::clock;

constexpr Milliseconds longest_pause{500};
constexpr std::uint64_t lines_searched = 2000;
constexpr std::size_t lines_told = 3, longest_told = 400;

/// A place whose program has ended has nothing left but to go.
constexpr auto last_wait = std::chrono::seconds(5);

std::string describe_end(int status) {
    if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")";
    return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

std::string last_line(const os::Fd& file) {
    std::array<char, 4096> buffer{};
    const off_t size = file ? ::lseek(file.get(), 0, SEEK_END) : 0;
    const off_t from = std::max<off_t>(0, size - static_cast<off_t>(buffer.size()));
    const ssize_t n = size > 0 ? ::pread(file.get(), buffer.data(), buffer.size(), from) : 0;
    const auto text = trim(std::string_view(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, n))));
    return to_valid_utf8(text.substr(text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1));
}

/// What the image's maker meant, now that it is known.
void complete(ServiceProgram& program, const Inside& inside) {
    if (!program.is_whole) {
        const auto rest = program.main.argv.empty() ? inside.command : std::move(program.main.argv);
        program.main.argv = inside.entrypoint;
        program.main.argv.insert(program.main.argv.end(), rest.begin(), rest.end());
    }
    auto env = container_environment(inside);
    for (const auto& line : program.main.env) put(env, line.substr(0, line.find('=')), line.substr(line.find('=') + 1));
    program.main.env.clear();
    for (const auto& [name, value] : env) program.main.env.push_back(name + "=" + value);
    if (program.main.cwd.empty()) program.main.cwd = inside.working_directory.empty() ? "/" : inside.working_directory;
    if (!program.ready) return;
    program.ready->env = program.main.env;
    program.ready->cwd = program.main.cwd;
}

}  // namespace

Result<void> Services::start(std::vector<ServiceProgram> programs, const model::JobSpec& spec, const Limits& limits,
                             const Network* network) {
    for (auto& program : programs) {
        const auto now = Clock::now();
        auto place = Place::open_beside(spec, *program.service, paths_.root, limits, network, program.login);
        if (!place) return std::move(place.error()).within("service '" + program.service->service.name + "'");
        program.login.clear();
        // The time that an image takes to come is not the service's.
        const auto deadline = place->is_container() ? SteadyTime::max() : now + program.ready_timeout;
        running_.push_back(std::make_unique<Running>(Running{.program = std::move(program), .place = std::move(*place),
                                                             .start = now, .deadline = deadline}));
    }
    return {};
}

void Services::watch(std::vector<pollfd>& watched) const {
    for (const auto& service : running_) watched.push_back({service->place.events_fd(), POLLIN, 0});
}

void Services::serve(const pollfd* watched) {
    const auto now = Clock::now();
    for (std::size_t i = 0; i < running_.size(); ++i) {
        if (watched[i].revents != 0) on_event(*running_[i]);
        check(*running_[i], now);
    }
    const auto count = running_.size();
    for (auto& service : running_) {
        if (!service->gone || !service->place.is_container()) continue;
        service->place.let_go();
        leaving_.push_back(std::move(service->place));
    }
    std::erase_if(running_, [](const auto& service) { return service->gone; });
    if (grace_ && running_.size() != count) stop_next();
}

SteadyTime Services::due() const {
    auto first = SteadyTime::max();
    for (const auto& service : running_) {
        // Once one has failed, the others wait to be stopped.
        const bool waits = service->phase == Phase::ready || (failure_ && !grace_ && service->phase != Phase::ending);
        if (!waits) first = std::min(first, service->deadline);
        if (service->probe_at) first = std::min(first, *service->probe_at);
    }
    return first;
}

bool Services::are_ready() const {
    return std::all_of(running_.begin(), running_.end(), [](const auto& service) { return service->phase == Phase::ready; });
}

void Services::on_event(Running& service) {
    const auto told = service.place.next_event();
    if (!told) {
        const auto& error = told.error();
        const auto why = error.message + (error.hint.empty() ? "" : " (" + error.hint + ")");
        if (!grace_) fail(service, "broke down: " + why);
        if (service.phase != Phase::ending) tell_({service.program.step, model::StepState::failed, {}, why});
        service.phase = Phase::ending;
        service.gone = true;
        return;
    }
    if (told->note) {
        if (!told->note->empty()) output_.system_line(service.program.step, *told->note);
        return;
    }
    switch (const auto& event = told->event; event.kind) {
        case Event::Kind::ready: began(service); break;
        case Event::Kind::started:
            if (service.phase != Phase::starting) break;
            service.phase = Phase::running;
            if (service.program.ready) return probe(service);
            service.phase = Phase::ready;
            break;
        case Event::Kind::refused:
        case Event::Kind::no_files: {
            const auto why = "cannot start '" + service.program.main.argv.front() + "': " + std::strerror(event.number);
            fail(service, why);
            tell_({service.program.step, model::StepState::failed, 127, why});
            service.phase = Phase::ending;
            service.place.finish();
            break;
        }
        case Event::Kind::listening: break;  // of the job only
        case Event::Kind::probed: probed(service, event.number); break;
        case Event::Kind::ended: ended(service, event.number); break;
        case Event::Kind::finished:
            service.phase = Phase::ending;
            service.gone = true;
            break;
    }
}

void Services::began(Running& service) {
    if (service.phase != Phase::making) return;
    tell_({service.program.step, model::StepState::running, {}, {}});
    service.phase = Phase::starting;
    if (service.place.is_container()) {
        complete(service.program, service.place.inside());
        service.start = Clock::now();
        service.deadline = service.start + service.program.ready_timeout;
        if (service.program.main.argv.empty()) return fail(service, "has nothing to run: neither its image nor the pipeline names a command");
    }
    const auto ends = output_.open(service.program.step);
    const auto started = ends ? service.place.start(0, service.program.main, ends->out.get(), ends->err.get()) : Result<void>(ends.error());
    if (!started) fail(service, "cannot be started: " + started.error().message);
}

void Services::probe(Running& service) {
    service.probe_at.reset();
    auto output = os::memory_file("probe", "");
    if (!output) return fail(service, output.error().message);
    service.probe_output = std::move(*output);
    (void)service.place.probe(*service.program.ready, service.probe_output.get());
}

void Services::probed(Running& service, int status) {
    if (service.phase != Phase::running) return;
    const auto now = Clock::now();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        service.phase = Phase::ready;
        const auto took = std::chrono::duration_cast<Milliseconds>(now - service.start);
        output_.system_line(service.program.step, "service '" + name(service) + "' is ready after " + format_duration(took));
        return;
    }
    service.probe_at = now + service.pause;
    service.pause = std::min(service.pause * 2, longest_pause);
}

void Services::ended(Running& service, int status) {
    if (service.phase == Phase::ending) return;
    const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    const auto how = describe_end(status);
    const bool wanted = service.phase == Phase::stopping;
    if (!wanted) fail(service, how + (service.phase == Phase::ready ? "" : " before it was ready"));
    if (!service.failed.empty()) tell_({service.program.step, model::StepState::failed, code, service.failed});
    else tell_({service.program.step, model::StepState::success, code, {}});
    service.phase = Phase::ending;
    service.deadline = Clock::now() + last_wait;
    service.place.finish();
}

void Services::fail(Running& service, const std::string& why) {
    if (grace_) return;
    service.failed = why;
    if (failure_) return;
    output_.drain(service.program.step);
    failure_ = "service '" + name(service) + "' " + why;
    if (const auto said = last_lines(service.program.step); !said.empty()) *failure_ += "; it said: " + said;
}

/// As they are in the log: without secrets.
std::string Services::last_lines(std::uint32_t step) const {
    job::LogReader reader(paths_);
    const auto count = reader.line_count();
    if (!count) return {};
    const auto from = *count - std::min(*count, lines_searched);
    const auto lines = reader.read(from, lines_searched);
    if (!lines) return {};
    std::vector<std::string> found;
    for (auto line = lines->rbegin(); line != lines->rend() && found.size() < lines_told; ++line)
        if (line->record.step == step && line->record.stream != static_cast<std::uint8_t>(model::LogStream::system) && !trim(line->text).empty())
            found.emplace_back(trim(line->text));
    std::reverse(found.begin(), found.end());
    auto text = to_valid_utf8(join(found, " / "));
    return text.size() > longest_told ? to_valid_utf8(text.substr(text.size() - longest_told)) : text;
}

void Services::stop(Milliseconds grace, std::optional<SteadyTime> all_by) {
    grace_ = grace;
    all_by_ = all_by;
    for (auto& service : running_) {
        service->probe_at.reset();
        service->deadline = SteadyTime::max();
    }
    stop_next();
}

void Services::stop_next() {
    if (running_.empty()) return;
    auto& service = *running_.back();
    if (service.phase == Phase::stopping) return;
    service.deadline = Clock::now() + *grace_;
    if (all_by_) service.deadline = std::min(service.deadline, *all_by_);
    const bool runs = service.phase == Phase::running || service.phase == Phase::ready;
    if (runs) {
        service.phase = Phase::stopping;
        service.place.signal_program(0, SIGTERM);
        return;
    }
    if (service.phase != Phase::ending) tell_({service.program.step, model::StepState::cancelled, {}, "it was not started"});
    service.phase = Phase::ending;
    service.gone = !service.place.is_there();  // nobody would answer
    service.deadline = service.gone ? Clock::now() : Clock::now() + last_wait;
    service.place.finish();
}

void Services::hurry() {
    all_by_ = Clock::now();
    if (grace_ && !running_.empty()) running_.back()->deadline = *all_by_;
}

void Services::check(Running& service, SteadyTime now) {
    if (service.probe_at && now >= *service.probe_at) probe(service);
    if (now < service.deadline || service.gone) return;
    switch (service.phase) {
        case Phase::making:
        case Phase::starting:
        case Phase::running: {
            if (failure_ || grace_) break;
            const auto said = last_line(service.probe_output);
            fail(service, "did not become ready within " + format_duration(service.program.ready_timeout) +
                              (said.empty() ? "" : " (its check said: " + output_.masking()->whole(said) + ")"));
            break;
        }
        case Phase::ready: break;
        case Phase::stopping:
            output_.system_line(service.program.step, "service '" + name(service) + "' still runs after " + format_duration(*grace_) + ": it is killed");
            service.phase = Phase::ending;
            service.deadline = now + last_wait;
            tell_({service.program.step, model::StepState::success, 137, "killed, because it did not stop"});
            service.place.finish();
            break;
        case Phase::ending: service.gone = true; break;  // its place kills what is left
    }
}

}  // namespace cicd::runner
