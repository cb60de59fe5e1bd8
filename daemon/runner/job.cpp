#include "daemon/runner/job.hpp"

#include "common/base/text.hpp"
#include "common/job/gate.hpp"
#include "common/job/secrets.hpp"
#include "common/job/spare.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/inner_path.hpp"
#include "daemon/runner/sandbox.hpp"
#include "daemon/runner/shell.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace cicd::runner {
namespace {

Timestamp now() { return SystemClock().now(); }

std::string title(const model::Step& step) {
    if (!step.name.empty()) return step.name;
    if (!step.uses.empty()) return step.uses;
    const auto text = trim(step.run);
    return std::string(text.substr(0, std::min<std::size_t>(text.find('\n'), 120)));
}

std::string_view word(model::StepState state) {
    switch (state) {
        case model::StepState::success: return "success";
        case model::StepState::cancelled: return "cancelled";
        case model::StepState::skipped: return "skipped";
        case model::StepState::failed:
        case model::StepState::pending:
        case model::StepState::running: break;
    }
    return "failure";
}

constexpr std::size_t most_annotations = 200;

constexpr const char* standard_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// As engines do it: what the image says counts more than what its user's entry says.
model::Texts image_environment(const model::RootImage& image, bool has_bash) {
    model::Texts env{{"HOME", image.home}, {"LANG", "C.UTF-8"}, {"SHELL", has_bash ? "/bin/bash" : "/bin/sh"}, {"PATH", standard_path}};
    if (!image.user_name.empty()) put(env, "USER", image.user_name), put(env, "LOGNAME", image.user_name);
    for (const auto& [name, value] : image.env) put(env, name, value);
    return env;
}

std::string refusal(const ProgramEnd& end, const Program& program) {
    const std::string why = std::strerror(end.errno_value);
    switch (end.stage) {
        case os::SpawnFailure::Stage::directory:
            return "cannot enter the working directory " + program.cwd + ": " + why;
        case os::SpawnFailure::Stage::program:
            if (end.errno_value == ENOENT) return "the shell '" + program.argv.front() + "' was not found in PATH";
            if (end.errno_value == E2BIG) return "the step's environment is too large for the system";
            return "cannot start the shell '" + program.argv.front() + "': " + why;
        case os::SpawnFailure::Stage::enclosure:
        case os::SpawnFailure::Stage::setup:
        case os::SpawnFailure::Stage::none: break;
    }
    return "the step's process could not be made: " + why;
}

/// Before anything of them could be told.
std::shared_ptr<Masking> mask_of(const Object& secrets, const Result<Job::Made>& made) {
    if (!made) return nullptr;
    const auto& masking = made->output.masking();
    for (const auto& [name, value] : secrets) masking->hide(value.as_string());
    return masking;
}

}  // namespace

Job::Job(job::Paths paths, model::JobSpec spec, job::JournalWriter journal, Object secrets, Result<Made> made)
    : paths_(std::move(paths)), spec_(std::move(spec)), journal_(std::move(journal)),
      masking_(mask_of(secrets, made)),
      context_(spec_, std::move(secrets),
               [this] { return supervisor_ ? supervisor_->workspace() : std::filesystem::path(spec_.workspace); }),
      made_(std::move(made)) {
    exit_.outputs = Object();
    for (std::size_t i = 0; i < spec_.steps.size(); ++i) {
        model::StepRun step;
        step.index = static_cast<int>(i);
        step.id = spec_.steps[i].id;
        step.name = title(spec_.steps[i]);
        exit_.steps.push_back(std::move(step));
    }
}

