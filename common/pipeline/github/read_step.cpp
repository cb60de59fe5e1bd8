#include "common/base/text.hpp"
#include "common/pipeline/github/actions.hpp"
#include "common/pipeline/github/reader.hpp"
#include "common/pipeline/step_controls.hpp"

#include <algorithm>
#include <unordered_set>

namespace cicd::pipeline::github {
namespace {

using model::Step;

constexpr Key<Step> step_keys[] = {
    {"id",
     [](Reader& r, const Cursor& c, Step& s) {
         s.id = r.text(c);
         r.b.check_name(c, s.id, NameRule::identifier);
     }},
    {"name", [](Reader& r, const Cursor& c, Step& s) { s.name = r.text(c); }},
    {"if", [](Reader& r, const Cursor& c, Step& s) { s.condition = r.condition(c); }},
    {"run", [](Reader& r, const Cursor& c, Step& s) { s.run = r.text(c); }},
    {"uses", [](Reader& r, const Cursor& c, Step& s) { s.uses = std::string(trim(r.b.literal(c))); }},
    {"with",
     [](Reader& r, const Cursor& c, Step& s) {
         if (c.kind() == NodeKind::null || !r.b.is_map(c, "inputs")) return;
         for (const auto& member : c.node->members) {
             r.count();
             s.with.emplace_back(member.key->text, Value(r.text(c.child(member))));
         }
     }},
    {"shell", [](Reader& r, const Cursor& c, Step& s) { s.shell = r.text(c); }},
    {"working-directory", [](Reader& r, const Cursor& c, Step& s) { s.working_directory = r.text(c); }},
    {"env", [](Reader& r, const Cursor& c, Step& s) { s.env = r.text_map(c); }},
    {"continue-on-error", [](Reader& r, const Cursor& c, Step& s) { s.continue_on_error = r.flag(c); }},
    {"timeout-minutes", [](Reader& r, const Cursor& c, Step& s) { r.minutes(c, s.timeout, s.timeout_minutes); }},
    {"background", [](Reader& r, const Cursor& c, Step& s) { s.background = r.b.boolean(c); }},
};

/// Of a step that does nothing but with others. It always runs.
constexpr Key<Step> control_step_keys[] = {
    {"id",
     [](Reader& r, const Cursor& c, Step& s) {
         s.id = r.text(c);
         r.b.check_name(c, s.id, NameRule::identifier);
     }},
    {"name", [](Reader& r, const Cursor& c, Step& s) { s.name = r.text(c); }},
    {"continue-on-error", [](Reader& r, const Cursor& c, Step& s) { s.continue_on_error = r.flag(c); }},
    {"wait",
     [](Reader& r, const Cursor& c, Step& s) {
         s.control = model::StepControl::wait;
         s.targets = r.texts(c);
     }},
    {"wait-all",
     [](Reader& r, const Cursor& c, Step& s) {
         s.control = model::StepControl::wait_all;
         if (c.kind() != NodeKind::null && !r.b.boolean(c)) r.b.error(c, "takes nothing: write 'wait-all:'");
     }},
    {"cancel",
     [](Reader& r, const Cursor& c, Step& s) {
         s.control = model::StepControl::cancel;
         s.targets = {r.text(c)};
     }},
    {"parallel", [](Reader&, const Cursor&, Step&) {}},
};
constexpr std::string_view control_words[] = {"wait", "wait-all", "cancel", "parallel"};

bool is_control(const Node& node) {
    return std::any_of(std::begin(control_words), std::end(control_words), [&](auto word) { return node.find(word) != nullptr; });
}

void tell_action(Reader& r, const Cursor& at, const std::string& uses) {
    if (uses.empty() || uses.starts_with("./") || uses.starts_with("../")) return;
    const Cursor place{at.node->find("uses"), &at, "uses", 0};
    const auto found = find_action(uses);
    if (found.kind == ActionKind::native) return;
    if (found.kind == ActionKind::container)
        r.manual(place, uses, "the step is skipped unless there is a container engine, Podman or Docker");
    else
        r.manual(place, uses, "the step is skipped unless a folder is given for it: --action " + found.name + "=FOLDER");
}

void read_step(Reader& r, const Cursor& at, std::vector<Step>& into);

void read_control(Reader& r, const Cursor& at, std::vector<Step>& into) {
    Step step;
    step.mark = r.b.mark(at);
    r.count();
    r.keys<Step>(at, step, control_step_keys, "a step that waits, or ends another");
    const auto written = std::count_if(std::begin(control_words), std::end(control_words), [&](auto word) { return at.node->find(word) != nullptr; });
    if (written > 1) r.b.error(at, "'wait', 'wait-all', 'cancel' and 'parallel' exclude each other", "make a step of each");
    if (const Node* members = at.node->find("parallel"))
        return read_parallel(r.b, Cursor{members, &at, "parallel", 0}, std::move(step), into, [&](const Cursor& item) { read_step(r, item, into); });
    into.push_back(std::move(step));
}

void read_step(Reader& r, const Cursor& at, std::vector<Step>& into) {
    if (at.kind() == NodeKind::map && is_control(*at.node)) return read_control(r, at, into);
    Step step;
    step.mark = r.b.mark(at);
    r.count();
    r.keys<Step>(at, step, step_keys, "a step");
    if (at.kind() != NodeKind::map) return;
    const bool run = at.node->find("run"), uses = at.node->find("uses");
    if (run == uses) r.b.error(at, run ? "a step has either 'run' or 'uses', not both" : "a step needs 'run' or 'uses'");
    if (uses && step.uses.empty()) r.b.error(at, "'uses' is empty; name an action");
    tell_action(r, at, step.uses);
    into.push_back(std::move(step));
}

}  // namespace

std::vector<Step> read_steps(Reader& r, const Cursor& at) {
    std::vector<Step> steps;
    if (at.kind() == NodeKind::null) return steps;
    r.b.each(at, [&](const Cursor& item) { read_step(r, item, steps); });
    std::unordered_set<std::string> ids;
    for (const auto& step : steps)
        if (!step.id.empty() && !ids.insert(to_lower(step.id)).second)
            r.b.error_at(step.mark, "two steps of this job have the id '" + step.id + "'");
    check_controls(r.b, steps);
    return steps;
}

}  // namespace cicd::pipeline::github
