#include "common/base/text.hpp"
#include "daemon/runner/environment.hpp"
#include "daemon/runner/job.hpp"
#include "daemon/runner/shell.hpp"

#include <unistd.h>

/// A step's program: its script, its folder and its variables.
namespace cicd::runner {

Result<Program> Job::program(const model::Step& step, const StepFiles& files, bool inner) {
    static const std::string none;
    const bool own = !inner;  // the job's defaults are not for what is within a step
    const auto& shell = step.shell.empty() && own ? spec_.shell : step.shell;
    CICD_TRY(auto text, context_.text(step.run));
    CICD_TRY(const auto shell_text, context_.text(shell));
    Program program;
    const auto suffix = script_suffix(shell_text);
    files.add_to(program, suffix, std::move(text));
    CICD_TRY(program.argv, shell_command(shell_text, files.path(suffix), has_bash()));
    CICD_TRY(const auto folder,
             context_.text(!step.working_directory.empty() ? step.working_directory : own ? spec_.working_directory : none));
    program.cwd = (std::filesystem::path(supervisor_->folders().inner_workspace) / folder).string();
    CICD_CHECK(complete_program(program, environment(files, shell_text)));
    return program;
}

Result<void> Job::complete_program(Program& program, const model::Texts& variables) {
    if (performer_) performer_->add_files(program);
    for (const auto& [name, value] : variables) program.env.push_back(name + "=" + value);
    for (const auto* list : {&program.argv, &program.env})
        for (const auto& entry : *list)
            if (entry.find('\0') != std::string::npos)
                return invalid("JOB_002", "'" + to_valid_utf8(shown(entry.substr(0, entry.find('\0')))) + "' holds a NUL byte");
    return {};
}

model::Texts Job::environment(const StepFiles& files, std::string_view shell) const {
    model::Texts env;
    if (spec_.executor == model::ExecutorKind::host) {
        for (char** entry = ::environ; *entry; ++entry) {
            const std::string_view text = *entry;
            const auto equals = text.find('=');
            if (equals != std::string_view::npos && !text.starts_with("CICD_"))
                put(env, std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
        }
    } else {
        env = is_container() ? container_environment(supervisor_->inside()) : base_environment(spec_.root, has_bash(), spec_.system == model::SystemMode::writable);
    }
    add_environment(env, files, shell);
    if (!local_.path.empty())
        for (auto& [name, value] : env)
            if (name == "PATH") value = join(local_.path, ":") + ":" + value;
    return env;
}

void Job::add_environment(model::Texts& env, const StepFiles& files, std::string_view shell) const {
    put(env, "CI", "true");
    for (const auto& [name, value] : context_.env()) put(env, name, value);
    for (const auto& [name, value] : standard_variables()) put(env, name, value);
    if (performer_) performer_->add_variables(env, shell);
    for (const auto& [name, value] : files.variables()) put(env, name, value);
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

bool Job::has_bash() const {
    if (is_container()) return supervisor_->inside().has_bash;
    if (!has_bash_) has_bash_ = runner::has_bash(spec_.root);
    return *has_bash_;
}

}  // namespace cicd::runner
