#include "common/base/text.hpp"
#include "common/pipeline/readers.hpp"
#include "common/pipeline/step_controls.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace cicd::pipeline {
namespace {

using model::Step;

constexpr Field<Step> fields[] = {
    {"id", [](Builder& b, const Cursor& c, Step& s) { s.id = b.name(c, NameRule::identifier); }},
    {"name", [](Builder& b, const Cursor& c, Step& s) { s.name = b.text(c); }},
    {"condition", [](Builder& b, const Cursor& c, Step& s) { s.condition = b.condition(c); }},
    {"run",
     [](Builder& b, const Cursor& c, Step& s) {
         s.run = b.text(c);
         if (c.node->is_scalar() && trim(s.run).empty()) b.error(c, "is empty; give a command");
     }},
    {"uses", [](Builder& b, const Cursor& c, Step& s) { s.uses = read_component_name(b, c); }},
    {"with", [](Builder& b, const Cursor& c, Step& s) { s.with = b.value_map(c); }},
    {"shell", [](Builder& b, const Cursor& c, Step& s) { s.shell = b.text(c); }},
    {"workingDirectory", [](Builder& b, const Cursor& c, Step& s) { s.working_directory = b.text(c); }},
    {"env", [](Builder& b, const Cursor& c, Step& s) { s.env = b.text_map(c, NameRule::variable); }},
    {"continueOnError", [](Builder& b, const Cursor& c, Step& s) { s.continue_on_error = b.boolean_or_expression(c); }},
    {"timeout", [](Builder& b, const Cursor& c, Step& s) { s.timeout = b.duration(c); }},
    {"background", [](Builder& b, const Cursor& c, Step& s) { s.background = b.boolean(c); }},
};

/// Of a step that does nothing but with others.
constexpr Field<Step> control_fields[] = {
    {"id", [](Builder& b, const Cursor& c, Step& s) { s.id = b.name(c, NameRule::identifier); }},
    {"name", [](Builder& b, const Cursor& c, Step& s) { s.name = b.text(c); }},
    {"continueOnError", [](Builder& b, const Cursor& c, Step& s) { s.continue_on_error = b.boolean_or_expression(c); }},
    {"wait",
     [](Builder& b, const Cursor& c, Step& s) {
         s.control = model::StepControl::wait;
         s.targets = b.literals(c);
         if (s.targets.empty() && c.kind() == NodeKind::list) b.error(c, "names no step; 'waitAll: true' waits for all");
     }},
    {"waitAll",
     [](Builder& b, const Cursor& c, Step& s) {
         s.control = model::StepControl::wait_all;
         if (!b.boolean(c) && c.kind() == NodeKind::boolean) b.error(c, "is 'true', or not there");
     }},
    {"cancel",
     [](Builder& b, const Cursor& c, Step& s) {
         s.control = model::StepControl::cancel;
         s.targets = {b.literal(c)};
     }},
    {"parallel", [](Builder&, const Cursor&, Step&) {}},
};
constexpr std::string_view control_keys[] = {"wait", "waitAll", "cancel", "parallel"};

const std::vector<std::string>& components() {
    static const std::vector<std::string> known{"source/git",    "source/upload",    "build/docker",
                                                "build/node",    "build/python",     "build/go",
                                                "test/unit",     "test/integration", "test/e2e",
                                                "security/sast", "security/dast",    "security/dependencies",
                                                "deploy/cloud",  "deploy/edge",      "deploy/container"};
    return known;
}

bool is_word(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

void read_step(Builder& b, const Cursor& at, std::vector<Step>& into);

void read_control(Builder& b, const Cursor& at, std::vector<Step>& into) {
    Step step;
    step.mark = b.mark(at);
    b.fields<Step>(at, step, control_fields, "a step that waits");
    const auto written = std::count_if(std::begin(control_keys), std::end(control_keys), [&](auto key) { return at.node->find(key) != nullptr; });
    if (written > 1) b.error(at, "'wait', 'waitAll', 'cancel' and 'parallel' exclude each other", "make a step of each");
    if (const Node* members = at.node->find("parallel"))
        return read_parallel(b, Cursor{members, &at, "parallel", 0}, std::move(step), into, [&](const Cursor& item) { read_step(b, item, into); });
    into.push_back(std::move(step));
}

Step read_work_step(Builder& b, const Cursor& at) {
    if (at.kind() != NodeKind::map) return read_command(b, at);
    Step step;
    step.mark = b.mark(at);
    b.fields<Step>(at, step, fields, "a step");
    const bool run = at.node->find("run"), uses = at.node->find("uses");
    if (run && uses) b.error(at, "a step has either 'run' or 'uses', not both", "make two steps of it");
    if (!run && !uses) b.error(at, "a step needs 'run' or 'uses'", "write what it does: {run: make test}");
    if (at.node->find("with") && !uses)
        b.error(at, "'with' belongs to 'uses', which is missing", run ? "give a command its inputs with 'env'" : "");
    return step;
}

void read_step(Builder& b, const Cursor& at, std::vector<Step>& into) {
    const bool controls = at.kind() == NodeKind::map &&
                          std::any_of(std::begin(control_keys), std::end(control_keys), [&](auto key) { return at.node->find(key) != nullptr; });
    if (controls) read_control(b, at, into);
    else into.push_back(read_work_step(b, at));
}

}  // namespace

std::string read_component_name(Builder& b, const Cursor& at) {
    std::string name = b.literal(at);
    if (name.empty()) {
        if (at.kind() == NodeKind::text && at.node->text.empty()) b.error(at, "is empty; name a component");
        return name;
    }
    if (name.starts_with("./")) {
        if (!name.ends_with(".yaml") && !name.ends_with(".yml"))
            b.error(at, "must be a file of this repository that ends in .yaml or .yml",
                    "for example ./.cicd/components/x.yaml");
        else if (("/" + name + "/").find("/../") != std::string::npos)
            b.error(at, "must stay inside the repository; '..' leaves it");
        return name;
    }
    const std::string_view bare = std::string_view(name).substr(0, name.find('@'));
    const auto slash = bare.find('/');
    const std::string_view family = bare.substr(0, slash);
    const bool open = family == "package" || family == "notify";
    if (open && slash != bare.npos && is_word(bare.substr(slash + 1))) return name;
    if (std::find(components().begin(), components().end(), bare) != components().end()) return name;
    auto guess = did_you_mean(bare.substr(0, 64), components());
    b.error(at, "no component is called '" + name.substr(0, 60) + "'",
            guess.empty()
                ? "known: " + join(components(), ", ") + ", package/*, notify/*, or a file ./.cicd/components/x.yaml"
                : std::move(guess));
    return name;
}

Step read_command(Builder& b, const Cursor& at) {
    Step step;
    step.mark = b.mark(at);
    step.run = b.text(at);
    if (at.node->is_scalar() && trim(step.run).empty()) b.error(at, "is empty; give a command");
    return step;
}

Step read_use(Builder& b, const Cursor& uses, const std::optional<Cursor>& with) {
    Step step;
    step.mark = b.mark(uses);
    step.uses = read_component_name(b, uses);
    if (with) step.with = b.value_map(*with);
    return step;
}

std::vector<Step> read_steps(Builder& b, const Cursor& at) {
    std::vector<Step> steps;
    b.each(at, [&](const Cursor& item) { read_step(b, item, steps); });
    std::unordered_set<std::string> ids;
    for (const auto& step : steps)
        if (!step.id.empty() && !ids.insert(step.id).second) b.error_at(step.mark, "two steps of this job have the id '" + step.id + "'");
    check_controls(b, steps);
    if (at.kind() == NodeKind::list && steps.empty()) b.error(at, "must list at least one step");
    return steps;
}

std::vector<Step> read_work(Builder& b, const Cursor& at, const Work& work) {
    const int ways = int{work.commands.has_value()} + int{work.steps.has_value()} + int{work.uses.has_value()};
    if (ways > 1) b.error(at, "'steps', 'commands' and 'uses' exclude each other", "put everything into 'steps'");
    if (work.with && !work.uses) b.error(at, "'with' belongs to 'uses', which is missing");
    if (work.steps) return read_steps(b, *work.steps);
    if (work.uses) return {read_use(b, *work.uses, work.with)};
    std::vector<Step> steps;
    if (work.commands) {
        b.each(*work.commands, [&](const Cursor& item) { steps.push_back(read_command(b, item)); });
        if (work.commands->kind() == NodeKind::list && steps.empty())
            b.error(*work.commands, "must list at least one command");
    }
    return steps;
}

}  // namespace cicd::pipeline
