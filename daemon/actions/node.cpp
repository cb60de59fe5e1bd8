#include "common/base/text.hpp"
#include "daemon/actions/actions.hpp"

#include <algorithm>

/// Actions of JavaScript, with the Node that the job's place has.
namespace cicd::actions {

std::string input_variable(const std::string& name) {
    std::string variable = "INPUT_";
    for (const char c : name)
        variable += c == ' ' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return variable;
}

StepEnd Actions::run_node(int index, const std::string& file, const Where& where, const Inputs& inputs,
                          model::Texts& state, const std::optional<Milliseconds>& timeout) {
    runner::StepProgram command{.argv = {"node", where.path + "/" + file}, .timeout = timeout};
    for (const auto& [name, value] : inputs) put(command.env, input_variable(name), value);
    for (const auto& [name, value] : state) put(command.env, "STATE_" + name, value);
    put(command.env, "GITHUB_ACTION_PATH", where.path);
    put(command.env, "GITHUB_ACTION_REPOSITORY", where.fetched ? where.fetched->name : "");
    put(command.env, "GITHUB_ACTION_REF", where.fetched ? where.fetched->ref : "");
    // The toolkit keeps artifacts for no server but GitHub's own, by this name: who uses it may say that it is.
    for (const auto& [name, value] : context_.env())
        if (name == "GITHUB_SERVER_URL") put(command.env, name, value);
    results_.add_variables(index, command.env);
    auto end = job_.run(index, command);
    results_.collect();
    if (end.exit_code == 127 && end.message.find("'node'") != std::string::npos)
        end.message = "the action needs Node.js, which this machine does not have in PATH";
    for (const auto& [name, value] : end.saved) put(state, name, value);
    return end;
}

StepEnd Actions::javascript(int index, const Action& action, const Where& where, const Inputs& inputs,
                             const std::optional<Milliseconds>& timeout) {
    model::Texts state;
    StepEnd end;
    if (!action.pre.empty()) {
        end = run_node(index, action.pre, where, inputs, state, timeout);
        if (end.state != model::StepState::success) return end;
    }
    if (action.main.empty())
        return job_.failure(index, invalid("JOB_002", "the action at " + where.path + " names no 'main'"));
    end = run_node(index, action.main, where, inputs, state, timeout);
    if (!action.post.empty())
        later_.push_back({index, action.post_if.empty() ? "always()" : action.post_if, context_.env(),
                          [this, index, file = action.post, where, inputs, state]() mutable { return run_node(index, file, where, inputs, state, std::nullopt); }});
    return end;
}

/// The last begun is the first to be ended.
void Actions::finish() {
    for (auto it = later_.rbegin(); it != later_.rend(); ++it) {
        if (!job_.goes_on()) break;
        const Context before = context_;
        context_.set_env(it->env);
        const auto condition = context_.condition(it->condition);
        if (condition && condition->holds) {
            job_.note(it->step, "Post " + job_.title(it->step));
            const auto end = it->run();
            context_ = before;
            if (end.state == model::StepState::failed) job_.fail_late(it->step, end);
        } else {
            context_ = before;
        }
    }
    results_.end();
}

}  // namespace cicd::actions
