#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "daemon/os/inner_path.hpp"
#include "daemon/runner/job.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

/// Steps with `uses`: an action is read when its turn comes, as what it is may have been made by a step before.
namespace cicd::runner {
namespace {

namespace github = pipeline::github;

constexpr int deepest = 10;
constexpr std::size_t largest_action = 1 << 20;

Error no_action(const std::string& path) {
    return invalid("JOB_002", "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '" + path +
                                  "'. Did you forget to run actions/checkout before running your local action?");
}

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (c == ' ') c = '_';
    }
    return text;
}

/// The job's id, without its stage and its matrix.
std::string id_of(const std::string& key) {
    const auto dot = key.find('.');
    const auto bare = dot == key.npos ? key : key.substr(dot + 1);
    return bare.substr(0, bare.find(" ("));
}

Object as_object(const std::vector<std::pair<std::string, std::string>>& texts) {
    Object object;
    for (const auto& [name, value] : texts) object.set(name, value);
    return object;
}

}  // namespace

/// What only the job's place can tell.
void Job::complete_contexts() {
    auto github = context_.context("github");
    if (!github.is_object()) return;
    auto members = github.as_object();
    const auto& workspace = supervisor_->folders().inner_workspace;
    members.set("workspace", workspace);
    members.set("job", id_of(spec_.key));
    members.set("event_path", event_path());
    const auto secrets = context_.context("secrets");
    members.set("token", secrets["GITHUB_TOKEN"].is_string() ? secrets["GITHUB_TOKEN"] : Value(""));
    event_file_ = codec::to_json(members.contains("event") ? *members.find("event") : Value(Object{}));
    context_.set_context("github", Value(std::move(members)));
    auto runner = context_.context("runner");
    Object about = runner.is_object() ? runner.as_object() : Object{};
    about.set("tool_cache", "/tmp/tool-cache");
    about.set("environment", "self-hosted");
    about.set("debug", "");
    context_.set_context("runner", Value(std::move(about)));
}

void Job::add_dialect_variables(model::Texts& env) const {
    put(env, "GITHUB_ACTIONS", "true");
    for (const char* context : {"github", "runner"}) {
        const auto values = context_.context(context);
        if (!values.is_object()) continue;
        for (const auto& [name, value] : values.as_object()) {
            // Links and the token are no variables, nor is what has members.
            if (value.is_object() || value.is_array() || value.is_null() || name == "token" || name == "repositoryUrl") continue;
            if (context == std::string_view("runner") && name == "debug") continue;
            put(env, upper(std::string(context) + "_" + name), expr::to_display_text(value));
        }
    }
}

