#include "cli/lists.hpp"

#include "cli/render/annotations.hpp"
#include "cli/render/states.hpp"
#include "cli/render/summary.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli {
namespace {

using render::Tone;

std::string age_of(const std::optional<Timestamp>& time) {
    return time ? render::age(SystemClock().now() - *time) : std::string();
}

std::string branch_of(const model::Run& run) {
    if (!run.source.branch.empty()) return run.source.branch;
    return run.source.tag.empty() ? run.event.branch : run.source.tag;
}

std::string commit_of(const model::Run& run) {
    const auto& source = run.source;
    const auto id = source.commit.empty() ? source.tree : source.commit;
    return id.substr(0, 8) + (source.dirty ? "*" : "");
}

/// Lines "Name:  value"; those without a value are left out.
class Sheet {
public:
    explicit Sheet(render::Paint paint) : paint_(paint) {}
    void add(const std::string& name, const std::string& value) {
        if (!value.empty()) text_ += paint_(Tone::bold, render::padded(name + ":", 13)) + " " + value + "\n";
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    render::Paint paint_;
    std::string text_;
};

template <class State>
std::string state_text(State state, const render::Paint& paint) {
    const auto cell = render::state_cell(state);
    return paint(cell.tone, cell.text);
}

template <class T>
bool print_plainly(const Session& session, const T& value, const std::string& name) {
    if (session.structured()) return session.print(codec::encode(value)), true;
    if (session.output() == Output::name || session.quiet()) return session.console().out(name + "\n"), true;
    return false;
}

render::Table run_table(const std::vector<model::Run>& runs) {
    render::Table table({{.title = "ID"},
                         {.title = "PIPELINE", .gives_way = true},
                         {.title = "STATUS"},
                         {.title = "BRANCH", .gives_way = true},
                         {.title = "COMMIT"},
                         {.title = "AGE", .right = true},
                         {.title = "DURATION", .right = true},
                         {.title = "EVENT", .only_wide = true},
                         {.title = "BY", .only_wide = true},
                         {.title = "REPOSITORY", .only_wide = true}});
    const auto now = SystemClock().now();
    for (const auto& run : runs)
        table.add({{run.id.str()},
                   {run.pipeline},
                   render::state_cell(run.state),
                   {branch_of(run)},
                   {commit_of(run), Tone::dim},
                   {age_of(run.created_time)},
                   {render::duration_of(run.start_time, run.end_time, now)},
                   {std::string(to_text(run.event.type))},
                   {run.triggered_by},
                   {run.source.repository}});
    return table;
}

render::Table jobs_table(const std::vector<model::JobRun>& jobs) {
    render::Table table({{.title = "ID"},
                         {.title = "RUN"},
                         {.title = "STAGE"},
                         {.title = "JOB", .gives_way = true},
                         {.title = "STATUS"},
                         {.title = "AGE", .right = true},
                         {.title = "DURATION", .right = true},
                         {.title = "ATTEMPT", .right = true, .only_wide = true},
                         {.title = "CPU", .right = true, .only_wide = true},
                         {.title = "MEMORY", .right = true, .only_wide = true}});
    const auto now = SystemClock().now();
    for (const auto& job : jobs)
        table.add({{job.id.str()},
                   {job.run.str()},
                   {job.stage},
                   {job.name},
                   render::state_cell(job.state),
                   {age_of(job.created_time)},
                   {render::duration_of(job.start_time, job.end_time, now)},
                   {std::to_string(job.attempt)},
                   {humanize_duration(Milliseconds(job.usage.cpu_ms))},
                   {humanize_size(static_cast<std::uint64_t>(job.usage.peak_memory))}});
    return table;
}

render::Table queue_table(const std::vector<model::JobRun>& jobs) {
    render::Table table({{.title = "#", .right = true},
                         {.title = "ID"},
                         {.title = "RUN"},
                         {.title = "JOB", .gives_way = true},
                         {.title = "STATUS"},
                         {.title = "PRIORITY"},
                         {.title = "WAITS", .right = true},
                         {.title = "NOT BEFORE"},
                         {.title = "WHY", .gives_way = true}});
    int place = 0;
    for (const auto& job : jobs)
        table.add({{std::to_string(++place)},
                   {job.id.str()},
                   {job.run.str()},
                   {render::label_of(job)},
                   render::state_cell(job.state),
                   {job.priority ? std::string(to_text(*job.priority)) : ""},
                   {age_of(job.queued_time ? job.queued_time : job.created_time)},
                   {job.not_before ? format_time(*job.not_before) : ""},
                   {job.message}});
    return table;
}

render::Table pipelines_table(const std::vector<model::PipelineRecord>& pipelines) {
    render::Table table({{.title = "ID"},
                         {.title = "NAME"},
                         {.title = "STATUS"},
                         {.title = "VERSION", .right = true},
                         {.title = "AGE", .right = true},
                         {.title = "REPOSITORY", .gives_way = true},
                         {.title = "FILE", .only_wide = true},
                         {.title = "DESCRIPTION", .only_wide = true}});
    for (const auto& pipeline : pipelines)
        table.add({{pipeline.id.str()},
                   {pipeline.name},
                   {std::string(to_text(pipeline.state)),
                    pipeline.state == model::PipelineState::active ? Tone::green : Tone::dim},
                   {std::to_string(pipeline.version)},
                   {age_of(pipeline.updated_time)},
                   {pipeline.repository},
                   {pipeline.file},
                   {pipeline.description}});
    return table;
}

}  // namespace

void print_run(const Session& session, const model::Run& run) {
    if (!print_plainly(session, run, run.id.str())) session.print(run_table({run}));
}

std::string runs_text(const Session& session, const std::vector<model::Run>& runs) {
    if (session.output() != Output::name && !session.quiet()) return session.text(run_table(runs));
    std::string names;
    for (const auto& run : runs) names += run.id.str() + "\n";
    return names;
}

void print_runs(const Session& session, const std::vector<model::Run>& runs) {
    session.console().out(runs_text(session, runs));
}

void print_job(const Session& session, const model::JobRun& job) {
    if (!print_plainly(session, job, job.id.str())) session.print(jobs_table({job}));
}

void print_jobs(const Session& session, const std::vector<model::JobRun>& jobs) {
    if (session.output() == Output::name || session.quiet()) {
        for (const auto& job : jobs) session.console().out(job.id.str() + "\n");
        return;
    }
    session.print(jobs_table(jobs));
}

std::string queue_text(const Session& session, const std::vector<model::JobRun>& jobs) {
    if (session.output() != Output::name && !session.quiet()) return session.text(queue_table(jobs));
    std::string names;
    for (const auto& job : jobs) names += job.id.str() + "\n";
    return names;
}

void print_pipeline(const Session& session, const model::PipelineRecord& pipeline) {
    if (!print_plainly(session, pipeline, pipeline.name)) session.print(pipelines_table({pipeline}));
}

void print_pipelines(const Session& session, const std::vector<model::PipelineRecord>& pipelines) {
    if (session.output() == Output::name || session.quiet()) {
        for (const auto& pipeline : pipelines) session.console().out(pipeline.name + "\n");
        return;
    }
    session.print(pipelines_table(pipelines));
}

void print_run_details(const Session& session, const model::Run& run) {
    if (print_plainly(session, run, run.id.str())) return;
    const auto paint = session.console().paint();
    const auto now = SystemClock().now();
    Sheet sheet(paint);
    sheet.add("Run", run.id.str());
    sheet.add("Pipeline",
              run.pipeline + (run.pipeline_version > 0 ? " version " + std::to_string(run.pipeline_version) : ""));
    sheet.add("Status", state_text(run.state, paint) + (run.message.empty() ? "" : ": " + run.message));
    sheet.add("Event",
              std::string(to_text(run.event.type)) + (run.triggered_by.empty() ? "" : " by " + run.triggered_by));
    sheet.add("Repository", run.source.repository);
    sheet.add("Branch", branch_of(run));
    sheet.add("Commit", run.source.commit + (run.source.dirty ? " with uncommitted changes" : ""));
    sheet.add("Message", run.source.message.substr(0, run.source.message.find('\n')));
    sheet.add("File", run.source.pipeline_file);
    sheet.add("Started", run.start_time ? format_time(*run.start_time) + " (" + age_of(run.start_time) + " ago)" : "");
    sheet.add("Duration", render::duration_of(run.start_time, run.end_time, now));
    if (run.retry_of) sheet.add("Retry of", run.retry_of->str());
    session.console().out(sheet.text() + "\n");
    session.print(render::job_table(run, now));
    for (const auto& job : run.jobs)
        if (job.state == model::JobState::failed || job.state == model::JobState::skipped || (job.inputs && !job.inputs->from.empty()))
            session.console().out("\n" + state_text(job.state, paint) + " " + render::label_of(job) + ": " +
                                  render::end_text(job));
    session.console().out("\n");
    session.console().out(render::annotations(run.jobs, paint));
}

void print_job_details(const Session& session, const model::JobRun& job) {
    if (print_plainly(session, job, job.id.str())) return;
    const auto paint = session.console().paint();
    const auto now = SystemClock().now();
    Sheet sheet(paint);
    sheet.add("Job", job.id.str() + " " + render::label_of(job));
    sheet.add("Run", job.run.str());
    sheet.add("Status", state_text(job.state, paint) + (job.allow_failure ? " (allowed to fail)" : ""));
    if (job.state != model::JobState::success && is_final(job.state)) sheet.add("Why", render::end_text(job));
    sheet.add("Attempt", std::to_string(job.attempt));
    if (job.inputs) sheet.add("Reuse", job.inputs->decision);
    if (!job.image.empty()) sheet.add("Image", job.image);
    sheet.add("Started", job.start_time ? format_time(*job.start_time) : "");
    sheet.add("Duration", render::duration_of(job.start_time, job.end_time, now));
    sheet.add("CPU time", humanize_duration(Milliseconds(job.usage.cpu_ms)));
    sheet.add("Peak memory", humanize_size(static_cast<std::uint64_t>(job.usage.peak_memory)));
    if (job.outputs.is_object() && !job.outputs.as_object().empty()) sheet.add("Outputs", codec::to_json(job.outputs));
    session.console().out(sheet.text() + "\n");
    render::Table steps({{.title = "STEP", .right = true},
                         {.title = "NAME", .gives_way = true},
                         {.title = "STATUS"},
                         {.title = "DURATION", .right = true},
                         {.title = "EXIT", .right = true},
                         {.title = "WHY"}});
    for (const auto& step : job.steps)
        steps.add({{std::to_string(step.index + 1)},
                   {step.name.substr(0, step.name.find('\n'))},
                   render::state_cell(step.state),
                   {render::duration_of(step.start_time, step.end_time, now)},
                   {step.exit_code ? std::to_string(*step.exit_code) : ""},
                   {step.message}});
    if (!steps.empty()) session.print(steps);
    session.console().out(render::annotations({&job, 1}, paint));
}

void print_artifacts(const Session& session, const std::vector<model::ArtifactRecord>& artifacts) {
    if (session.structured()) {
        for (const auto& artifact : artifacts) session.print(codec::encode(artifact));
        return;
    }
    render::Table table({{.title = "ID"},
                         {.title = "NAME", .gives_way = true},
                         {.title = "TYPE"},
                         {.title = "SIZE", .right = true},
                         {.title = "FILES", .right = true},
                         {.title = "RUN"},
                         {.title = "JOB", .gives_way = true},
                         {.title = "AGE", .right = true},
                         {.title = "DIGEST", .only_wide = true}});
    std::string names;
    for (const auto& artifact : artifacts) {
        names += artifact.id.str() + "\n";
        table.add({{artifact.id.str()}, {artifact.name}, {artifact.type}, {humanize_size(artifact.size)}, {std::to_string(artifact.files)},
                   {artifact.run.str()}, {artifact.job_key}, {age_of(artifact.created_time)}, {artifact.digest}});
    }
    if (session.output() == Output::name || session.quiet()) return session.console().out(names);
    session.print(table);
}

void print_artifact_details(const Session& session, const model::ArtifactRecord& artifact, const Value& files) {
    if (print_plainly(session, artifact, artifact.id.str())) return;
    Sheet sheet(session.console().paint());
    sheet.add("Artifact", artifact.id.str() + " " + artifact.name);
    sheet.add("Type", artifact.type);
    sheet.add("Run", artifact.run.str());
    sheet.add("Job", artifact.job.str() + " " + artifact.job_key + (artifact.attempt > 1 ? ", attempt " + std::to_string(artifact.attempt) : ""));
    sheet.add("Size", humanize_size(artifact.size) + " in " + std::to_string(artifact.files) + (artifact.files == 1 ? " file" : " files"));
    sheet.add("Digest", "sha256:" + artifact.digest);
    sheet.add("Created", artifact.created_time ? format_time(*artifact.created_time) : "");
    sheet.add("Until", artifact.expire_time ? format_time(*artifact.expire_time) : "");
    sheet.add("Uploaded by", artifact.created_by);
    session.console().out(sheet.text() + "\n");
    if (!files["data"].is_array()) return;
    render::Table table({{.title = "PATH", .gives_way = true}, {.title = "SIZE", .right = true}, {.title = "SHA-256", .only_wide = true}});
    for (const auto& file : files["data"].as_array()) {
        const bool is_file = file["type"] == Value("file");
        const auto path = file["path"].as_string() + (file["type"] == Value("folder") ? "/" : "") +
                          (file["target"].is_string() ? " -> " + file["target"].as_string() : "");
        table.add({{path}, {is_file ? humanize_size(static_cast<std::uint64_t>(file["size"].as_number())) : ""},
                   {is_file ? file["sha256"].as_string() : ""}});
    }
    session.print(table);
    if (files["pagination"]["hasNext"] == Value(true)) session.note("… and more: cicdctl api GET /artifacts/" + artifact.id.str() + "/files");
}

void print_images(const Session& session, const std::vector<contract::Image>& images) {
    render::Table table({{.title = "NAME"}, {.title = "DIGEST"}, {.title = "SIZE", .right = true}, {.title = "FILES", .right = true},
                         {.title = "AGE", .right = true}});
    for (const auto& image : images) {
        const auto names = image.names.empty() ? std::vector<std::string>{"-"} : image.names;
        for (const auto& name : names)
            table.add({{name}, {image.digest.substr(0, 19)}, {humanize_size(static_cast<std::uint64_t>(image.bytes))},
                       {std::to_string(image.files)}, {age_of(image.created_time)}});
    }
    session.print(table);
}

void print_image(const Session& session, const contract::Image& image) {
    if (print_plainly(session, image, image.names.empty() ? image.digest : image.names.front())) return;
    Sheet sheet(session.console().paint());
    sheet.add("Names", join(image.names, ", "));
    sheet.add("Digest", image.digest);
    sheet.add("Source", image.source);
    sheet.add("Size", humanize_size(static_cast<std::uint64_t>(image.bytes)) + " in " + std::to_string(image.files) + " files");
    if (image.skipped > 0) sheet.add("Left out", std::to_string(image.skipped) + " devices and the like");
    sheet.add("User", image.user);
    sheet.add("Works in", image.working_directory);
    sheet.add("Entrypoint", join(image.entrypoint, " "));
    sheet.add("Command", join(image.command, " "));
    for (const auto& [name, value] : image.env) sheet.add("Env", name + "=" + value);
    session.console().out(sheet.text());
}

}  // namespace cicd::cli
