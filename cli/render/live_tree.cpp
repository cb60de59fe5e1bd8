#include "cli/render/live_tree.hpp"

#include "cli/render/states.hpp"
#include "cli/render/summary.hpp"

#include <algorithm>
#include <array>

namespace cicd::cli::render {
namespace {

struct Line {
    std::string text;
    int weight = 0;  ///< the lightest give way first
};

std::string spinner(const TreeStyle& style) {
    constexpr std::array<std::string_view, 10> frames{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    constexpr std::string_view plain = "|/-\\";
    if (!style.utf8) return std::string(1, plain[style.frame % plain.size()]);
    return std::string(frames[style.frame % frames.size()]);
}

template <class State>
std::string sign(State state, bool running, const TreeStyle& style) {
    return style.paint(tone_of(state), running ? spinner(style) : std::string(sign_of(state)));
}

std::string activity(const model::JobRun& job) {
    if (job.state == model::JobState::running) {
        for (auto step = job.steps.rbegin(); step != job.steps.rend(); ++step)
            if (step->state == model::StepState::running)
                return "step " + std::to_string(step->index + 1) + (step->name.empty() ? "" : ": " + step->name);
        return {};
    }
    if (job.state == model::JobState::failed || job.state == model::JobState::skipped) return end_text(job);
    if (!is_final(job.state) && job.attempt > 1) return "attempt " + std::to_string(job.attempt);
    return {};
}

// Name left, duration right of it, the rest as far as there is room.
std::string compose(const std::string& head, std::size_t name_width, const std::string& duration,
                    const std::string& more, const TreeStyle& style) {
    auto line = padded(head, name_width) + "  " + padded(duration, 7, true);
    if (!more.empty()) line += "  " + style.paint(Tone::dim, more);
    return fit(line, style.width > 1 ? style.width - 1 : 1);
}

int weight_of(const model::JobRun& job) {
    if (job.state == model::JobState::running) return 4;
    if (job.state == model::JobState::failed) return 3;
    if (!is_final(job.state)) return 1;
    return 0;
}

std::vector<Line> all_lines(const model::Run& run, Timestamp now, const TreeStyle& style) {
    std::size_t name_width = 0;
    for (const auto& stage : run.stages) name_width = std::max(name_width, columns(stage.name) + 3);
    for (const auto& job : run.jobs) name_width = std::max(name_width, columns(job.name) + 5);
    name_width = std::min(name_width, std::max<std::size_t>(style.width / 2, 12));

    std::vector<Line> lines;
    for (const auto& stage : run.stages) {
        const auto running = stage.state == model::StageState::running;
        const auto head = " " + sign(stage.state, running, style) + " " + style.paint(Tone::bold, stage.name);
        lines.push_back(
            {compose(head, name_width, duration_of(stage.start_time, stage.end_time, now), stage.message, style),
             running ? 5 : 2});
        for (const auto& job : run.jobs) {
            if (job.stage != stage.name) continue;
            const auto name = "   " + sign(job.state, job.state == model::JobState::running, style) + " " + job.name;
            lines.push_back({compose(fit(name, name_width), name_width, duration_of(job.start_time, job.end_time, now),
                                     activity(job), style),
                             weight_of(job)});
        }
    }
    return lines;
}

}  // namespace

std::vector<std::string> live_tree(const model::Run& run, Timestamp now, const TreeStyle& style) {
    auto lines = all_lines(run, now, style);
    const auto room = std::max<std::size_t>(style.height, 3) - 1;
    std::size_t hidden = 0;
    for (int weight = 0; weight <= 5 && lines.size() > room; ++weight) {
        for (auto line = lines.begin(); line != lines.end() && lines.size() > room - 1;) {
            if (line->weight != weight) {
                ++line;
                continue;
            }
            line = lines.erase(line);
            ++hidden;
        }
    }
    std::vector<std::string> shown;
    const auto head = style.paint(Tone::bold, run.id.str()) + " " + run.pipeline + "  " +
                      style.paint(tone_of(run.state), to_text(run.state)) + "  " +
                      duration_of(run.start_time ? run.start_time : run.created_time, run.end_time, now);
    shown.push_back(fit(head, style.width > 1 ? style.width - 1 : 1));
    for (auto& line : lines) shown.push_back(std::move(line.text));
    if (hidden > 0) shown.push_back(style.paint(Tone::dim, "   … and " + std::to_string(hidden) + " more"));
    return shown;
}

}  // namespace cicd::cli::render
