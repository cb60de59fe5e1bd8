#include "common/base/text.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/runner/build_request.hpp"
#include "daemon/runner/job.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

/// One step after the other: whether it runs, what it does, and what became of it.
namespace cicd::runner {
namespace {

Timestamp now() { return SystemClock().now(); }

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

}  // namespace

Result<os::Fd> Job::open_workspace() {
    if (!supervisor_->await_place()) return unavailable("JOB_003", "the job's place was never there");
    os::Fd workspace(::open(supervisor_->workspace().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!workspace) return os::last_error("cannot enter the workspace");
    return workspace;
}

Keeping& Job::keeping() {
    if (!keeping_) keeping_.emplace(spec_, context_, *supervisor_);
    return *keeping_;
}

bool Job::goes_on() {
    supervisor_->look();
    if (supervisor_->stop_of(static_cast<std::uint32_t>(local_.step)) && context_.status() != JobStatus::cancelled)
        context_.set_status(JobStatus::cancelled);
    return !supervisor_->gone();
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
    local_.step = index;
    (void)goes_on();
    if (step.control != model::StepControl::none) return control_step(index);

    const Context before = context_;
    const auto env = context_.add_env(step.env);
    if (auto why = skipped(step)) {
        context_ = before;
        return end_step(index, {.state = model::StepState::skipped, .reason = std::nullopt, .message = std::move(*why)}, false);
    }
    // A title taken from the script stays as it is written: it is no place for values.
    if (auto name = context_.text(step.name); name && !name->empty()) exit_.steps[static_cast<std::size_t>(index)].name = shown(*name);
    const auto condition = context_.condition(step.condition);
    const auto may_fail = context_.truth(step.continue_on_error);
    const bool is_sound = env && condition && may_fail;
    if (is_sound && step.background) return send_off(index, before, *may_fail);
    begin_step(index);
    if (!is_sound) {
        const auto end = failure(index, !env ? env.error() : !condition ? condition.error() : may_fail.error());
        context_ = before;
        return end_step(index, end, false);
    }
    const auto end = perform(index, step, before, false);
    end_step(index, end, *may_fail && end.forgivable);
}

void Job::begin_step(int index) {
    auto& record = exit_.steps[static_cast<std::size_t>(index)];
    record.start_time = now();
    record.state = model::StepState::running;
    journal({.type = model::JournalType::step_started, .step = index, .name = record.name});
}

StepEnd Job::failure(int index, const Error& error, model::EndReason reason) {
    supervisor_->note(static_cast<std::uint32_t>(index), error.message);
    return {.state = model::StepState::failed, .reason = reason, .message = error.message, .exit_code = 1,
            .forgivable = performer_ && reason == model::EndReason::exit};
}

std::optional<Milliseconds> Job::timeout_of(const model::Step& step) const {
    if (step.timeout_minutes.empty()) return step.timeout;
    const auto minutes = context_.text(step.timeout_minutes);
    const double number = minutes ? std::strtod(minutes->c_str(), nullptr) : 0;
    if (!(number > 0)) return step.timeout;
    return Milliseconds(static_cast<std::int64_t>(std::min(number, 1e6) * 60'000));
}

StepEnd Job::perform(int index, const model::Step& step, const Context& before, bool inner) {
    if (step.uses == "build/docker") {
        const auto request = build_request(step, spec_, context_);
        context_ = before;
        return request ? build_image(index, *request) : failure(index, request.error(), model::EndReason::exit);
    }
    if (!step.uses.empty()) {
        const auto known = local_.learned.size();
        auto end = performer_ ? performer_->use(index, step)
                              : failure(index, unavailable("JOB_003", "'uses: " + step.uses + "' is not available yet"), model::EndReason::infra);
        context_ = before;
        context_.set_env(model::Texts(local_.learned.begin() + static_cast<std::ptrdiff_t>(known), local_.learned.end()));
        return end;
    }
    const auto made = program(step, files_of(inner ? inner_files + serial_++ : index), inner);
    const auto timeout = timeout_of(step);
    context_ = before;
    if (!made) return failure(index, made.error(), model::EndReason::exit);
    return run_program(index, *made, timeout);
}

StepEnd Job::run(int index, const StepProgram& asked) {
    const auto files = files_of(inner_files + serial_++, true);
    Program program;
    program.argv = asked.argv;
    program.cwd = supervisor_->folders().inner_workspace;
    files.add_to(program);
    auto variables = environment(files, {});
    for (const auto& [name, value] : asked.env) put(variables, name, value);
    if (const auto complete = complete_program(program, variables); !complete) return failure(index, complete.error());
    return run_program(index, program, asked.timeout);
}

StepEnd Job::run_program(int index, const Program& program, const std::optional<Milliseconds>& timeout) {
    commands_[static_cast<std::uint32_t>(index)].begin(std::find(program.env.begin(), program.env.end(), "ACTIONS_ALLOW_UNSECURE_COMMANDS=true") != program.env.end());
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
    local_.learned.insert(local_.learned.end(), env.begin(), env.end());
    local_.path.insert(local_.path.begin(), path.rbegin(), path.rend());
}

StepEnd Job::conclude(int index, const ProgramEnd& end) {
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
    auto said = commands_[static_cast<std::uint32_t>(index)].collect();
    for (auto& each : said.annotations) {
        for (auto* text : {&each.message, &each.title, &each.file}) *text = shown(*text);
        if (record.annotations.size() < most_annotations) record.annotations.push_back(std::move(each));
    }
    if (results) {
        step.outputs = results->outputs;
        learn(results->env, results->path);
        step.saved = results->state;
        if (!results->summary.empty())
            if (auto file = job::open_for_append(paths_.root / "summary.md")) {
                auto text = shown(results->summary);
                iovec piece{text.data(), text.size()};
                (void)job::write_all(file->fd(), std::span(&piece, 1), paths_.root / "summary.md");
            }
    }
    for (const auto& [name, value] : said.outputs) put(step.outputs, name, value);
    for (const auto& [name, value] : said.state) put(step.saved, name, value);
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

void Job::end_step(int index, const StepEnd& end, bool may_fail) {
    const bool forgiven = may_fail && end.state == model::StepState::failed;
    tell_end(index, end, forgiven);
    count_end(index, end, forgiven);
}

void Job::tell_end(int index, const StepEnd& end, bool forgiven) {
    auto& record = exit_.steps[static_cast<std::size_t>(index)];
    record.state = end.state;
    record.exit_code = end.exit_code;
    record.end_reason = end.reason;
    record.message = shown(end.message);
    if (record.start_time) record.end_time = now();
    if (forgiven) record.message += "; the job goes on (continueOnError)";
    journal({.type = model::JournalType::step_ended, .step = index, .name = record.name, .state = end.state,
             .exit_code = record.exit_code, .end_reason = end.reason, .message = record.message, .usage = record.usage});
}

void Job::count_end(int index, const StepEnd& end, bool forgiven) {
    const auto& record = exit_.steps[static_cast<std::size_t>(index)];
    context_.set_steps(record.id, end.outputs, word(end.state), forgiven ? "success" : word(end.state));
    if (end.state != model::StepState::failed || forgiven || context_.status() != JobStatus::success) return;
    context_.set_status(JobStatus::failure);
    exit_.exit_code = record.exit_code;
    exit_.end_reason = end.reason;
    exit_.message = "step '" + record.name + "': " + record.message;
}

void Job::fail_late(int index, const StepEnd& end) {
    if (context_.status() != JobStatus::success) return;
    context_.set_status(JobStatus::failure);
    exit_.exit_code = end.exit_code;
    exit_.end_reason = end.reason;
    exit_.message = "after step '" + title(index) + "': " + shown(end.message);
}

}  // namespace cicd::runner
