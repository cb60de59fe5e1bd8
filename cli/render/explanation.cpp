#include "cli/render/explanation.hpp"

#include "common/base/enum_text.hpp"

#include <algorithm>
#include <vector>

namespace cicd::cli::render {
namespace {

using contract::Verdict;

struct Look {
    std::string_view sign;
    Tone tone;
};

Look look(Verdict verdict, std::string_view state) {
    switch (verdict) {
        case Verdict::waits:
            return {"○", Tone::yellow};
        case Verdict::runs:
            return {"●", Tone::cyan};
        case Verdict::skipped:
            return {"–", Tone::dim};
        case Verdict::blocked:
            return {"‖", Tone::magenta};
        case Verdict::rerun:
            return {"↻", Tone::cyan};
        case Verdict::ended:
            break;
    }
    if (state == "success") return {"✓", Tone::green};
    return state == "cancelled" ? Look{"!", Tone::yellow} : Look{"✗", Tone::red};
}

std::string verdict_text(Verdict verdict, const std::string& state, bool many) {
    switch (verdict) {
        case Verdict::waits:
            return many ? "wait" : "waits";
        case Verdict::runs:
            return many ? "run" : "runs";
        case Verdict::skipped:
            return many ? "were skipped" : "was skipped";
        case Verdict::blocked:
            return many ? "are blocked" : "is blocked";
        case Verdict::rerun:
            return "ran again";
        case Verdict::ended:
            break;
    }
    return state == "success" ? "succeeded" : state == "failed" ? "failed" : (many ? "were " : "was ") + state;
}

// Broken between words; further lines are indented like the first.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
    const std::string margin(indent, ' ');
    const auto room = width > indent + 20 ? width - indent - 1 : 0;
    std::string out = margin;
    std::size_t used = 0;
    for (std::size_t i = 0; i < text.size();) {
        auto end = std::min(text.find(' ', i), text.size());
        const auto word = text.substr(i, end - i);
        const auto taken = columns(word);
        if (room > 0 && used > 0 && used + 1 + taken > room) {
            out += "\n" + margin;
            used = 0;
        } else if (used > 0) {
            out += ' ';
            ++used;
        }
        out += word;
        used += taken;
        i = end + 1;
    }
    return out + "\n";
}

std::string causes(const std::vector<contract::Cause>& all, std::size_t indent, const ExplanationStyle& style) {
    std::string text;
    std::vector<std::string> remedies;
    for (const auto& cause : all) {
        text += wrapped(cause.text, indent, style.width);
        if (!cause.remedy.empty() && std::find(remedies.begin(), remedies.end(), cause.remedy) == remedies.end())
            remedies.push_back(cause.remedy);
    }
    for (const auto& remedy : remedies) text += style.paint(Tone::dim, wrapped("→ " + remedy, indent, style.width));
    return text;
}

bool worth_telling(const contract::JobExplanation& job) {
    if (job.verdict == Verdict::runs)
        return !job.causes.empty() && job.causes.front().kind == contract::CauseKind::retry;
    // That it was reused, or why it was not, nobody sees from its state.
    if (std::any_of(job.causes.begin(), job.causes.end(), [](const auto& cause) { return cause.kind == contract::CauseKind::reuse; }))
        return true;
    return job.verdict != Verdict::ended || job.state != "success";
}

bool same_answer(const contract::JobExplanation& one, const contract::JobExplanation& other) {
    if (one.verdict != other.verdict || one.state != other.state || one.causes.size() != other.causes.size())
        return false;
    for (std::size_t i = 0; i < one.causes.size(); ++i)
        if (one.causes[i].text != other.causes[i].text) return false;
    return true;
}

std::string title(Verdict verdict, const std::string& state, const std::string& names, bool many,
                  const ExplanationStyle& style) {
    const auto [sign, tone] = look(verdict, state);
    return style.paint(tone, std::string(sign) + " " + names + " " + verdict_text(verdict, state, many)) + "\n";
}

std::string names_of(const std::vector<const contract::JobExplanation*>& group) {
    constexpr std::size_t most = 4;
    std::string names;
    for (std::size_t i = 0; i < group.size() && i < most; ++i) names += (i > 0 ? ", " : "") + group[i]->key;
    if (group.size() > most) names += " and " + std::to_string(group.size() - most) + " more";
    if (group.size() == 1) names += " (" + group[0]->job.str() + ")";
    return names;
}

}  // namespace

std::string explanation(const contract::Explanation& explanation, const ExplanationStyle& style) {
    const bool just_a_job = explanation.jobs.size() == 1 && explanation.causes.empty();
    std::string text;
    if (!just_a_job) {
        text += title(explanation.verdict, explanation.state, explanation.run.str(), false, style);
        text += causes(explanation.causes, 2, style);
    }
    std::vector<bool> told(explanation.jobs.size(), false);
    std::size_t left_out = 0;
    for (std::size_t i = 0; i < explanation.jobs.size(); ++i) {
        const auto& job = explanation.jobs[i];
        if (told[i]) continue;
        if (!style.all && !worth_telling(job)) {
            ++left_out;
            continue;
        }
        std::vector<const contract::JobExplanation*> group;
        for (auto k = i; k < explanation.jobs.size(); ++k) {
            if (told[k] || !same_answer(job, explanation.jobs[k])) continue;
            told[k] = true;
            group.push_back(&explanation.jobs[k]);
        }
        if (!text.empty()) text += "\n";
        text += title(job.verdict, job.state, names_of(group), group.size() > 1, style) + causes(job.causes, 2, style);
    }
    if (left_out > 0)
        text += (text.empty() ? "" : "\n") +
                style.paint(Tone::dim, std::to_string(left_out) + (left_out == 1 ? " job" : " jobs") +
                                           " of which there is nothing to tell (-a shows them)") +
                "\n";
    return text;
}

}  // namespace cicd::cli::render
