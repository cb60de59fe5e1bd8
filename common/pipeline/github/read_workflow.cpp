#include "common/pipeline/github/reader.hpp"
#include "common/pipeline/github/workflow.hpp"

#include <array>

namespace cicd::pipeline::github {
namespace {

using model::Concurrency;

constexpr Key<RunDefaults> run_keys[] = {
    {"shell", [](Reader& r, const Cursor& c, RunDefaults& d) { d.shell = r.text(c); }},
    {"working-directory", [](Reader& r, const Cursor& c, RunDefaults& d) { d.working_directory = r.text(c); }},
};
constexpr Key<RunDefaults> default_keys[] = {
    {"run",
     [](Reader& r, const Cursor& c, RunDefaults& d) {
         if (c.kind() != NodeKind::null) r.keys<RunDefaults>(c, d, run_keys, "defaults.run");
     }},
};

constexpr Key<Concurrency> concurrency_keys[] = {
    {"group", [](Reader& r, const Cursor& c, Concurrency& k) { k.group = r.text(c); }},
    {"cancel-in-progress", [](Reader& r, const Cursor& c, Concurrency& k) { k.cancel_in_progress = r.flag(c); }},
    {"queue",
     [](Reader& r, const Cursor& c, Concurrency&) {
         r.text(c);
         r.approximated(c, "queue", "all runs of a group wait in the order in which they came");
     }},
};

constexpr Key<Workflow> workflow_keys[] = {
    {"name", [](Reader& r, const Cursor& c, Workflow& w) { w.pipeline.name = r.text(c); }},
    {"run-name",
     [](Reader& r, const Cursor& c, Workflow&) {
         r.text(c);
         r.approximated(c, "run-name", "runs are shown by their number and the workflow's name");
     }},
    {"on", [](Reader& r, const Cursor& c, Workflow& w) { read_events(r, c, w); }},
    {"permissions", [](Reader& r, const Cursor& c, Workflow&) { read_permissions(r, c); }},
    {"env", [](Reader& r, const Cursor& c, Workflow& w) { w.env = r.text_map(c); }},
    {"defaults",
     [](Reader& r, const Cursor& c, Workflow& w) {
         auto defaults = read_defaults(r, c);
         w.shell = std::move(defaults.shell);
         w.working_directory = std::move(defaults.working_directory);
     }},
    {"concurrency",
     [](Reader& r, const Cursor& c, Workflow& w) {
         w.pipeline.key_marks.set("concurrency", r.b.mark(c));
         w.pipeline.concurrency = read_concurrency(r, c);
     }},
    {"jobs", [](Reader& r, const Cursor& c, Workflow& w) { w.jobs = read_jobs(r, c); }},
    {"description", [](Reader& r, const Cursor& c, Workflow& w) { w.pipeline.description = r.text(c); }},
};

}  // namespace

const std::vector<std::string>& context_names() {
    static const std::vector<std::string> names{"github", "env",      "vars",   "job",   "jobs",  "steps", "runner",
                                                "secrets", "strategy", "matrix", "needs", "inputs"};
    return names;
}

RunDefaults read_defaults(Reader& r, const Cursor& at) {
    RunDefaults defaults;
    if (at.kind() != NodeKind::null) r.keys<RunDefaults>(at, defaults, default_keys, "defaults");
    return defaults;
}

std::optional<Concurrency> read_concurrency(Reader& r, const Cursor& at) {
    Concurrency concurrency;
    if (at.kind() == NodeKind::map)
        r.keys<Concurrency>(at, concurrency, concurrency_keys, "concurrency");
    else
        concurrency.group = r.text(at);
    if (concurrency.group.empty()) return std::nullopt;
    return concurrency;
}

/// Nothing here has a token of GitHub's, so there is nothing to grant.
void read_permissions(Reader& r, const Cursor& at) {
    static constexpr std::array<std::string_view, 2> whole{"read-all", "write-all"};
    static constexpr std::array<std::string_view, 3> levels{"read", "write", "none"};
    if (at.kind() == NodeKind::null) return;
    if (at.kind() != NodeKind::map) {
        r.b.choice(at, whole);
        return;
    }
    for (const auto& member : at.node->members) {
        r.count();
        r.b.choice(at.child(member), levels);
    }
}

Workflow read_workflow(Reader& r, const Cursor& at) {
    Workflow workflow;
    workflow.pipeline.dialect = model::Dialect::github;
    workflow.pipeline.mark = r.b.mark(at);
    r.keys<Workflow>(at, workflow, workflow_keys, "a workflow");
    r.b.require(at, {"on", "jobs"}, "a workflow");
    for (auto& draft : workflow.jobs) {
        if (draft.job.shell.empty()) draft.job.shell = workflow.shell;
        if (draft.job.working_directory.empty()) draft.job.working_directory = workflow.working_directory;
    }
    return workflow;
}

}  // namespace cicd::pipeline::github
