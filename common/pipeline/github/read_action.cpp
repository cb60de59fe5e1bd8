#include "common/base/text.hpp"
#include "common/pipeline/github/actions.hpp"
#include "common/pipeline/github/reader.hpp"
#include "common/pipeline/github/workflow.hpp"

namespace cicd::pipeline::github {
namespace {

constexpr Key<ActionInput> input_keys[] = {
    {"description", [](Reader& r, const Cursor& c, ActionInput&) { r.text(c); }},
    {"required", [](Reader& r, const Cursor& c, ActionInput& i) { i.required = to_lower(r.text(c)) == "true"; }},
    {"default",
     [](Reader& r, const Cursor& c, ActionInput& i) {
         i.default_text = r.text(c);
         i.has_default = true;
     }},
    {"deprecationMessage", [](Reader& r, const Cursor& c, ActionInput& i) { i.deprecation = r.text(c); }},
    {"type", [](Reader& r, const Cursor& c, ActionInput&) { r.text(c); }},
    {"options", [](Reader& r, const Cursor& c, ActionInput&) { r.texts(c); }},
};

struct Output {
    std::string value;
};
constexpr Key<Output> output_keys[] = {
    {"description", [](Reader& r, const Cursor& c, Output&) { r.text(c); }},
    {"value", [](Reader& r, const Cursor& c, Output& o) { o.value = r.text(c); }},
};

constexpr Key<Action> runs_keys[] = {
    {"using",
     [](Reader& r, const Cursor& c, Action& a) {
         const auto how = to_lower(r.text(c));
         if (how == "composite") {
             a.how = ActionUsing::composite;
         } else if (how == "docker") {
             a.how = ActionUsing::docker;
         } else if (how.starts_with("node")) {
             a.how = ActionUsing::node;
             a.node = how.substr(4);
         } else {
             r.b.error(c, "'" + how.substr(0, 60) + "' is no way to run an action", "composite, node20 or docker");
         }
     }},
    {"steps",
     [](Reader& r, const Cursor& c, Action& a) {
         a.steps = read_steps(r, c);
         for (const auto& step : a.steps)
             if (step.background || step.control != model::StepControl::none)
                 r.b.error_at(step.mark, "the steps of an action run one after the other", "let the step that uses the action run in the background");
     }},
    {"main", [](Reader& r, const Cursor& c, Action& a) { a.main = r.text(c); }},
    {"pre", [](Reader& r, const Cursor& c, Action& a) { a.pre = r.text(c); }},
    {"post", [](Reader& r, const Cursor& c, Action& a) { a.post = r.text(c); }},
    {"pre-if", [](Reader& r, const Cursor& c, Action& a) { a.pre_if = r.condition(c); }},
    {"post-if", [](Reader& r, const Cursor& c, Action& a) { a.post_if = r.condition(c); }},
    {"image", [](Reader& r, const Cursor& c, Action& a) { a.image = r.text(c); }},
    {"env", [](Reader& r, const Cursor& c, Action& a) { a.env = r.text_map(c); }},
    {"entrypoint", [](Reader& r, const Cursor& c, Action& a) { a.entrypoint = r.text(c); }},
    {"pre-entrypoint", [](Reader& r, const Cursor& c, Action& a) { a.pre_entrypoint = r.text(c); }},
    {"post-entrypoint", [](Reader& r, const Cursor& c, Action& a) { a.post_entrypoint = r.text(c); }},
    {"args", [](Reader& r, const Cursor& c, Action& a) { a.args = r.texts(c); }},
};

void ignore(Reader&, const Cursor&, Action&) {}

constexpr Key<Action> action_keys[] = {
    {"name", [](Reader& r, const Cursor& c, Action& a) { a.name = r.text(c); }},
    {"author", ignore},
    {"description", ignore},
    {"branding", ignore},
    {"inputs",
     [](Reader& r, const Cursor& c, Action& a) {
         if (c.kind() == NodeKind::null || !r.b.is_map(c, "inputs")) return;
         for (const auto& member : c.node->members) {
             ActionInput input;
             input.name = member.key->text;
             if (member.value->kind != NodeKind::null) r.keys<ActionInput>(c.child(member), input, input_keys, "an input");
             a.inputs.push_back(std::move(input));
         }
     }},
    {"outputs",
     [](Reader& r, const Cursor& c, Action& a) {
         if (c.kind() == NodeKind::null || !r.b.is_map(c, "outputs")) return;
         for (const auto& member : c.node->members) {
             Output output;
             if (member.value->kind != NodeKind::null) r.keys<Output>(c.child(member), output, output_keys, "an output");
             a.outputs.emplace_back(member.key->text, std::move(output.value));
         }
     }},
    {"runs", [](Reader& r, const Cursor& c, Action& a) { r.keys<Action>(c, a, runs_keys, "runs"); }},
};

}  // namespace

Parsed<Action> parse_action(std::string_view yaml, const std::string& file) {
    const auto document = load_yaml(yaml, file);
    Parsed<Action> parsed{{}, document.problems};
    if (!document.root) return parsed;
    Builder builder(file, yaml);
    builder.use_contexts(context_names());
    Report unused;
    Reader reader(builder, unused, file);
    const Cursor root{document.root, nullptr, {}, 0};
    reader.keys<Action>(root, parsed.value, action_keys, "an action");
    builder.require(root, {"runs"}, "an action");
    auto problems = builder.take_problems();
    parsed.problems.insert(parsed.problems.end(), problems.begin(), problems.end());
    return parsed;
}

}  // namespace cicd::pipeline::github
