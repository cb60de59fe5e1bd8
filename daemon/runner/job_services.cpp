#include "common/base/text.hpp"
#include "daemon/runner/environment.hpp"
#include "daemon/runner/job.hpp"
#include "daemon/runner/registry_login.hpp"
#include "daemon/runner/sandbox.hpp"

/// A job's services: what is evaluated of them, and what is told.
namespace cicd::runner {
namespace {

std::vector<std::string> lines(const model::Texts& env) {
    std::vector<std::string> list;
    for (const auto& [name, value] : env) list.push_back(name + "=" + value);
    return list;
}

bool is_for_a_shell(const model::Strings& command) {
    return command.size() == 1 && command.front().find_first_of(" \t\n;&|<>$'\"`\\*?(){}") != std::string::npos;
}

Result<void> refuse_nul(const Program& program) {
    for (const auto* list : {&program.argv, &program.env})
        for (const auto& text : *list)
            if (text.find('\0') != std::string::npos) return invalid("JOB_002", "a command or variable holds a NUL byte");
    return {};
}

}  // namespace

Result<void> Job::start_services() {
    std::vector<ServiceProgram> programs;
    for (const auto& service : spec_.services) {
        auto made = program(service, static_cast<std::uint32_t>(spec_.steps.size() + programs.size()));
        if (!made) {
            auto error = std::move(made.error()).within("service '" + service.service.name + "'");
            supervisor_->note(0, error.message);
            return error;
        }
        programs.push_back(std::move(*made));
    }
    return supervisor_->start_services(std::move(programs), made_->network ? &*made_->network : nullptr, [this](const Services::Told& told) { take(told); });
}

/// As an image's maker meant it: the entrypoint, and behind it the command, of the pipeline or the image. A text for a shell
/// takes the place of both.
Result<ServiceProgram> Job::program(const model::JobService& job_service, std::uint32_t step) {
    const auto& service = job_service.service;
    ServiceProgram made{.step = step, .service = &job_service, .main = {}, .ready = {}};
    model::Strings command;
    for (const auto& text : service.command) {
        CICD_TRY(auto word, context_.text(text));
        command.push_back(std::move(word));
    }
    auto& argv = made.main.argv;
    made.is_whole = true;
    if (!service.entrypoint.empty()) {
        for (const auto& text : service.entrypoint) {
            CICD_TRY(auto word, context_.text(text));
            argv.push_back(std::move(word));
        }
        argv.insert(argv.end(), command.begin(), command.end());
    } else if (is_for_a_shell(command)) {
        argv = {"sh", "-c", command.front()};
    } else if (is_container()) {
        made.is_whole = service.image.empty();
        argv = std::move(command);
    } else {
        argv = job_service.entrypoint;
        const auto& rest = command.empty() ? job_service.command : command;
        argv.insert(argv.end(), rest.begin(), rest.end());
    }
    if (argv.empty() && made.is_whole) return invalid("JOB_002", "neither the image nor the pipeline says what is to be run", "give the service a command");
    auto env = is_container() ? model::Texts() : base_environment(job_service.root, runner::has_bash(job_service.root));
    for (const auto& [name, value] : service.env) {
        CICD_TRY(auto text, context_.text(value));
        put(env, name, std::move(text));
    }
    made.main.env = lines(env);
    if (is_container()) made.main.cwd = service.image.empty() ? job::container_workspace : "";
    else made.main.cwd = !job_service.root ? sandbox_workspace : job_service.working_directory.empty() ? "/" : job_service.working_directory;
    if (!service.working_directory.empty()) {
        CICD_TRY(made.main.cwd, context_.text(service.working_directory));
    }
    if (is_container()) {
        CICD_TRY(made.login, registry_login("", service.options, context_, *masking_));
    }
    CICD_CHECK(refuse_nul(made.main));
    if (service.ready_timeout) made.ready_timeout = *service.ready_timeout;
    if (service.ready.empty()) return made;
    CICD_TRY(auto check, context_.text(service.ready));
    made.ready = Program{.argv = {"sh", "-c", std::move(check)}, .env = made.main.env, .cwd = made.main.cwd, .files = {}};
    CICD_CHECK(refuse_nul(*made.ready));
    return made;
}

void Job::take(const Services::Told& told) {
    auto& record = exit_.steps[told.step];
    const auto now = SystemClock().now();
    record.state = told.state;
    record.message = shown(told.message);
    if (told.state == model::StepState::running) {
        record.start_time = now;
        return journal({.type = model::JournalType::step_started, .step = record.index, .name = record.name});
    }
    record.exit_code = told.exit_code;
    if (told.state == model::StepState::failed) record.end_reason = model::EndReason::infra;
    if (told.state == model::StepState::success) record.end_reason = model::EndReason::exit;
    if (record.start_time) record.end_time = now;
    journal({.type = model::JournalType::step_ended, .step = record.index, .name = record.name, .state = record.state,
             .exit_code = record.exit_code, .end_reason = record.end_reason, .message = record.message});
}

}  // namespace cicd::runner
