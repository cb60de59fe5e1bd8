#include "cli/render/summary.hpp"

#include "cli/render/states.hpp"

namespace cicd::cli::render {
namespace {

bool is_failure(const model::JobRun& job) {
    return job.state == model::JobState::failed;
}

std::string failure(const RunProgress& progress, const model::JobRun& job, const Paint& paint) {
    auto text = paint(Tone::red, "✗ " + job.stage + "/" + job.name) + ": " + end_text(job);
    const auto* step = failed_step(job);
    if (step && (step->name.empty() || text.find("'" + step->name + "'") == std::string::npos))
        text += " in step " + std::to_string(step->index + 1) + (step->name.empty() ? "" : " '" + step->name + "'");
    if (job.allow_failure) text += paint(Tone::dim, " (allowed to fail)");
    text += "\n";
    auto lines = progress.last_lines(job.id, step ? step->index : -1);
    if (lines.empty()) lines = progress.last_lines(job.id, -1);
    for (const auto& line : lines)
        text += paint(Tone::dim, "    │ ") + (paint.on ? as_one_line(line) : without_escapes(as_one_line(line))) + "\n";
    return text;
}

std::string next_commands(const model::Run& run, const Paint& paint) {
    std::vector<std::pair<std::string, std::string>> next;
    for (const auto& job : run.jobs) {
        if (!is_failure(job) || job.allow_failure) continue;
        next.emplace_back("cicdctl logs " + job.id.str(), "the whole log of " + job.stage + "/" + job.name);
        if (next.size() == 3) break;
    }
    if (run.state == model::RunState::failed || run.state == model::RunState::cancelled)
        next.emplace_back("cicdctl retry " + run.id.str(), "run again what did not succeed");
    if (next.empty()) return {};
    std::size_t width = 0;
    for (const auto& line : next) width = std::max(width, columns(line.first));
    std::string text = "\nNext:\n";
    for (const auto& [command, what] : next)
        text += "  " + padded(command, width) + "  " + paint(Tone::dim, "# " + what) + "\n";
    return text;
}

}  // namespace

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
    if (!run.pipeline.empty()) text += paint(Tone::dim, "  " + run.pipeline);
    if (!run.message.empty() && run.state != model::RunState::success) text += "\n  " + run.message;
    return text + "\n";
}

std::string summary(const RunProgress& progress, const TableStyle& style) {
    const auto& run = progress.run();
    std::string text = "\n";
    if (run.jobs.empty()) {
        text += "No job ran.\n";
    } else {
        text += job_table(run, run.end_time.value_or(Timestamp{})).text(style);
    }
    std::string failures;
    for (const auto& job : run.jobs)
        if (is_failure(job)) failures += "\n" + failure(progress, job, style.paint);
    text += failures + "\n" + verdict(run, style.paint);
    return text + next_commands(run, style.paint);
}

}  // namespace cicd::cli::render
