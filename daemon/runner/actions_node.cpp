#include "common/base/text.hpp"
#include "daemon/runner/job.hpp"

#include <algorithm>

/// Actions of JavaScript, with the Node that the job's place has.
namespace cicd::runner {
namespace {

namespace github = pipeline::github;

/// As the toolkit looks for it: upper case, spaces as `_`, everything else as it is.
std::string input_variable(const std::string& name) {
    std::string variable = "INPUT_";
    for (const char c : name)
        variable += c == ' ' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return variable;
}

}  // namespace

Job::StepEnd Job::run_node(int index, const std::string& file, const std::string& path, const ActionInputs& inputs,
                           model::Texts& state, const std::optional<Milliseconds>& timeout) {
    const bool on_host = spec_.executor == model::ExecutorKind::host;
    const StepFiles files(supervisor_->folders().inner_files, 100'000 + serial_++, on_host ? 0700 : 0755, true);
    Program program;
    program.argv = {"node", path + "/" + file};
    program.cwd = supervisor_->folders().inner_workspace;
    files.add_to(program);
    if (!event_file_.empty()) program.files.push_back({.path = event_path(), .text = std::exchange(event_file_, {})});
    auto env = environment(files);
    for (const auto& [name, value] : inputs) put(env, input_variable(name), value);
    for (const auto& [name, value] : state) put(env, "STATE_" + name, value);
    put(env, "GITHUB_ACTION_PATH", path);
    for (const auto& [name, value] : env) {
        if (name.find('\0') != std::string::npos || value.find('\0') != std::string::npos)
            return failure(index, invalid("JOB_002", "an input of the action holds a NUL byte"), model::EndReason::exit);
        program.env.push_back(name + "=" + value);
    }
    auto end = run_program(index, program, timeout);
    if (end.exit_code == 127 && end.message.find("'node'") != std::string::npos)
        end.message = "the action needs Node.js, which this machine does not have in PATH";
    for (const auto& [name, value] : state_) put(state, name, value);
    return end;
}

Job::StepEnd Job::javascript(int index, const github::Action& action, const std::string& path, const ActionInputs& inputs,
                             const std::optional<Milliseconds>& timeout) {
    model::Texts state;
    StepEnd end;
    if (!action.pre.empty()) {
        end = run_node(index, action.pre, path, inputs, state, timeout);
        if (end.state != model::StepState::success) return end;
    }
    if (action.main.empty())
        return failure(index, invalid("JOB_002", "the action at " + path + " names no 'main'"), model::EndReason::exit);
    end = run_node(index, action.main, path, inputs, state, timeout);
    if (!action.post.empty())
        later_.push_back({index, action.post, path, action.post_if.empty() ? "always()" : action.post_if, inputs, state, context_.env()});
    return end;
}

/// The last begun is the first to be ended.
void Job::run_later() {
    for (auto it = later_.rbegin(); it != later_.rend(); ++it) {
        supervisor_->look();
        if (supervisor_->gone()) return;
        const Context before = context_;
        context_.set_env(it->env);
        const auto condition = context_.condition(it->condition);
        if (condition && condition->holds) {
            supervisor_->note(static_cast<std::uint32_t>(it->index), "Post " + exit_.steps[static_cast<std::size_t>(it->index)].name);
            auto state = it->state;
            const auto end = run_node(it->index, it->file, it->path, it->inputs, state, std::nullopt);
            context_ = before;
            if (end.state == model::StepState::failed && context_.status() == JobStatus::success) {
                context_.set_status(JobStatus::failure);
                exit_.exit_code = end.exit_code;
                exit_.end_reason = end.reason;
                exit_.message = "after step '" + exit_.steps[static_cast<std::size_t>(it->index)].name + "': " + shown(end.message);
            }
        }
        context_ = before;
    }
}

}  // namespace cicd::runner
