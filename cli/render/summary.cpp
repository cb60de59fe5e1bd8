#include "cli/render/summary.hpp"

#include "cli/render/annotations.hpp"
#include "cli/render/states.hpp"

#include <algorithm>
#include <array>

namespace cicd::cli::render {
namespace {

constexpr std::size_t most_failures = 5;      ///< told with their last lines
constexpr std::size_t most_listed_jobs = 12;  ///< more are told by stage

bool is_failure(const model::JobRun& job) {
    return job.state == model::JobState::failed;
}

std::string failure(const RunProgress& progress, const model::JobRun& job, const TableStyle& style) {
    const auto& paint = style.paint;
    auto text = paint(Tone::red, "✗ " + label_of(job)) + ": " + failure_text(job);
    const auto* step = failed_step(job);
    if (job.attempt > 1) text += ", attempt " + std::to_string(job.attempt);
    if (job.allow_failure) text += paint(Tone::dim, " (allowed to fail)");
    text += "\n";
    auto lines = progress.last_lines(job.id, step ? step->index : -1);
    if (lines.empty()) lines = progress.last_lines(job.id, -1);
    for (const auto& line : lines)
        text += paint(Tone::dim, "    │ ") + (paint.on ? as_one_line(line) : without_escapes(as_one_line(line))) + "\n";
    return text;
}

// Real failures first; those that were allowed only where there is room.
std::string failures(const RunProgress& progress, const TableStyle& style) {
    std::vector<const model::JobRun*> failed;
    for (const bool allowed : {false, true})
        for (const auto& job : progress.run().jobs)
            if (is_failure(job) && job.allow_failure == allowed) failed.push_back(&job);
    std::string text;
    for (std::size_t i = 0; i < failed.size() && i < most_failures; ++i)
        text += "\n" + failure(progress, *failed[i], style);
    if (failed.size() > most_failures)
        text += "\n" +
                style.paint(Tone::red, "✗ and " + std::to_string(failed.size() - most_failures) + " more failed jobs") +
                "\n";
    return text;
}

std::string next_commands(const model::Run& run, const Paint& paint) {
    std::vector<std::pair<std::string, std::string>> next;
    std::size_t failed = 0;
    for (const auto& job : run.jobs) {
        if (!is_failure(job) || job.allow_failure) continue;
        if (++failed == 1) next.emplace_back("cicdctl logs " + job.id.str(), "the whole log of " + label_of(job));
    }
    if (failed > 1) next.emplace_back("cicdctl job list " + run.id.str() + " --status failed", "every job that failed");
    if (run.state == model::RunState::failed || run.state == model::RunState::cancelled) {
        next.emplace_back("cicdctl retry " + run.id.str(), "run again what did not succeed");
        if (failed == 0 && run.state == model::RunState::failed)
            next.emplace_back("cicdctl explain " + run.id.str(), "why it ended like that");
    }
    if (next.empty()) return {};
    std::size_t width = 0;
    for (const auto& line : next) width = std::max(width, columns(line.first));
    std::string text = "\nNext:\n";
    for (const auto& [command, what] : next)
        text += "  " + padded(command, width) + "  " + paint(Tone::dim, "# " + what) + "\n";
    return text;
}

Table stage_table(const model::Run& run, Timestamp now) {
    Table table({{.title = "STAGE", .gives_way = true},
                 {.title = "STATUS"},
                 {.title = "DURATION", .right = true},
                 {.title = "JOBS"}});
    for (const auto& stage : run.stages)
        table.add({{stage.name},
                   state_cell(stage.state),
                   {duration_of(stage.start_time, stage.end_time, now)},
                   {job_counts(run, stage.name)}});
    return table;
}

}  // namespace

std::string job_counts(const model::Run& run, std::string_view stage) {
    // In the order in which people want to know.
    constexpr std::array order{model::JobState::success, model::JobState::failed,  model::JobState::cancelled,
                               model::JobState::skipped, model::JobState::running, model::JobState::scheduled,
                               model::JobState::queued,  model::JobState::created, model::JobState::archived};
    std::string text;
    for (const auto state : order) {
        const auto count = std::count_if(run.jobs.begin(), run.jobs.end(), [&](const auto& job) {
            return job.state == state && (stage.empty() || job.stage == stage);
        });
        if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(to_text(state));
    }
    return text;
}

std::string duration_of(const std::optional<Timestamp>& start, const std::optional<Timestamp>& end, Timestamp now) {
    if (!start) return "";
    return humanize_duration(std::max(Milliseconds(0), end.value_or(now) - *start));
}

Table job_table(const model::Run& run, Timestamp now) {
    Table table({{.title = "STAGE"},
                 {.title = "JOB", .gives_way = true},
                 {.title = "STATUS"},
                 {.title = "DURATION", .right = true},
                 {.title = "ID"},
                 {.title = "ATTEMPT", .right = true, .only_wide = true},
                 {.title = "WHY", .only_wide = true}});
    for (const auto& job : run.jobs) {
        const auto why = job.state == model::JobState::success ? std::string() : end_text(job);
        table.add({{job.stage},
                   {job.name},
                   state_cell(job.state),
                   {duration_of(job.start_time, job.end_time, now)},
                   {job.id.str(), Tone::dim},
                   {std::to_string(job.attempt)},
                   {why}});
    }
    return table;
}

std::string verdict(const model::Run& run, const Paint& paint) {
    const auto tone = tone_of(run.state);
    auto text =
        paint(tone, std::string(sign_of(run.state)) + " " + run.id.str() + " " + std::string(to_text(run.state)));
    const auto start = run.start_time ? run.start_time : run.created_time;
    if (run.end_time && start) text += " in " + duration_of(start, run.end_time, *run.end_time);
    std::string rest = run.pipeline;
    if (run.jobs.size() > 1) rest += (rest.empty() ? "" : ": ") + job_counts(run, "");
    if (!rest.empty()) text += paint(Tone::dim, "  " + rest);
    if (!run.message.empty() && run.state != model::RunState::success) text += "\n  " + run.message;
    return text + "\n";
}

std::string summary(const RunProgress& progress, Timestamp now, const TableStyle& style) {
    const auto& run = progress.run();
    std::string text = "\n";
    if (run.jobs.empty()) {
        text += "No job ran.\n";
    } else if (run.jobs.size() <= most_listed_jobs) {
        text += job_table(run, run.end_time.value_or(now)).text(style);
    } else if (run.stages.size() <= most_listed_jobs || run.state != model::RunState::success) {
        text += stage_table(run, run.end_time.value_or(now)).text(style);
    }
    text += annotations(run.jobs, style.paint);
    return text + failures(progress, style) + "\n" + verdict(run, style.paint) + next_commands(run, style.paint);
}

}  // namespace cicd::cli::render
