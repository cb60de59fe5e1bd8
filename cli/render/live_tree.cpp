#include "cli/render/live_tree.hpp"

#include "cli/render/states.hpp"
#include "cli/render/summary.hpp"

#include <algorithm>
#include <array>
#include <utility>

// Lines are handed out in order of what a reader misses most: the head, the stages (neighbours that all ended well or
// all wait fold into one line where there are too many), then running jobs, then failed ones, then the others.
namespace cicd::cli::render {
namespace {

constexpr std::size_t small_stage = 8;  ///< a stage with at most so many jobs shows all of them while it is under way

struct Row {
    std::string head, time, expected, more;
};

struct JobRow {
    Row row;
    int weight = 0;  ///< the heaviest are shown first; 0: only in small stages
    bool shown = false;
};

struct Block {
    Row head;
    model::StageState state = model::StageState::pending;
    std::vector<JobRow> jobs;
    std::size_t hidden = 0;  ///< rows of running and failed jobs that found no room
};

using Jobs = std::vector<const model::JobRun*>;

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

// Whole seconds while it runs: tenths would only flicker.
std::string time_text(const std::optional<Timestamp>& start, const std::optional<Timestamp>& end, Timestamp now) {
    if (!start) return {};
    if (end) return duration_of(start, end, now);
    const auto elapsed = std::max(Milliseconds(0), now - *start);
    if (elapsed >= std::chrono::minutes(1)) return humanize_duration(elapsed);
    return std::to_string(elapsed.count() / 1000) + "s";
}

std::string expected_text(const std::optional<Milliseconds>& expected, bool running) {
    if (!expected || *expected < std::chrono::seconds(1)) return {};
    auto whole = humanize_duration(Milliseconds((expected->count() + 500) / 1000 * 1000));
    if (const auto dot = whole.find(".0s"); dot != std::string::npos) whole.replace(dot, 3, "s");
    return (running ? "of ~" : "~") + whole;
}

// The first step is often the only one: its name says enough.
std::string step_text(const model::StepRun& step) {
    const auto name = as_one_line(step.name.substr(0, step.name.find('\n')));
    if (name.empty()) return "step " + std::to_string(step.index + 1);
    return step.index == 0 ? name : "step " + std::to_string(step.index + 1) + ": " + name;
}

std::string activity(const model::JobRun& job) {
    std::string text;
    if (job.state == model::JobState::running) {
        for (auto step = job.steps.rbegin(); step != job.steps.rend() && text.empty(); ++step)
            if (step->state == model::StepState::running) text = step_text(*step);
    } else if (job.state == model::JobState::failed || job.state == model::JobState::skipped ||
               job.state == model::JobState::cancelled) {
        text = failure_text(job);
    } else if (!is_final(job.state) && !job.message.empty()) {
        text = job.message;
    }
    if (job.attempt > 1) text = "attempt " + std::to_string(job.attempt) + (text.empty() ? "" : ", " + text);
    if (job.state == model::JobState::failed && job.allow_failure) text += " (allowed)";
    return text;
}

struct Counts {
    std::size_t running = 0, failed = 0, done = 0, waiting = 0, skipped = 0, all = 0;
};

Counts count(const Jobs& jobs) {
    Counts counts;
    for (const auto* job : jobs) {
        ++counts.all;
        if (job->state == model::JobState::running)
            ++counts.running;
        else if (!is_final(job->state))
            ++counts.waiting;
        else if (job->state == model::JobState::failed)
            ++counts.failed;
        else if (job->state == model::JobState::skipped)
            ++counts.skipped;
        else
            ++counts.done;
    }
    return counts;
}

std::string counts_text(const Counts& counts, bool ended) {
    std::string text;
    const auto add = [&](std::size_t number, std::string_view what) {
        if (number > 0) text += (text.empty() ? "" : ", ") + std::to_string(number) + " " + std::string(what);
    };
    if (ended) {
        if (counts.failed == 0 && counts.skipped == 0) return std::to_string(counts.all) + " jobs";
        add(counts.done, "passed");
    } else {
        text = std::to_string(counts.done + counts.failed + counts.skipped) + " of " + std::to_string(counts.all) +
               " done";
        add(counts.running, "running");
    }
    add(counts.failed, "failed");
    add(counts.skipped, "skipped");
    return text;
}

int weight_of(const model::JobRun& job) {
    if (job.state == model::JobState::running) return 2;
    if (job.state == model::JobState::failed) return 1;
    return 0;
}

Row job_row(const model::JobRun& job, const RunProgress& progress, Timestamp now, const TreeStyle& style) {
    const auto running = job.state == model::JobState::running;
    return {"   " + sign(job.state, running, style) + " " + job.name, time_text(job.start_time, job.end_time, now),
            is_final(job.state) ? "" : expected_text(progress.expected().job(job.key), running), activity(job)};
}

Block block_of(const model::StageRun& stage, const Jobs& jobs, const RunProgress& progress, Timestamp now,
               const TreeStyle& style) {
    const auto running = stage.state == model::StageState::running;
    Block block;
    block.state = stage.state;
    block.head = {" " + sign(stage.state, running, style) + " " + style.paint(Tone::bold, stage.name),
                  time_text(stage.start_time, stage.end_time, now),
                  is_final(stage.state) ? "" : expected_text(progress.expected().stage(stage.name), running),
                  stage.message};
    if (jobs.size() == 1) {
        if (jobs[0]->name != stage.name) block.head.head += "/" + jobs[0]->name;
        if (const auto text = activity(*jobs[0]); !text.empty()) block.head.more = text;
        return block;
    }
    if (stage.state == model::StageState::pending || stage.state == model::StageState::skipped) {
        if (block.head.more.empty() && !jobs.empty()) block.head.more = std::to_string(jobs.size()) + " jobs";
        return block;
    }
    if (!jobs.empty()) block.head.more = counts_text(count(jobs), is_final(stage.state));
    for (const auto* job : jobs) {
        const auto weight = weight_of(*job);
        if (weight == 0 && (is_final(stage.state) || jobs.size() > small_stage)) continue;
        block.jobs.push_back({job_row(*job, progress, now, style), weight});
    }
    return block;
}

enum class Fold { none, ended, waiting };

Fold fold_of(const Block& block) {
    using model::StageState;
    if (block.state == StageState::success || block.state == StageState::skipped) return Fold::ended;
    return block.state == StageState::pending ? Fold::waiting : Fold::none;
}

// Neighbours of one kind become one line: "✓ 17 stages".
std::vector<Block> folded(std::vector<Block> blocks, const TreeStyle& style) {
    std::vector<Block> kept;
    for (std::size_t i = 0; i < blocks.size();) {
        auto end = i + 1;
        const auto fold = fold_of(blocks[i]);
        while (end < blocks.size() && fold != Fold::none && fold_of(blocks[end]) == fold) ++end;
        if (end - i < 3) {
            for (; i < end; ++i) kept.push_back(std::move(blocks[i]));
            continue;
        }
        const auto state = fold == Fold::ended ? model::StageState::success : model::StageState::pending;
        Block one;
        one.state = state;
        one.head.head =
            " " + sign(state, false, style) + " " + style.paint(Tone::bold, std::to_string(end - i) + " stages");
        one.head.more = fold == Fold::ended ? "done" : "to come";
        kept.push_back(std::move(one));
        i = end;
    }
    return kept;
}

// Shows as many jobs as there is room, the heaviest first and stage by stage.
void hand_out(std::vector<Block>& blocks, std::size_t room) {
    for (int weight = 2; weight >= 0; --weight) {
        for (auto& block : blocks) {
            for (auto& job : block.jobs) {
                if (job.weight != weight) continue;
                if (room > 0) {
                    job.shown = true;
                    --room;
                } else if (weight > 0) {
                    ++block.hidden;
                }
            }
        }
    }
    // The line that counts the hidden ones takes the place of one more.
    for (auto& block : blocks) {
        if (block.hidden == 0 || room > 0) continue;
        const auto last =
            std::find_if(block.jobs.rbegin(), block.jobs.rend(), [](const JobRow& job) { return job.shown; });
        if (last == block.jobs.rend()) {
            block.hidden = 0;  // its stage's line counts them
            continue;
        }
        last->shown = false;
        block.hidden += last->weight > 0 ? 1 : 0;
    }
}

std::vector<Row> rows_of(std::vector<Block> blocks, std::size_t room, const TreeStyle& style) {
    if (blocks.size() + 2 > room) blocks = folded(std::move(blocks), style);
    std::vector<Row> rows;
    std::size_t cut = 0;
    if (blocks.size() > room) {
        cut = blocks.size() - room + 1;
        blocks.resize(blocks.size() - cut);
    }
    hand_out(blocks, room > blocks.size() + (cut > 0) ? room - blocks.size() - (cut > 0) : 0);
    for (auto& block : blocks) {
        rows.push_back(std::move(block.head));
        for (auto& job : block.jobs)
            if (job.shown) rows.push_back(std::move(job.row));
        if (block.hidden > 0) rows.push_back({"   … " + std::to_string(block.hidden) + " more", "", "", ""});
    }
    if (cut > 0) rows.push_back({" … " + std::to_string(cut) + " more stages", "", "", ""});
    return rows;
}

std::string head_line(const RunProgress& progress, Timestamp now, const TreeStyle& style) {
    const auto& run = progress.run();
    const auto& start = run.start_time ? run.start_time : run.created_time;
    const auto state = progress.cancelling() ? style.paint(Tone::yellow, "cancelling")
                                             : style.paint(tone_of(run.state), to_text(run.state));
    auto text = style.paint(Tone::bold, run.id.str()) + " " + run.pipeline + "  " + state + "  " +
                time_text(start, run.end_time, now);
    if (const auto expected = expected_text(progress.expected().run, true); !expected.empty())
        text += " " + style.paint(Tone::dim, expected);
    if (run.jobs.size() > 1) {
        std::size_t done = 0;
        for (const auto& job : run.jobs) done += is_final(job.state) ? 1 : 0;
        text += style.paint(Tone::dim,
                            "  " + std::to_string(done) + " of " + std::to_string(run.jobs.size()) + " jobs done");
    }
    return text;
}

}  // namespace

std::string in_ascii(std::string text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> signs{
        {{"○", "."}, {"●", "*"}, {"✓", "+"}, {"✗", "x"}, {"‖", "="}, {"–", "-"}, {"…", "..."}, {"·", "-"}, {"│", "|"}}};
    for (const auto& [from, to] : signs)
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
    return text;
}

std::vector<std::string> live_tree(const RunProgress& progress, Timestamp now, const TreeStyle& style) {
    const auto& run = progress.run();
    std::vector<Block> blocks;
    std::map<std::string_view, Jobs> jobs_of;
    for (const auto& job : run.jobs) jobs_of[job.stage].push_back(&job);
    for (const auto& stage : run.stages) blocks.push_back(block_of(stage, jobs_of[stage.name], progress, now, style));

    const std::size_t around = style.hint.empty() ? 1 : 2;
    const auto room = std::max<std::size_t>(style.height, around + 1) - around;
    const auto rows = rows_of(std::move(blocks), room, style);

    std::size_t name_width = 0, time_width = 4, expected_width = 0;
    for (const auto& row : rows) {
        name_width = std::max(name_width, columns(row.head));
        time_width = std::max(time_width, columns(row.time));
        expected_width = std::max(expected_width, columns(row.expected));
    }
    name_width = std::min(name_width, std::max<std::size_t>(style.width / 2, 12));

    const auto width = style.width > 1 ? style.width - 1 : 1;
    std::vector<std::string> shown{fit(head_line(progress, now, style), width)};
    for (const auto& row : rows) {
        auto line = padded(fit(row.head, name_width), name_width) + "  " + padded(row.time, time_width, true);
        if (expected_width > 0) line += " " + style.paint(Tone::dim, padded(row.expected, expected_width));
        if (!row.more.empty()) line += "  " + style.paint(Tone::dim, row.more);
        shown.push_back(fit(line, width));
    }
    if (!style.hint.empty()) shown.push_back(fit(style.paint(Tone::dim, style.hint), width));
    if (!style.utf8)
        for (auto& line : shown) line = in_ascii(fit(line, width > 3 ? width - 2 : 1));  // "…" grows by two columns
    return shown;
}

}  // namespace cicd::cli::render
