#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "daemon/actions/actions.hpp"
#include "daemon/os/inner_path.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

/// Actions that are an image, or a Dockerfile that makes one: by a container engine, beside the job's place.
namespace cicd::actions {
namespace {

constexpr std::string_view by_name = "docker://";

// What such an action finds where, as its authors know it.
constexpr const char* workspace = "/github/workspace";
constexpr const char* home = "/github/home";
constexpr const char* file_commands = "/github/file_commands";
constexpr const char* event_file = "/github/workflow/event.json";

}  // namespace

std::vector<std::string> split_arguments(std::string_view text) {
    std::vector<std::string> list;
    bool inside = false, quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (!quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            inside = false;
            continue;
        }
        if (!inside) list.emplace_back();
        inside = true;
        const bool escapes = c == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || (quoted && text[i + 1] == '\\'));
        if (escapes) list.back() += text[++i];
        else if (c == '"') quoted = !quoted;
        else list.back() += c;
    }
    return list;
}

/// What the action says is seen with its inputs; what the step says goes before it.
Result<Actions::Docker> Actions::evaluate_docker(const model::Step& step, const Action& action, const Where& where, const Inputs& inputs) {
    Docker docker{.action = action, .where = where, .inputs = inputs, .arguments = {}, .env = {}};
    const Context before = context_;
    Object values;
    for (const auto& [name, text] : inputs) values.set(name, text);
    context_.set_context("inputs", Value(std::move(values)));
    auto evaluated = [&]() -> Result<void> {
        for (const auto& each : action.args) {
            CICD_TRY(auto text, context_.text(each));
            docker.arguments.push_back(std::move(text));
        }
        for (const auto& [name, each] : action.env) {
            CICD_TRY(auto text, context_.text(each));
            const auto& known = before.env();
            if (std::none_of(known.begin(), known.end(), [&, &variable = name](const auto& entry) { return entry.first == variable; }))
                put(docker.env, name, std::move(text));
        }
        return {};
    }();
    context_ = before;
    CICD_CHECK(evaluated);
    CICD_TRY(const auto given, given_inputs(step));
    if (auto entrypoint = input(given, "entrypoint"); !entrypoint.empty()) docker.action.entrypoint = std::move(entrypoint);
    if (const auto arguments = input(given, "args"); !arguments.empty()) docker.arguments = split_arguments(arguments);
    return docker;
}

StepEnd Actions::run_docker(int index, const Docker& docker, const std::string& entrypoint, const model::Texts& state,
                            const std::optional<Milliseconds>& timeout) {
    runner::ContainerProgram program;
    const auto& image = docker.action.image;
    if (image.starts_with(by_name)) {
        program.image = image.substr(by_name.size());
    } else {
        auto root = open_root(docker.where);
        if (!root) return job_.failure(index, root.error());
        program.source = std::move(*root);
        const auto file = (std::filesystem::path(docker.where.folder) / image).lexically_normal();
        program.context = file.parent_path().string();
        program.file = file.filename().string();
    }
    if (program.image.empty() && program.file.empty()) return job_.failure(index, invalid("JOB_002", "the action names no image", "write runs: {image: Dockerfile}"));
    program.entrypoint = entrypoint;
    program.arguments = docker.arguments;
    program.workspace = workspace;
    program.home = home;
    program.files = file_commands;
    program.timeout = timeout;
    program.env = docker.env;
    for (const auto& [name, value] : docker.inputs) put(program.env, input_variable(name), value);
    for (const auto& [name, value] : state) put(program.env, "STATE_" + name, value);
    put(program.env, "GITHUB_ACTION_REPOSITORY", docker.where.fetched ? docker.where.fetched->name : "");
    put(program.env, "GITHUB_ACTION_REF", docker.where.fetched ? docker.where.fetched->ref : "");
    put(program.env, "GITHUB_EVENT_PATH", event_file);
    const auto event = context_.context("github")["event"];
    program.texts.emplace_back(event_file, codec::to_json(event.is_object() ? event : Value(Object{})));
    return job_.run_container(index, program);
}

StepEnd Actions::docker(int index, const model::Step& step, const Action& action, const Where& where, const Inputs& inputs) {
    const auto made = evaluate_docker(step, action, where, inputs);
    if (!made) return job_.failure(index, made.error());
    const auto timeout = job_.timeout_of(step);
    model::Texts state;
    StepEnd end;
    const auto keep = [&] {
        for (const auto& [name, value] : end.saved) put(state, name, value);
    };
    if (!action.pre_entrypoint.empty()) {
        end = run_docker(index, *made, action.pre_entrypoint, state, timeout);
        if (end.state != model::StepState::success) return end;
        keep();
    }
    end = run_docker(index, *made, made->action.entrypoint, state, timeout);
    keep();
    if (!action.post_entrypoint.empty() && end.state != model::StepState::skipped)
        later_.push_back({index, action.post_if.empty() ? "always()" : action.post_if, context_.env(),
                          [this, index, docker = *made, state] { return run_docker(index, docker, docker.action.post_entrypoint, state, std::nullopt); }});
    return end;
}

}  // namespace cicd::actions
