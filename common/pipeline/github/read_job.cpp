#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/github/reader.hpp"

#include <algorithm>

namespace cicd::pipeline::github {
namespace {

using model::Job;

struct Environment {
    std::string name;
};
constexpr Key<Environment> environment_keys[] = {
    {"name", [](Reader& r, const Cursor& c, Environment& e) { e.name = r.text(c); }},
    {"url",
     [](Reader& r, const Cursor& c, Environment&) {
         r.text(c);
         r.approximated(c, "environment.url", "deployments are not shown with a link");
     }},
    {"deployment", [](Reader& r, const Cursor& c, Environment&) { r.flag(c); }},
};

struct Place {
    model::Strings labels;
};
constexpr Key<Place> place_keys[] = {
    {"group",
     [](Reader& r, const Cursor& c, Place&) {
         r.text(c);
         r.approximated(c, "runs-on.group", "groups of runners are not known here; the job runs on this machine");
     }},
    {"labels", [](Reader& r, const Cursor& c, Place& p) { p.labels = r.texts(c); }},
};

struct Strategy {
    Job* job;
};

void read_secrets(Reader& r, const Cursor& at, Call& call) {
    if (at.kind() == NodeKind::text && at.node->text == "inherit") {
        call.inherits_secrets = true;
        return;
    }
    call.secrets = r.text_map(at);
}

void read_with(Reader& r, const Cursor& at, Call& call) {
    if (at.kind() == NodeKind::null || !r.b.is_map(at, "inputs")) return;
    for (const auto& member : at.node->members) {
        r.count();
        call.with.emplace_back(member.key->text, r.value(at.child(member)));
    }
}

Call& call_of(JobDraft& draft) {
    if (!draft.call) draft.call.emplace();
    return *draft.call;
}

constexpr Key<JobDraft> job_keys[] = {
    {"name", [](Reader& r, const Cursor& c, JobDraft& d) { d.job.title = r.text(c); }},
    {"needs", [](Reader& r, const Cursor& c, JobDraft& d) { d.needs = r.texts(c); }},
    {"if", [](Reader& r, const Cursor& c, JobDraft& d) { d.job.condition = r.condition(c); }},
    {"permissions", [](Reader& r, const Cursor& c, JobDraft&) { read_permissions(r, c); }},
    {"runs-on",
     [](Reader& r, const Cursor& c, JobDraft& d) {
         Place place;
         if (c.kind() == NodeKind::map)
             r.keys<Place>(c, place, place_keys, "runs-on");
         else
             place.labels = r.texts(c);
         d.job.runs_on = std::move(place.labels);
     }},
    {"environment",
     [](Reader& r, const Cursor& c, JobDraft& d) {
         Environment environment;
         if (c.kind() == NodeKind::map)
             r.keys<Environment>(c, environment, environment_keys, "environment");
         else
             environment.name = r.text(c);
         d.job.environment = std::move(environment.name);
     }},
    {"concurrency", [](Reader& r, const Cursor& c, JobDraft& d) { d.job.concurrency = read_concurrency(r, c); }},
    {"outputs", [](Reader& r, const Cursor& c, JobDraft& d) { d.job.outputs = r.text_map(c); }},
    {"env", [](Reader& r, const Cursor& c, JobDraft& d) {
         auto own = r.text_map(c);
         d.job.env.insert(d.job.env.end(), own.begin(), own.end());
     }},
    {"defaults",
     [](Reader& r, const Cursor& c, JobDraft& d) {
         auto defaults = read_defaults(r, c);
         d.job.shell = std::move(defaults.shell);
         d.job.working_directory = std::move(defaults.working_directory);
     }},
    {"steps", [](Reader& r, const Cursor& c, JobDraft& d) { d.job.steps = read_steps(r, c); }},
    {"timeout-minutes",
     [](Reader& r, const Cursor& c, JobDraft& d) { r.minutes(c, d.job.timeout, d.job.timeout_minutes); }},
    {"cancel-timeout-minutes",
     [](Reader& r, const Cursor& c, JobDraft&) {
         r.text(c);
         r.approximated(c, "cancel-timeout-minutes", "a cancelled job has ten seconds to end by itself");
     }},
    {"strategy", [](Reader& r, const Cursor& c, JobDraft& d) { read_strategy(r, c, d.job); }},
    {"continue-on-error", [](Reader& r, const Cursor& c, JobDraft& d) { d.job.allow_failure = r.flag(c); }},
    {"container", [](Reader& r, const Cursor& c, JobDraft& d) { read_container(r, c, d.job); }},
    {"services", [](Reader& r, const Cursor& c, JobDraft& d) { d.job.services = read_services(r, c); }},
    {"snapshot",
     [](Reader& r, const Cursor& c, JobDraft&) { r.unsupported(c, "snapshot", "images of runners cannot be made here"); }},
    {"uses",
     [](Reader& r, const Cursor& c, JobDraft& d) {
         auto& call = call_of(d);
         call.uses = r.b.literal(c);
         call.mark = r.b.mark(c);
     }},
    {"with", [](Reader& r, const Cursor& c, JobDraft& d) { read_with(r, c, call_of(d)); }},
    {"secrets", [](Reader& r, const Cursor& c, JobDraft& d) { read_secrets(r, c, call_of(d)); }},
};

/// The first of its steps that does; null: it works without the source.
const model::Step* checkout_of(const Job& job) {
    const auto found = std::find_if(job.steps.begin(), job.steps.end(),
                                    [](const model::Step& step) { return step.uses.starts_with("actions/checkout"); });
    return found == job.steps.end() ? nullptr : &*found;
}

/// One commit, unless it says otherwise.
int depth_of(const model::Step& checkout) {
    for (const auto& [name, value] : checkout.with) {
        if (to_lower(name) != "fetch-depth" || !value.is_string()) continue;
        return std::max(0, to_integer(value.as_string()).value_or(1));
    }
    return 1;
}

JobDraft read_job(Reader& r, const Cursor& key, const Cursor& at) {
    JobDraft draft;
    draft.job.name = key.node->text;
    draft.job.mark = r.b.mark(key);
    r.count();
    r.b.check_name(key, draft.job.name, NameRule::identifier);
    r.keys<JobDraft>(at, draft, job_keys, "a job");
    draft.job.key_marks = draft.key_marks;
    const bool calls = at.node->find("uses");
    if (!calls && draft.call) r.b.error(at, "'with' and 'secrets' belong to 'uses', which is missing");
    if (!calls) {
        draft.call.reset();
        r.b.require(at, {"runs-on", "steps"}, "a job");
    } else if (at.node->find("steps") || at.node->find("runs-on")) {
        r.b.error(at, "a job either calls a workflow with 'uses' or has 'runs-on' and 'steps'");
    }
    const auto* checkout = checkout_of(draft.job);
    draft.job.empty_workspace = checkout == nullptr;
    if (checkout) draft.job.git_depth = depth_of(*checkout);
    return draft;
}

}  // namespace

std::vector<JobDraft> read_jobs(Reader& r, const Cursor& at) {
    std::vector<JobDraft> jobs;
    if (!r.b.is_map(at, "jobs by their ids")) return jobs;
    for (const auto& member : at.node->members)
        jobs.push_back(read_job(r, Cursor{member.key, &at, member.key->text, 0}, at.child(member)));
    if (jobs.empty()) r.b.error(at, "must have at least one job");
    return jobs;
}

}  // namespace cicd::pipeline::github
