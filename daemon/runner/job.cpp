#include "daemon/runner/job.hpp"

#include "common/base/text.hpp"
#include "daemon/os/files.hpp"
#include "daemon/runner/registry_login.hpp"
#include "daemon/runner/sandbox.hpp"
#include "daemon/runner/writable.hpp"

#include <unistd.h>

#include <algorithm>

namespace cicd::runner {
namespace {

Timestamp now() { return SystemClock().now(); }

std::string title_of_control(const model::Step& step) {
    switch (step.control) {
        case model::StepControl::none: break;
        case model::StepControl::wait: return step.parallel > 0 ? "parallel" : "wait: " + join(step.targets, ", ");
        case model::StepControl::wait_all: return "wait for all";
        case model::StepControl::cancel: return "cancel: " + join(step.targets, ", ");
    }
    return "";
}

std::string title_of(const model::Step& step) {
    if (!step.name.empty()) return step.name;
    if (!step.uses.empty()) return step.uses;
    if (step.control != model::StepControl::none) return title_of_control(step);
    const auto text = trim(step.run);
    return std::string(text.substr(0, std::min<std::size_t>(text.find('\n'), 120)));
}

/// Before anything of them could be told.
std::shared_ptr<Masking> mask_of(const Object& secrets, const Result<Job::Made>& made) {
    if (!made) return nullptr;
    const auto& masking = made->output.masking();
    for (const auto& [name, value] : secrets) masking->hide(value.as_string());
    return masking;
}

}  // namespace

Job::Job(job::Paths paths, model::JobSpec spec, job::JournalWriter journal, Object secrets, Result<Made> made, MakePerformer make)
    : paths_(std::move(paths)), spec_(std::move(spec)), journal_(std::move(journal)),
      masking_(mask_of(secrets, made)),
      local_{.context = Context(spec_, std::move(secrets),
                                [this] { return supervisor_ ? supervisor_->workspace() : std::filesystem::path(spec_.workspace); })},
      made_(std::move(made)), performer_(make(*this)) {
    exit_.outputs = Object();
    for (std::size_t i = 0; i < spec_.steps.size(); ++i) {
        model::StepRun step;
        step.index = static_cast<int>(i);
        step.id = spec_.steps[i].id;
        step.name = title_of(spec_.steps[i]);
        exit_.steps.push_back(std::move(step));
    }
    for (const auto& each : spec_.services) exit_.steps.push_back(model::service_step(each.service, static_cast<int>(exit_.steps.size())));
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
        finish_background();
        if (performer_) performer_->finish();
    }
    if (supervisor_) {
        exit_.usage = supervisor_->finish();
        judge();
        evaluate_outputs();
        if (keeping_) keep();
        // Scripts hold what their expressions gave, secrets too.
        if (spec_.executor == model::ExecutorKind::host || spec_.real_workspace) (void)os::remove_all(host_files(paths_.root));
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
    CICD_TRY(auto log, spec.root || !spec.services.empty() ? job::LogWriter::reopen(paths) : job::LogWriter::open(paths));
    auto limits = spec.executor == model::ExecutorKind::container ? Limits::of_engine(spec) : Limits::open(spec);
    std::optional<Network> network;
    const bool by_engine = spec.executor == model::ExecutorKind::container;
    if (!spec.services.empty() && by_engine)
        if (const auto written = write_hosts(paths.root, hosts_of(spec)); !written)
            return Made{Output(std::move(log)), std::move(limits), std::nullopt, written.error()};
    if (!spec.services.empty() && !by_engine) {
        auto opened = Network::open(spec);
        if (!opened) return Made{Output(std::move(log)), std::move(limits), std::nullopt, opened.error()};
        network.emplace(std::move(*opened));
    }
    auto place = Place::open(spec, paths.root, limits, network ? &*network : nullptr);
    return Made{Output(std::move(log)), std::move(limits), std::move(network), std::move(place)};
}

Result<void> Job::prepare() {
    if (!made_) return made_.error();
    auto& [output, limits, network, place] = *made_;
    if (!limits.weakness().empty()) output.system_line(0, limits.weakness());
    if (network && !network->weakness().empty())
        output.system_line(0, "the job and its services reach only each other: " + network->weakness());
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
    masking_->obey_with([this](std::uint32_t step, std::string_view line) {
        auto shown = commands_[step].take(line);
        for (const auto& order : commands_[step].take_matcher_orders()) obey(step, order);
        return shown;
    });
    if (performer_) performer_->complete_contexts();
    else tell_workspace();
    for (const auto& layer : spec_.env)
        if (auto added = context_.add_env(layer); !added) {
            supervisor_->note(0, added.error().message);
            return invalid(added.error().code, added.error().message);
        }
    if (is_container()) CICD_CHECK(begin_container());
    if (!spec_.services.empty() && !is_container()) CICD_CHECK(start_services());
    CICD_CHECK(put_back());
    if (is_container()) {
        CICD_CHECK(supervisor_->open_workspace());
        if (!spec_.services.empty()) CICD_CHECK(start_services());
    }
    if (const auto owner = supervisor_->folders().owner; keeping_ && owner != 0) {
        give_to(owner, supervisor_->workspace());
        give_to(owner, supervisor_->workspace() / "../root");
    }
    if (!spec_.services.empty() && !supervisor_->await_services())
        return unavailable("JOB_003", "the job was ended before its services were ready");
    return {};
}

/// Variables of the job may name its folder.
void Job::tell_workspace() {
    const auto runner = context_.context("runner");
    Object about = runner.is_object() ? runner.as_object() : Object{};
    about.set("workspace", supervisor_->folders().inner_workspace);
    context_.set_context("runner", Value(std::move(about)));
}

Result<void> Job::put_back() {
    if (performer_) return performer_->prepare();
    if (!Keeping::is_needed(spec_)) return {};
    keeping_.emplace(spec_, context_, *supervisor_);
    auto put_back = keeping_->put_back();
    if (!put_back) supervisor_->note(0, put_back.error().message);
    return put_back;
}

Result<void> Job::begin_container() {
    std::string login;
    if (spec_.image) {
        CICD_TRY(login, registry_login(spec_.image->credentials, spec_.image->options, context_, *masking_));
    }
    auto begun = supervisor_->begin(login);
    if (!begun) supervisor_->note(0, begun.error().message);
    // It says what shell there is, and what steps inherit; why it was never there is said by what ended the job.
    if (begun && !supervisor_->await_place()) return unavailable("JOB_003", "the container was never there");
    return begun;
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

}  // namespace cicd::runner
