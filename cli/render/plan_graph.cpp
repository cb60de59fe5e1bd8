#include "cli/render/plan_graph.hpp"

#include <map>
#include <vector>

namespace cicd::cli::render {
namespace {

std::string mark(model::Decision decision, const Paint& paint) {
    switch (decision) {
        case model::Decision::run:
            return paint(Tone::green, "✓");
        case model::Decision::skip:
            return paint(Tone::dim, "–");
        case model::Decision::later:
            return paint(Tone::yellow, "?");
    }
    return " ";
}

std::string source_line(const model::Plan& plan) {
    const auto& source = plan.source;
    auto text = std::string(to_text(plan.event.type));
    if (!source.branch.empty()) text += " on " + source.branch;
    if (!source.tag.empty()) text += " tag " + source.tag;
    if (!source.commit.empty()) text += " at " + source.commit.substr(0, 10);
    if (source.dirty) text += " with uncommitted changes";
    if (!source.pipeline_file.empty()) text += ", " + source.pipeline_file;
    return text;
}

std::string needs_text(const std::vector<model::Need>& needs) {
    std::string text;
    for (const auto& need : needs) {
        text += text.empty() ? "after " : ", ";
        text += need.job.empty() ? need.stage : need.stage + "." + need.job;
    }
    return text;
}

// Which job waits for which: the needs of stages and jobs, down to the jobs themselves.
std::vector<std::pair<std::size_t, std::size_t>> edges(const model::Plan& plan) {
    std::map<std::string, std::vector<model::Need>> of_stage;
    for (const auto& stage : plan.stages) of_stage[stage.name] = stage.needs;
    std::vector<std::pair<std::size_t, std::size_t>> found;
    for (std::size_t to = 0; to < plan.jobs.size(); ++to) {
        auto needs = of_stage[plan.jobs[to].stage];
        needs.insert(needs.end(), plan.jobs[to].job.needs.begin(), plan.jobs[to].job.needs.end());
        for (std::size_t from = 0; from < plan.jobs.size(); ++from) {
            for (const auto& need : needs) {
                const auto& source = plan.jobs[from];
                if (source.stage != need.stage || (!need.job.empty() && source.base != need.stage + "." + need.job))
                    continue;
                found.emplace_back(from, to);
                break;
            }
        }
    }
    return found;
}

std::string in_quotes(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string mermaid_text(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '"' ? std::string("#quot;") : std::string(1, c);
    return out;
}

}  // namespace

std::string plan_tree(const model::Plan& plan, const Paint& paint) {
    auto text = paint(Tone::bold, plan.pipeline) + "  " + paint(Tone::dim, source_line(plan)) + "\n";
    if (!plan.trigger.text.empty()) text += mark(plan.trigger.decision, paint) + " " + plan.trigger.text + "\n";
    for (const auto& notice : plan.notices) text += paint(Tone::yellow, "!") + " " + notice + "\n";
    std::size_t width = 0;
    for (const auto& stage : plan.stages) width = std::max(width, columns(stage.name));
    for (const auto& job : plan.jobs) width = std::max(width, columns(job.name) + 2);
    for (const auto& stage : plan.stages) {
        text += "\n" + mark(stage.reason.decision, paint) + " " + paint(Tone::bold, padded(stage.name, width));
        const auto why = stage.reason.text.empty() ? needs_text(stage.needs) : stage.reason.text;
        text += "  " + paint(Tone::dim, why) + "\n";
        for (const auto& job : plan.jobs) {
            if (job.stage != stage.name) continue;
            const auto reason = job.reason.text.empty() ? needs_text(job.job.needs) : job.reason.text;
            text += "  " + mark(job.reason.decision, paint) + " " + padded(job.name, width - 2) + "  " +
                    paint(Tone::dim, reason) + "\n";
        }
    }
    if (plan.jobs.empty()) text += "\nNo job would run.\n";
    return text;
}

std::string plan_dot(const model::Plan& plan) {
    std::string text = "digraph " + in_quotes(plan.pipeline) + " {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n";
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        text += "  subgraph cluster_" + std::to_string(s) + " {\n    label=" + in_quotes(plan.stages[s].name) + ";\n";
        for (std::size_t j = 0; j < plan.jobs.size(); ++j) {
            const auto& job = plan.jobs[j];
            if (job.stage != plan.stages[s].name) continue;
            text +=
                "    job" + std::to_string(j) + " [label=" + in_quotes(job.name) + ", tooltip=" + in_quotes(job.reason.text);
            if (job.reason.decision == model::Decision::skip) text += ", style=\"rounded,dashed\", fontcolor=gray";
            if (job.reason.decision == model::Decision::later) text += ", style=\"rounded,dotted\"";
            text += "];\n";
        }
        text += "  }\n";
    }
    for (const auto& [from, to] : edges(plan))
        text += "  job" + std::to_string(from) + " -> job" + std::to_string(to) + ";\n";
    return text + "}\n";
}

std::string plan_mermaid(const model::Plan& plan) {
    std::string text = "flowchart LR\n";
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
        text += "  subgraph stage" + std::to_string(s) + "[\"" + mermaid_text(plan.stages[s].name) + "\"]\n";
        for (std::size_t j = 0; j < plan.jobs.size(); ++j) {
            const auto& job = plan.jobs[j];
            if (job.stage != plan.stages[s].name) continue;
            text += "    job" + std::to_string(j) + "[\"" + mermaid_text(job.name) + "\"]\n";
            if (job.reason.decision == model::Decision::skip)
                text += "    style job" + std::to_string(j) + " stroke-dasharray: 5 5\n";
        }
        text += "  end\n";
    }
    for (const auto& [from, to] : edges(plan))
        text += "  job" + std::to_string(from) + " --> job" + std::to_string(to) + "\n";
    return text;
}

}  // namespace cicd::cli::render
