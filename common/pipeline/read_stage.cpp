#include "common/pipeline/readers.hpp"

#include <unordered_set>

/// Stages and their jobs, shorthands resolved.
namespace cicd::pipeline {
namespace {

using model::Job;
using model::Stage;

void read_stage_needs(Builder& b, const Cursor& c, StageDraft& d) {
    if (d.stage.needs) b.error(c, "'needs' and 'dependencies' are two names of one thing", "keep 'needs'");
    d.stage.needs = read_needs(b, c);
}

constexpr Field<Stage> parallel_fields[] = {
    {"failFast", [](Builder& b, const Cursor& c, Stage& s) { s.fail_fast = b.boolean(c); }},
};

constexpr Field<StageDraft> stage_fields[] = {
    {"name", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.name = b.name(c, NameRule::element); }},
    {"description", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.description = b.literal(c); }},
    {"needs", read_stage_needs},
    {"dependencies", read_stage_needs},
    {"condition", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.condition = b.condition(c); }},
    {"parallel",
     [](Builder& b, const Cursor& c, StageDraft& d) {
         if (c.kind() == NodeKind::map) b.fields<Stage>(c, d.stage, parallel_fields, "parallel");
         else d.stage.parallel = b.boolean(c);
         d.split_commands = d.stage.parallel;
     }},
    {"timeout", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.timeout = b.duration(c); }},
    {"env", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.env = b.text_map(c, NameRule::variable); }},
    {"environment", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.environment = b.text(c); }},
    {"gate", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.gate = read_gate(b, c); }},
    {"deploy", [](Builder& b, const Cursor& c, StageDraft& d) { d.stage.deploy = read_deploy(b, c); }},
    {"jobs", [](Builder&, const Cursor& c, StageDraft& d) { d.work.jobs = c; }},
    {"commands", [](Builder&, const Cursor& c, StageDraft& d) { d.work.commands = c; }},
    {"steps", [](Builder&, const Cursor& c, StageDraft& d) { d.work.steps = c; }},
    {"uses", [](Builder&, const Cursor& c, StageDraft& d) { d.work.uses = c; }},
    {"with", [](Builder&, const Cursor& c, StageDraft& d) { d.work.with = c; }},
};

void read_job_needs(Builder& b, const Cursor& c, JobDraft& d) {
    if (!d.job.needs.empty()) b.error(c, "'needs' and 'dependencies' are two names of one thing", "keep 'needs'");
    d.job.needs = read_needs(b, c);
}

constexpr Field<JobDraft> job_fields[] = {
    {"description", [](Builder& b, const Cursor& c, JobDraft& d) { d.job.description = b.literal(c); }},
    {"needs", read_job_needs},
    {"dependencies", read_job_needs},
    {"condition", [](Builder& b, const Cursor& c, JobDraft& d) { d.job.condition = b.condition(c); }},
    {"timeout", [](Builder& b, const Cursor& c, JobDraft& d) { d.job.timeout = b.duration(c); }},
    {"env", [](Builder& b, const Cursor& c, JobDraft& d) { b.merge_text_map(c, NameRule::variable, d.job.env); }},
    {"environment", [](Builder& b, const Cursor& c, JobDraft& d) { d.job.environment = b.text(c); }},
    {"commands", [](Builder&, const Cursor& c, JobDraft& d) { d.work.commands = c; }},
    {"steps", [](Builder&, const Cursor& c, JobDraft& d) { d.work.steps = c; }},
    {"uses", [](Builder&, const Cursor& c, JobDraft& d) { d.work.uses = c; }},
    {"with", [](Builder&, const Cursor& c, JobDraft& d) { d.work.with = c; }},
};

/// In a list, jobs carry their name; in a map, the key is the name.
constexpr Field<JobDraft> name_field[] = {
    {"name", [](Builder& b, const Cursor& c, JobDraft& d) { d.job.name = b.name(c, NameRule::element); }},
};

bool has_work(const Work& work) {
    return work.jobs || work.commands || work.steps || work.uses;
}

Job read_job(Builder& b, const Cursor& at, const Job& defaults, std::string name, bool in_list) {
    JobDraft draft{defaults, {}};
    draft.job.name = std::move(name);
    draft.job.mark = b.mark(at);
    if (in_list)
        b.fields<JobDraft, Job>(at, draft, {job_fields, name_field}, draft.job, {job_settings(), job_details()},
                                "a job");
    else
        b.fields<JobDraft, Job>(at, draft, {job_fields}, draft.job, {job_settings(), job_details()}, "a job");
    if (at.kind() == NodeKind::map && !has_work(draft.work))
        b.error(at, "a job needs 'steps', 'commands' or 'uses'", "write what it does: steps: [{run: make}]");
    draft.job.steps = read_work(b, at, draft.work);
    return std::move(draft.job);
}