model::JobExit Job::run() {
    exit_.start_time = now();
    journal({.type = model::JournalType::job_started, .pid = ::getpid()});
    const auto prepared = prepare();
    if (!prepared && supervisor_ && supervisor_->stop()) {
        // It was ended while things were put in place: `judge` tells.
    } else if (!prepared) {
        exit_.state = model::JobState::failed;
        const bool of_job = prepared.error().kind == ErrorKind::invalid || prepared.error().kind == ErrorKind::conflict;
        exit_.end_reason = of_job ? model::EndReason::exit : model::EndReason::infra;
        exit_.message = shown(prepared.error().message);
        if (!prepared.error().hint.empty()) exit_.message += " (" + prepared.error().hint + ")";
    } else {
        for (std::size_t i = 0; i < spec_.steps.size(); ++i) run_step(static_cast<int>(i));
        run_later();
    }
    if (supervisor_) {
        exit_.usage = supervisor_->finish();
        judge();
        evaluate_outputs();
        if (keeping_) keep();
        // Scripts hold what their expressions gave, secrets too.
        if (spec_.executor == model::ExecutorKind::host) (void)os::remove_all(host_files(paths_.root));
        if (!supervisor_->is_empty()) supervisor_.reset();
    }
    const bool peak_known = exit_.usage.peak_memory > 0;
    for (const auto& step : exit_.steps) {
        exit_.usage.cpu_ms = std::max(exit_.usage.cpu_ms, step.usage.cpu_ms);
        if (!peak_known) exit_.usage.peak_memory = std::max(exit_.usage.peak_memory, step.usage.peak_memory);
    }
    exit_.end_time = now();
    return exit_;
}

Result<Job::Made> Job::make_place(const job::Paths& paths, const model::JobSpec& spec) {
    CICD_TRY(auto log, spec.root ? job::LogWriter::reopen(paths) : job::LogWriter::open(paths));
    auto limits = Limits::open(spec);
    auto place = Place::open(spec, paths.root, limits);
    return Made{Output(std::move(log)), std::move(limits), std::move(place)};
}

Result<void> Job::prepare() {
    if (!made_) return made_.error();
    auto& [output, limits, place] = *made_;
    if (!limits.weakness().empty()) output.system_line(0, limits.weakness());
    if (!place) {
        auto text = place.error().message;
        if (!place.error().hint.empty()) text += " (" + place.error().hint + ")";
        output.system_line(0, text);
        auto error = place.error();
        error.kind = ErrorKind::unavailable;
        return error;
    }
    supervisor_ = std::make_unique<Supervisor>(spec_, paths_, std::move(output), std::move(limits), std::move(*place),
                                               start_);
    masking_->obey_with([this](std::string_view line) { return commands_.take(line); });
    if (spec_.dialect == model::Dialect::github) complete_contexts();
    else if (spec_.dialect != model::Dialect::native) tell_workspace();
    for (const auto& layer : spec_.env)
        if (auto added = context_.add_env(layer); !added) {
            supervisor_->note(0, added.error().message);
            return invalid(added.error().code, added.error().message);
        }
    if (spec_.dialect == model::Dialect::github) return prepare_actions();
    if (!Keeping::is_needed(spec_)) return {};
    keeping_.emplace(spec_, context_, *supervisor_);
    auto put_back = keeping_->put_back();
    if (!put_back) supervisor_->note(0, put_back.error().message);
    return put_back;
}

/// `runner.workspace`: other languages name their folder in variables.
void Job::tell_workspace() {
    const auto runner = context_.context("runner");
    Object about = runner.is_object() ? runner.as_object() : Object{};
    about.set("workspace", supervisor_->folders().inner_workspace);
    context_.set_context("runner", Value(std::move(about)));
}

/// What the job leaves behind, once nothing of it lives.
void Job::keep() {
    const auto saved = keeping_->save(exit_);
    if (saved) return;
    supervisor_->note(0, saved.error().message);
    if (exit_.state != model::JobState::success) return;
    if (supervisor_->stop()) return judge();
    const bool of_job = saved.error().kind == ErrorKind::invalid || saved.error().kind == ErrorKind::conflict;
    exit_.state = model::JobState::failed;
    exit_.end_reason = of_job ? model::EndReason::exit : model::EndReason::infra;
    exit_.exit_code = 1;
    exit_.message = saved.error().message;
}

std::optional<std::string> Job::skipped(const model::Step& step) {
    if (supervisor_->gone()) return supervisor_->stop() ? supervisor_->stop()->message : "the job was ended";
    const auto condition = context_.condition(step.condition);
    // A condition that cannot be evaluated fails the step; run_step finds the same error again.
    if (!condition || condition->holds) return std::nullopt;
    return condition->why_not;
}