/// At most 1 MiB, and whatever links lie on the way, nothing outside of the workspace.
Result<std::string> Job::read_in_workspace(const std::string& path) {
    if (!supervisor_->await_place()) return unavailable("JOB_003", "the job's place was never there");
    const os::Fd root(::open(supervisor_->workspace().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return os::last_error("cannot enter the workspace");
    const auto file = os::open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK);
    struct stat facts {};
    if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return not_found("JOB_002", "there is no file " + path);
    if (static_cast<std::size_t>(facts.st_size) > largest_action) return invalid("JOB_002", path + " is larger than 1 MiB");
    std::string text(static_cast<std::size_t>(facts.st_size), '\0');
    const ssize_t n = ::pread(file.get(), text.data(), text.size(), 0);
    if (n < 0) return os::last_error("cannot read " + path);
    text.resize(static_cast<std::size_t>(n));
    return text;
}

Result<github::Action> Job::load_action(const std::string& path) {
    for (const char* name : {"action.yml", "action.yaml"}) {
        const auto file = path.empty() ? std::string(name) : path + "/" + name;
        auto text = read_in_workspace(file);
        if (!text && text.error().kind == ErrorKind::not_found) continue;
        if (!text) return text.error();
        auto parsed = github::parse_action(*text, file);
        if (!parsed.ok()) return pipeline::as_error(parsed.problems);
        return std::move(parsed.value);
    }
    if (read_in_workspace(path.empty() ? "Dockerfile" : path + "/Dockerfile")) {
        github::Action action;
        action.how = github::ActionUsing::docker;
        return action;
    }
    return no_action(supervisor_->folders().inner_workspace + (path.empty() ? "" : "/" + path));
}

Result<Job::ActionInputs> Job::evaluate_inputs(int index, const model::Step& step, const github::Action& action) const {
    ActionInputs inputs;
    for (const auto& input : action.inputs) {
        std::string text = input.default_text;
        for (const auto& [name, value] : step.with)
            if (to_lower(name) == to_lower(input.name)) text = expr::to_display_text(value);
        CICD_TRY(text, context_.text(text));
        inputs.emplace_back(input.name, std::move(text));
    }
    for (const auto& [given, value] : step.with) {
        const auto same = [&, &name = given](const auto& input) { return to_lower(input.name) == to_lower(name); };
        if (std::any_of(action.inputs.begin(), action.inputs.end(), same) || given == "args" || given == "entryPoint") continue;
        std::vector<std::string> names;
        for (const auto& input : action.inputs) names.push_back("'" + input.name + "'");
        supervisor_->note(static_cast<std::uint32_t>(index), "Unexpected input(s) '" + given + "', valid inputs are [" + join(names, ", ") + "]");
    }
    return inputs;
}

Job::StepEnd Job::use(int index, const model::Step& step) {
    const auto skip = [&](std::string why) {
        supervisor_->note(static_cast<std::uint32_t>(index), why);
        return StepEnd{.state = model::StepState::skipped, .reason = std::nullopt, .message = std::move(why)};
    };
    if (depth_ >= deepest)
        return failure(index, invalid("JOB_002", "actions use each other more than ten levels deep"), model::EndReason::exit);
    auto found = github::find_action(step.uses);
    std::string folder;
    bool mapped = false;
    for (const auto& [name, path] : spec_.actions)
        if (to_lower(name) == to_lower(found.name)) {
            folder = (std::filesystem::path(path) / found.path).lexically_normal().string();
            mapped = true;
        }
    if (!mapped) {
        switch (found.kind) {
            case github::ActionKind::native:
                return native(index, found.name, step);
            case github::ActionKind::container:
                return skip("skipped: actions in a container are not available yet (" + step.uses + ")");
            case github::ActionKind::remote:
                return skip("skipped: " + step.uses + " is not on this machine; give a folder of the repository for it: --action " +
                            found.name + "=FOLDER");
            case github::ActionKind::local:
                folder = std::filesystem::path(found.path).lexically_normal().string();
                break;
        }
    }
    while (folder.ends_with('/')) folder.pop_back();
    if (folder == ".") folder.clear();
    const auto action = load_action(folder);
    if (!action) return failure(index, action.error(), model::EndReason::exit);
    const auto inputs = evaluate_inputs(index, step, *action);
    if (!inputs) return failure(index, inputs.error(), model::EndReason::exit);
    const auto path = supervisor_->folders().inner_workspace + (folder.empty() ? "" : "/" + folder);
    ++depth_;
    StepEnd end;
    switch (action->how) {
        case github::ActionUsing::composite: end = composite(index, *action, path, *inputs); break;
        case github::ActionUsing::node: end = javascript(index, *action, path, *inputs, timeout_of(step)); break;
        case github::ActionUsing::docker: end = skip("skipped: actions in a container are not available yet (" + step.uses + ")"); break;
    }
    --depth_;
    return end;
}

Job::StepEnd Job::composite(int index, const github::Action& action, const std::string& path, const ActionInputs& inputs) {
    const auto outer = context_.context("github");
    Object about = outer.is_object() ? outer.as_object() : Object{};
    about.set("action_path", path);
    context_.set_context("github", Value(std::move(about)));
    context_.set_context("inputs", Value(as_object(inputs)));
    context_.forget_steps();
    if (context_.status() == JobStatus::failure) context_.set_status(JobStatus::success);
    StepEnd whole;
    for (const auto& step : action.steps) inner_step(index, step, whole);
    for (const auto& [name, text] : action.outputs) {
        auto value = context_.text(text);
        if (!value) return failure(index, value.error(), model::EndReason::exit);
        whole.outputs.emplace_back(name, std::move(*value));
    }
    return whole;
}

void Job::inner_step(int index, const model::Step& step, StepEnd& whole) {
    supervisor_->look();
    if (supervisor_->stop() && context_.status() != JobStatus::cancelled) context_.set_status(JobStatus::cancelled);
    const Context before = context_;
    auto env = context_.add_env(step.env);
    if (skipped(step)) {
        context_ = before;
        context_.set_steps(step.id, {}, "skipped", "skipped");
        return;
    }
    StepEnd end;
    const auto condition = context_.condition(step.condition);
    const auto may_fail = context_.truth(step.continue_on_error);
    if (!env || !condition || !may_fail) {
        end = failure(index, !env ? env.error() : !condition ? condition.error() : may_fail.error(), model::EndReason::exit);
        context_ = before;
    } else {
        end = perform(index, step, before);
    }
    const bool bad = end.state == model::StepState::failed || end.state == model::StepState::cancelled;
    const bool forgiven = bad && may_fail && *may_fail && end.forgivable;
    const char* word = end.state == model::StepState::failed      ? "failure"
                       : end.state == model::StepState::cancelled ? "cancelled"
                       : end.state == model::StepState::skipped   ? "skipped"
                                                                  : "success";
    context_.set_steps(step.id, end.outputs, word, forgiven ? "success" : word);
    if (!bad || forgiven || whole.state != model::StepState::success) return;
    whole.state = end.state;
    whole.reason = end.reason;
    whole.exit_code = end.exit_code;
    whole.forgivable = end.forgivable;
    whole.message = (step.name.empty() ? "" : step.name + ": ") + end.message;
    if (context_.status() == JobStatus::success) context_.set_status(JobStatus::failure);
}

}  // namespace cicd::runner