void read_jobs(Builder& b, const Cursor& at, const Job& defaults, Stage& stage) {
    std::unordered_set<std::string> names;
    if (at.kind() == NodeKind::list) {
        for (std::size_t i = 0; i < at.node->items.size(); ++i) {
            const Cursor place = at.item(i);
            b.require(place, {"name"}, "a job in a list");
            stage.jobs.push_back(read_job(b, place, defaults, {}, true));
            const auto& name = stage.jobs.back().name;
            if (!name.empty() && !names.insert(name).second)
                b.error(place, "two jobs of the stage '" + stage.name + "' have the name '" + name + "'");
        }
    } else if (b.is_map(at, "jobs by name")) {
        for (const auto& member : at.node->members) {
            b.check_name(Cursor{member.key, &at, member.key->text, 0}, member.key->text, NameRule::element);
            stage.jobs.push_back(read_job(b, at.child(member), defaults, member.key->text, false));
        }
    }
    if (stage.jobs.empty() && (at.kind() == NodeKind::list || at.kind() == NodeKind::map))
        b.error(at, "must hold at least one job");
}

void split_commands(Builder& b, const Cursor& at, const Job& pattern, Stage& stage) {
    int count = 0;
    b.each(at, [&](const Cursor& item) {
        Job job = pattern;
        job.name = stage.name + "-" + std::to_string(++count);
        job.mark = b.mark(item);
        job.steps = {read_command(b, item)};
        stage.jobs.push_back(std::move(job));
    });
    if (stage.jobs.empty() && at.kind() == NodeKind::list) b.error(at, "must list at least one command");
}

Stage read_stage(Builder& b, const Cursor& at, const Job& defaults) {
    StageDraft draft;
    draft.job = defaults;
    draft.stage.mark = b.mark(at);
    b.fields<StageDraft, Job>(at, draft, {stage_fields}, draft.job, {job_settings(), job_details()}, "a stage");
    b.require(at, {"name"}, "a stage");
    Stage& stage = draft.stage;
    const Work& work = draft.work;
    if (work.jobs && (work.commands || work.steps || work.uses || work.with))
        b.error(at, "'jobs' excludes 'commands', 'steps' and 'uses' on the same stage", "make them one more job");
    if (work.jobs) {
        read_jobs(b, *work.jobs, draft.job, stage);
    } else if (work.commands && draft.split_commands && !work.steps && !work.uses) {
        split_commands(b, *work.commands, draft.job, stage);
    } else if (has_work(work)) {
        draft.job.name = stage.name;
        draft.job.mark = stage.mark;
        draft.job.steps = read_work(b, at, work);
        stage.jobs.push_back(std::move(draft.job));
    } else if (at.kind() == NodeKind::map && !stage.gate && !stage.deploy) {
        b.error(at, "a stage needs 'jobs', 'commands', 'steps', 'uses', 'deploy' or 'gate'",
                "write what it does: commands: [make]");
    }
    return std::move(stage);
}

constexpr Field<model::Need> need_fields[] = {
    {"stage", [](Builder& b, const Cursor& c, model::Need& n) { n.stage = b.literal(c); }},
    {"job", [](Builder& b, const Cursor& c, model::Need& n) { n.job = b.literal(c); }},
};

}  // namespace

std::vector<model::Need> read_needs(Builder& b, const Cursor& at) {
    std::vector<model::Need> needs;
    b.each(at, [&](const Cursor& item) {
        model::Need need;
        need.mark = b.mark(item);
        if (item.kind() == NodeKind::map) {
            b.fields<model::Need>(item, need, need_fields, "a need");
            b.require(item, {"stage"}, "a need");
        } else {
            need.job = b.literal(item);
        }
        if (!need.stage.empty() || !need.job.empty())
            needs.push_back(std::move(need));
        else if (item.kind() == NodeKind::text)
            b.error(item, "must name a stage or 'stage.job'");
    });
    return needs;
}

std::vector<Stage> read_stages(Builder& b, const Cursor& at, const Job& defaults) {
    std::vector<Stage> stages;
    std::unordered_set<std::string> names;
    b.each(at, [&](const Cursor& item) {
        stages.push_back(read_stage(b, item, defaults));
        const auto& name = stages.back().name;
        if (!name.empty() && !names.insert(name).second) b.error(item, "two stages have the name '" + name + "'");
    });
    if (at.kind() == NodeKind::list && stages.empty()) b.error(at, "must list at least one stage");
    return stages;
}

}  // namespace cicd::pipeline
