#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "common/job/action.hpp"
#include "daemon/actions/actions.hpp"
#include "daemon/os/inner_path.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/place.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

/// Steps with `uses`: an action is read when its turn comes, as what it is may have been made by a step before.
namespace cicd::actions {
namespace {

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

}  // namespace

std::string input(const Inputs& inputs, std::string_view name) {
    for (const auto& [known, value] : inputs)
        if (known == name) return std::string(trim(value));
    return "";
}

std::string Actions::event_path() const { return job_.folders().inner_files + "/event.json"; }

void Actions::add_files(runner::Program& program) {
    if (!event_file_.empty()) program.files.push_back({.path = event_path(), .text = std::exchange(event_file_, {})});
}

/// What only the job's place can tell.
void Actions::complete_contexts() {
    auto github = context_.context("github");
    if (!github.is_object()) return;
    auto members = github.as_object();
    const auto& workspace = job_.folders().inner_workspace;
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

void Actions::add_variables(model::Texts& env, std::string_view shell) const {
    // Whoever asks which shell it is in is told the one that runs the step.
    if (const auto named = trim(shell); named == "sh" || named.starts_with("sh ")) put(env, "SHELL", "/bin/sh");
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

Actions::Where Actions::in_workspace(const std::string& folder) const {
    return {nullptr, folder, job_.folders().inner_workspace + (folder.empty() ? "" : "/" + folder)};
}

std::optional<Actions::Where> Actions::find_fetched(const model::ActionName& name) const {
    for (const auto& action : spec_.fetched) {
        if (to_lower(action.name) != to_lower(name.name) || action.ref != name.ref) continue;
        const auto inside = std::string(model::actions_folder) + "/" + action.name + "/" + model::folder_of_ref(action.ref);
        auto path = spec_.executor == model::ExecutorKind::host ? action.path : inside;
        return Where{&action, name.path, path + (name.path.empty() ? "" : "/" + name.path)};
    }
    return std::nullopt;
}

Result<os::Fd> Actions::open_root(const Where& where) {
    if (!where.fetched) return job_.open_workspace();
    os::Fd root(::open(where.fetched->path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return os::last_error("the files of " + where.fetched->name + " cannot be reached");
    return root;
}

/// At most 1 MiB, and whatever links lie on the way, nothing outside of the workspace, or of the action's repository.
Result<std::string> Actions::read_below(const Where& where, const std::string& name) {
    CICD_TRY(const auto root, open_root(where));
    const auto path = where.folder.empty() ? name : where.folder + "/" + name;
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

Result<model::Action> Actions::ask(const std::string& text, const std::string& file) {
    CICD_TRY(const auto question, os::memory_file("action", text));
    CICD_TRY(const auto answer, os::memory_file("answer", ""));
    os::SpawnOptions options;
    options.argv = {sibling_program("cicd-action").string(), file};
    options.cwd = "/";
    options.fds = {{question.get(), job::action_text_fd}, {answer.get(), job::action_answer_fd}, {STDERR_FILENO, STDERR_FILENO}};
    CICD_TRY(const int status, job_.run_outside(std::move(options)));
    struct stat facts {};
    std::string told;
    if (::fstat(answer.get(), &facts) == 0) told.resize(static_cast<std::size_t>(facts.st_size));
    const ssize_t n = ::pread(answer.get(), told.data(), told.size(), 0);
    if (status != 0 || n <= 0) return unavailable("JOB_003", file + " could not be read: cicd-action did not end well");
    return job::read_action(told);
}

Result<model::Action> Actions::load_action(const Where& where) {
    for (const char* name : {"action.yml", "action.yaml"}) {
        const auto file = where.folder.empty() ? std::string(name) : where.folder + "/" + name;
        auto text = read_below(where, name);
        if (!text && text.error().kind == ErrorKind::not_found) continue;
        if (!text) return text.error();
        return ask(*text, file);
    }
    if (read_below(where, "Dockerfile")) {
        model::Action action;
        action.how = model::ActionUsing::docker;
        action.image = "Dockerfile";
        return action;
    }
    return no_action(where.path);
}

Result<Inputs> Actions::evaluate_inputs(int index, const model::Step& step, const Action& action) const {
    Inputs inputs;
    for (const auto& input : action.inputs) {
        std::string text = input.default_text;
        for (const auto& [name, value] : step.with)
            if (to_lower(name) == to_lower(input.name)) text = expr::to_display_text(value);
        CICD_TRY(text, context_.text(text));
        inputs.emplace_back(input.name, std::move(text));
    }
    for (const auto& [given, value] : step.with) {
        const auto same = [&, &name = given](const auto& input) { return to_lower(input.name) == to_lower(name); };
        if (std::any_of(action.inputs.begin(), action.inputs.end(), same) || given == "args" || to_lower(given) == "entrypoint") continue;
        std::vector<std::string> names;
        for (const auto& input : action.inputs) names.push_back("'" + input.name + "'");
        job_.note(index, "Unexpected input(s) '" + given + "', valid inputs are [" + join(names, ", ") + "]");
    }
    return inputs;
}

StepEnd Actions::skip(int step, std::string why) {
    job_.note(step, why);
    return {.state = model::StepState::skipped, .reason = std::nullopt, .message = std::move(why)};
}

Result<Inputs> Actions::given_inputs(const model::Step& what) const {
    Inputs inputs;
    for (const auto& [given, value] : what.with) {
        CICD_TRY(auto text, context_.text(expr::to_display_text(value)));
        inputs.emplace_back(to_lower(given), std::move(text));
    }
    return inputs;
}

StepEnd Actions::use(int index, const model::Step& step) {
    if (depth_[index] >= deepest)
        return job_.failure(index, invalid("JOB_002", "actions use each other more than ten levels deep"));
    auto found = model::find_action(step.uses);
    std::optional<Where> where;
    const auto normal = [](const std::filesystem::path& folder) {
        auto text = folder.lexically_normal().string();
        while (text.ends_with('/')) text.pop_back();
        return text == "." ? std::string() : text;
    };
    found.path = normal(found.path);
    for (const auto& [name, path] : spec_.actions)
        if (to_lower(name) == to_lower(found.name)) where = in_workspace(normal(std::filesystem::path(path) / found.path));
    if (!where) {
        switch (found.kind) {
            case model::ActionKind::native:
                return native(index, found.name, step);
            case model::ActionKind::container: {
                const auto given = given_inputs(step);
                if (!given) return job_.failure(index, given.error());
                Action image;
                image.how = model::ActionUsing::docker;
                image.image = step.uses;
                return docker(index, step, image, {}, *given);
            }
            case model::ActionKind::remote:
                where = find_fetched(found);
                if (!where)
                    return skip(index, "skipped: " + step.uses + " is not on this machine; give a folder of the repository for it: --action " +
                                found.name + "=FOLDER");
                if (depth_[index] == 0) job_.note(index, step.uses + " is the commit " + where->fetched->commit);
                break;
            case model::ActionKind::local:
                where = in_workspace(found.path);
                break;
        }
    }
    const auto action = load_action(*where);
    if (!action) return job_.failure(index, action.error());
    const auto inputs = evaluate_inputs(index, step, *action);
    if (!inputs) return job_.failure(index, inputs.error());
    ++depth_[index];
    StepEnd end;
    switch (action->how) {
        case model::ActionUsing::composite: end = composite(index, *action, *where, *inputs); break;
        case model::ActionUsing::node: end = javascript(index, *action, *where, *inputs, job_.timeout_of(step)); break;
        case model::ActionUsing::docker: end = docker(index, step, *action, *where, *inputs); break;
    }
    --depth_[index];
    return end;
}

}  // namespace cicd::actions