void Job::run_step(int index) {
    const auto& step = spec_.steps[static_cast<std::size_t>(index)];
    auto& record = exit_.steps[static_cast<std::size_t>(index)];
    supervisor_->look();
    if (supervisor_->stop() && context_.status() != JobStatus::cancelled) context_.set_status(JobStatus::cancelled);

    const Context before = context_;
    auto env = context_.add_env(step.env);
    if (auto why = skipped(step)) {
        context_ = before;
        return end_step(index, model::StepState::skipped, std::nullopt, std::move(*why), false, {});
    }
    // A title taken from the script stays as it is written: it is no place for values.
    if (auto name = context_.text(step.name); name && !name->empty()) record.name = shown(*name);
    record.start_time = now();
    record.state = model::StepState::running;
    journal({.type = model::JournalType::step_started, .step = index, .name = record.name});

    const auto fail = [&](const Error& error, model::EndReason reason) {
        supervisor_->note(static_cast<std::uint32_t>(index), error.message);
        context_ = before;
        record.exit_code = 1;
        end_step(index, model::StepState::failed, reason, error.message, false, {});
    };
    if (!env) return fail(env.error(), model::EndReason::exit);
    if (const auto condition = context_.condition(step.condition); !condition)
        return fail(condition.error(), model::EndReason::exit);
    const auto may_fail = context_.truth(step.continue_on_error);
    if (!may_fail) return fail(may_fail.error(), model::EndReason::exit);
    const auto end = perform(index, step, before);
    record.exit_code = end.exit_code;
    end_step(index, end.state, end.reason, end.message, *may_fail && end.forgivable, end.outputs);
}

Job::StepEnd Job::failure(int index, const Error& error, model::EndReason reason) {
    supervisor_->note(static_cast<std::uint32_t>(index), error.message);
    return {.state = model::StepState::failed, .reason = reason, .message = error.message, .exit_code = 1, .forgivable = false};
}

std::optional<Milliseconds> Job::timeout_of(const model::Step& step) const {
    if (step.timeout_minutes.empty()) return step.timeout;
    const auto minutes = context_.text(step.timeout_minutes);
    const double number = minutes ? std::strtod(minutes->c_str(), nullptr) : 0;
    if (!(number > 0)) return step.timeout;
    return Milliseconds(static_cast<std::int64_t>(std::min(number, 1e6) * 60'000));
}

Job::StepEnd Job::perform(int index, const model::Step& step, const Context& before) {
    if (!step.uses.empty()) {
        const auto known = learned_.size();
        auto end = use(index, step);
        context_ = before;
        context_.set_env(model::Texts(learned_.begin() + static_cast<std::ptrdiff_t>(known), learned_.end()));
        return end;
    }
    const bool on_host = spec_.executor == model::ExecutorKind::host;  // where others could read it
    const int number = depth_ == 0 ? index : 100'000 + serial_++;
    const auto made = program(step, StepFiles(supervisor_->folders().inner_files, number, on_host ? 0700 : 0755));
    const auto timeout = timeout_of(step);
    context_ = before;
    if (!made) return failure(index, made.error(), model::EndReason::exit);
    return run_program(index, *made, timeout);
}

Job::StepEnd Job::run_program(int index, const Program& program, const std::optional<Milliseconds>& timeout) {
    state_.clear();
    commands_.begin(std::find(program.env.begin(), program.env.end(), "ACTIONS_ALLOW_UNSECURE_COMMANDS=true") != program.env.end());
    const auto end = supervisor_->run(static_cast<std::uint32_t>(index), program, timeout);
    if (end.kind == ProgramEnd::Kind::refused) {
        auto message = refusal(end, program);
        supervisor_->note(static_cast<std::uint32_t>(index), message);
        return {.state = model::StepState::failed, .message = std::move(message), .exit_code = end.errno_value == ENOENT ? 127 : 126};
    }
    if (end.kind == ProgramEnd::Kind::no_files)
        return failure(index, unavailable("JOB_003", std::string("the step's script could not be written: ") + std::strerror(end.errno_value)),
                       model::EndReason::infra);
    return conclude(index, end);
}

void Job::learn(const model::Texts& env, const std::vector<std::string>& path) {
    context_.set_env(env);
    learned_.insert(learned_.end(), env.begin(), env.end());
    path_.insert(path_.begin(), path.rbegin(), path.rend());
}

Result<Program> Job::program(const model::Step& step, const StepFiles& files) {
    const auto& shell = step.shell.empty() ? spec_.shell : step.shell;
    CICD_TRY(auto text, context_.text(step.run));
    CICD_TRY(const auto shell_text, context_.text(shell));
    Program program;
    const auto suffix = script_suffix(shell_text);
    files.add_to(program, suffix, std::move(text));
    CICD_TRY(program.argv, shell_command(shell_text, files.path(suffix), has_bash()));
    if (!event_file_.empty()) program.files.push_back({.path = event_path(), .text = std::exchange(event_file_, {})});
    CICD_TRY(const auto folder,
             context_.text(step.working_directory.empty() ? spec_.working_directory : step.working_directory));
    program.cwd = (std::filesystem::path(supervisor_->folders().inner_workspace) / folder).string();
    auto variables = environment(files);
    // Whoever asks which shell it is in is told the one that runs the step.
    if (const auto named = trim(shell_text); spec_.dialect != model::Dialect::native && (named == "sh" || named.starts_with("sh ")))
        put(variables, "SHELL", "/bin/sh");
    for (const auto& [name, value] : variables) program.env.push_back(name + "=" + value);
    for (const auto* list : {&program.argv, &program.env})
        for (const auto& entry : *list)
            if (entry.find('\0') != std::string::npos)
                return invalid("JOB_002", "'" + to_valid_utf8(shown(entry.substr(0, entry.find('\0')))) + "' holds a NUL byte");
    return program;
}

model::Texts Job::environment(const StepFiles& files) const {
    model::Texts env;
    if (spec_.executor == model::ExecutorKind::host) {
        for (char** entry = ::environ; *entry; ++entry) {
            const std::string_view text = *entry;
            const auto equals = text.find('=');
            if (equals != std::string_view::npos && !text.starts_with("CICD_"))
                put(env, std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
        }
    } else {
        env = spec_.root ? image_environment(*spec_.root, has_bash()) : model::Texts{{"HOME", "/home/ci"}, {"USER", "ci"}, {"LOGNAME", "ci"}, {"LANG", "C.UTF-8"},
               {"SHELL", has_bash() ? "/bin/bash" : "/bin/sh"},  // else bash looks the user up
               {"PATH", standard_path}};
    }
    put(env, "CI", "true");
    for (const auto& [name, value] : context_.env()) put(env, name, value);
    for (const auto& [name, value] : standard_variables()) put(env, name, value);
    if (spec_.dialect == model::Dialect::github) add_dialect_variables(env);
    for (const auto& [name, value] : files.variables()) put(env, name, value);
    if (!path_.empty())
        for (auto& [name, value] : env)
            if (name == "PATH") value = join(path_, ":") + ":" + value;
    return env;
}

model::Texts Job::standard_variables() const {
    model::Texts list{{"CICD", "true"},
                      {"CICD_RUN_ID", spec_.run.str()},
                      {"CICD_JOB_ID", spec_.job.str()},
                      {"CICD_JOB", spec_.name},
                      {"CICD_STAGE", spec_.stage},
                      {"CICD_ATTEMPT", std::to_string(spec_.attempt)},
                      {"CICD_WORKSPACE", supervisor_->folders().inner_workspace}};
    struct Source { const char *variable, *context, *member; };
    for (const auto& [variable, context, member] :
         {Source{"CICD_RUN_NUMBER", "run", "number"}, Source{"CICD_PIPELINE", "run", "pipeline"},
          Source{"CICD_EVENT", "run", "event"}, Source{"CICD_COMMIT", "git", "commit"},
          Source{"CICD_COMMIT", "git", "sha"}, Source{"CICD_BRANCH", "git", "branch"}, Source{"CICD_TAG", "git", "tag"}})
        if (const auto& value = context_.spec_value(context, member); !value.is_null() && !value.is_object())
            if (auto text = expr::to_display_text(value); !text.empty()) put(list, variable, std::move(text));
    return list;
}

Job::StepEnd Job::conclude(int index, const ProgramEnd& end) {
    auto& record = exit_.steps[static_cast<std::size_t>(index)];
    record.usage = end.usage;
    StepEnd step{.state = model::StepState::failed};
    const bool signalled = end.kind == ProgramEnd::Kind::ended && WIFSIGNALED(end.status);
    if (end.kind == ProgramEnd::Kind::ended) step.exit_code = signalled ? 128 + WTERMSIG(end.status) : WEXITSTATUS(end.status);
    if (end.stop) {
        const bool cancelled =
            end.stop->reason == model::EndReason::cancelled || end.stop->reason == model::EndReason::superseded;
        if (cancelled) step.state = model::StepState::cancelled;
        step.reason = end.stop->reason;
        step.message = end.stop->message;
        step.forgivable = !supervisor_->stop();
        return step;
    }
    // Of a child, too: make and shells tell the death of what they started by an exit code of their own.
    if (end.oom && (end.kind != ProgramEnd::Kind::ended || *step.exit_code != 0)) {
        supervisor_->note(static_cast<std::uint32_t>(index), *end.oom);
        step.reason = model::EndReason::oom;
        step.message = *end.oom;
        step.forgivable = !supervisor_->gone();
        return step;
    }
    if (end.oom) supervisor_->note(static_cast<std::uint32_t>(index), "the step went on without a process: " + *end.oom);
    if (end.kind != ProgramEnd::Kind::ended) {
        step.reason = model::EndReason::infra;
        step.message = "the job's place broke down";
        step.forgivable = false;
        return step;
    }

    const auto results = read_results(end.files, [this](std::string_view line) { return shown(line); });
    auto said = commands_.collect();
    for (auto& each : said.annotations) {
        for (auto* text : {&each.message, &each.title, &each.file}) *text = shown(*text);
        if (record.annotations.size() < most_annotations) record.annotations.push_back(std::move(each));
    }
    if (results) {
        step.outputs = results->outputs;
        learn(results->env, results->path);
        state_ = results->state;
        if (!results->summary.empty())
            if (auto file = job::open_for_append(paths_.root / "summary.md")) {
                auto text = shown(results->summary);
                iovec piece{text.data(), text.size()};
                (void)job::write_all(file->fd(), std::span(&piece, 1), paths_.root / "summary.md");
            }
    }
    for (const auto& [name, value] : said.outputs) put(step.outputs, name, value);
    for (const auto& [name, value] : said.state) put(state_, name, value);
    learn(said.env, said.path);
    if (signalled) {
        step.message = std::string("killed by signal ") + std::to_string(WTERMSIG(end.status)) + " (" +
                       ::strsignal(WTERMSIG(end.status)) + ")";
        step.reason = model::EndReason::signal;
        return step;
    }
    if (*step.exit_code != 0) {
        step.message = "exit code " + std::to_string(*step.exit_code);
        return step;
    }
    const auto fault = !results ? std::optional(results.error().message) : said.fault;
    if (fault) {
        supervisor_->note(static_cast<std::uint32_t>(index), *fault);
        step.exit_code = 1;
        step.message = *fault;
        step.outputs.clear();
        return step;
    }
    step.state = model::StepState::success;
    return step;
}

void Job::end_step(int index, model::StepState state, std::optional<model::EndReason> reason, std::string message,
                   bool may_fail, const model::Texts& outputs) {
    auto& record = exit_.steps[static_cast<std::size_t>(index)];
    record.state = state;
    record.end_reason = reason;
    record.message = shown(message);
    if (record.start_time) record.end_time = now();
    const bool forgiven = may_fail && state == model::StepState::failed;
    if (forgiven) record.message += "; the job goes on (continueOnError)";
    journal({.type = model::JournalType::step_ended, .step = index, .name = record.name, .state = state,
             .exit_code = record.exit_code, .end_reason = reason, .message = record.message, .usage = record.usage});
    context_.set_steps(record.id, outputs, word(state), forgiven ? "success" : word(state));
    if (state != model::StepState::failed || forgiven || context_.status() != JobStatus::success) return;
    context_.set_status(JobStatus::failure);
    exit_.exit_code = record.exit_code;
    exit_.end_reason = reason;
    exit_.message = "step '" + record.name + "': " + record.message;
}

void Job::judge() {
    const auto& stop = supervisor_->stop();
    if (stop && exit_.state != model::JobState::failed) {
        const bool cancelled = stop->reason == model::EndReason::cancelled || stop->reason == model::EndReason::superseded;
        exit_.state = cancelled ? model::JobState::cancelled : model::JobState::failed;
        exit_.end_reason = stop->reason;
        exit_.message = stop->message;
        return;
    }
    if (context_.status() == JobStatus::failure) exit_.state = model::JobState::failed;
    if (exit_.state != model::JobState::success) return;
    exit_.exit_code = 0;
    exit_.end_reason = model::EndReason::exit;
}

void Job::evaluate_outputs() {
    Object outputs;
    for (const auto& [name, text] : spec_.outputs) {
        auto value = context_.text(text);
        if (value && masking_ && masking_->would_hide(*value)) {
            supervisor_->note(0, "output '" + name + "' holds a secret: it is left out");
            continue;
        }
        if (value) {
            outputs.set(name, std::move(*value));
            continue;
        }
        if (exit_.state != model::JobState::success) continue;
        exit_.state = model::JobState::failed;
        exit_.exit_code = 1;
        exit_.message = shown("output '" + name + "': " + value.error().message);
    }
    exit_.outputs = std::move(outputs);
}

void Job::journal(model::JournalEntry entry) {
    entry.time = now();
    (void)journal_.append(entry);
}

bool Job::has_bash() const {
    if (!spec_.root) return ::access("/bin/bash", X_OK) == 0 || ::access("/usr/bin/bash", X_OK) == 0;
    if (!image_has_bash_) {
        const os::Fd root(::open(spec_.root->path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        image_has_bash_ = os::open_in_root(root.get(), "bin/bash", O_PATH) || os::open_in_root(root.get(), "usr/bin/bash", O_PATH);
    }
    return *image_has_bash_;
}

namespace {

Result<Object> read_secrets(int fd) {
    if (fd < 0) return Object();
    const os::Fd pipe(fd);
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t n = ::read(pipe.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("cannot read the secrets");
        if (n == 0) break;
        text.append(buffer, static_cast<std::size_t>(n));
    }
    return job::read_secrets(text);
}

/// A core file would hold them. Only this process is meant: what runs the steps was started before.
void leave_no_core() {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &limit);
}

model::JobExit could_not_start(const Error& error) {
    model::JobExit exit;
    exit.state = model::JobState::failed;
    exit.end_reason = model::EndReason::infra;
    exit.message = error.message;
    exit.start_time = exit.end_time = now();
    exit.outputs = Object();
    return exit;
}

/// Waits at the gate for what comes through it; an empty packet where the job is not wanted.
os::Packet wait_at(int gate_fd) {
    const os::Fd gate(gate_fd);
    auto order = os::receive_packet(gate.get(), 1);
    return order ? std::move(*order) : os::Packet{};
}

/// Nobody may know of the job any more, so what was made for it goes with us.
void leave(const job::Paths& paths) {
    for (const auto& folder : {paths.workspace(), host_files(paths.root)})
        (void)os::remove_all(folder);
    (void)::unlink(paths.pid().c_str());
}

int complain(const Error& error) {
    const auto text = "cicd-runner: " + error.message + "\n";
    (void)!::write(2, text.data(), text.size());
    return error.kind == ErrorKind::conflict ? 7 : 3;
}

void begin_process() {
    // Signals wait until somebody looks: none may end this process while the job directory is half written.
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::sigaddset(&blocked, number);
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    ::setsid();
    ::umask(022);
}

/// A place that was made before anything was known of its job.
struct SparePlace {
    Limits limits;
    Result<Place> place;
    os::Enclosure::Entry workspace;
};

/// Nothing where it does not fit: then it is gone.
std::optional<Job::Made> settle(SparePlace spare, const job::Paths& paths, const model::JobSpec& spec) {
    const auto fits = spare.place ? spare.place->settle(spare.workspace, spec, paths.root) : Result<bool>(false);
    if (!fits || !*fits) return std::nullopt;
    auto log = job::LogWriter::open(paths);
    if (!log) return std::nullopt;
    return Job::Made{Output(std::move(*log)), std::move(spare.limits), std::move(spare.place)};
}

/// Whoever held the job back is gone without having let it go on: the next one may be making it anew by now, so nothing of
/// it is touched.
bool is_abandoned(int gate_fd) {
    char order = 0;
    return gate_fd >= 0 && ::recv(gate_fd, &order, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/// `spare`: what there is already of its place.
int carry_out(const job::Paths& paths, int secrets_fd, int gate_fd, std::optional<SparePlace> spare) {
    if (gate_fd >= 0) ::fcntl(gate_fd, F_SETFD, FD_CLOEXEC);
    if (is_abandoned(gate_fd)) return 0;
    const auto lock = job::RunnerLock::take(paths);
    if (!lock) return complain(lock.error());
    if (is_abandoned(gate_fd)) {
        (void)::unlink(paths.pid().c_str());
        return 0;
    }
    auto secrets = read_secrets(secrets_fd);
    auto spec = job::read_spec(paths);
    auto journal = job::JournalWriter::open(paths);
    std::optional<Result<Job::Made>> made;
    if (spec && journal) {
        if (spare)
            if (auto fitting = settle(std::move(*spare), paths, *spec)) made.emplace(std::move(*fitting));
        spare.reset();
        if (!made) made.emplace(Job::make_place(paths, *spec));
    }
    if (gate_fd >= 0) {
        auto order = wait_at(gate_fd);
        if (order.data.empty()) {
            made.reset();  // the place goes before its files
            leave(paths);
            return 0;
        }
        if (spec && order.data[0] == job::gate_open_anew) spec = job::read_spec(paths);
        if (!order.fds.empty()) secrets = read_secrets(order.fds.front().release());
    }
    if (secrets && !secrets->empty()) leave_no_core();
    if (secrets && spec && !spec->secrets.empty() && secrets->empty())
        spec = unavailable("JOB_003", "the secrets of the job did not come");
    if (!secrets) spec = secrets.error();
    if (spec && !journal) spec = journal.error();
    std::optional<Job> job;
    if (spec) job.emplace(paths, std::move(*spec), std::move(*journal), std::move(*secrets), std::move(*made));
    auto exit = job ? job->run() : could_not_start(spec.error());
    // No process of the job is left: what else there is of its place is taken down after its end was told.
    auto written = job::write_exit(paths, exit);
    if (!written) {
        // On a full disk the workspace makes room; nobody needs it any more.
        (void)os::remove_all(paths.workspace());
        written = job::write_exit(paths, exit);
    }
    job.reset();
    return written ? 0 : complain(written.error());
}

/// From now on what is said here is found beside the job.
void speak_in(const job::Paths& paths) {
    const os::Fd log(::open((paths.root / "runner.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    for (const int standard : {1, 2})
        if (log) ::dup2(log.get(), standard);
}

}  // namespace

int run_job(const std::string& directory, int secrets_fd, int gate_fd) {
    begin_process();
    std::error_code ignored;
    return carry_out({std::filesystem::absolute(directory, ignored)}, secrets_fd, gate_fd, std::nullopt);
}

int run_spare(const std::string& cache, int gate_fd) {
    begin_process();
    ::fcntl(gate_fd, F_SETFD, FD_CLOEXEC);
    model::JobSpec unknown;
    unknown.job = JobId("spare-" + std::to_string(::getpid()));
    auto limits = Limits::open(unknown);
    auto place = Place::await(cache, limits, gate_fd);
    const auto order = os::receive_packet(gate_fd, os::largest_later);
    if (!order || order->data.empty()) return 0;  // nobody wants it any more
    std::string_view rest = order->data;
    const auto workspace = os::unpack_later(rest, sandbox_workspace);
    const auto directory = job::directory_of_order(rest);
    if (!workspace || !directory) return complain(internal_error("the order for the spare cannot be understood"));
    const job::Paths paths{*directory};
    speak_in(paths);
    if (!place) return carry_out(paths, -1, gate_fd, std::nullopt);  // it is made as if there had been no spare
    SparePlace made{std::move(limits), std::move(place), *workspace};
    return carry_out(paths, -1, gate_fd, std::move(made));
}

}  // namespace cicd::runner
