#include "cli/render/log_lines.hpp"

#include <array>

namespace cicd::cli::render {
namespace {

constexpr std::array palette{Tone::cyan, Tone::magenta, Tone::blue, Tone::green, Tone::yellow};

}  // namespace

std::string LogLines::line(const std::string& label, const std::string& text, model::LogStream stream) {
    const auto [tone, fresh] = tones_.try_emplace(label, palette[tones_.size() % palette.size()]);
    auto shown = terminal_ ? as_one_line(text) : text;
    if (terminal_ && !paint_.on) shown = without_escapes(shown);
    if (stream == model::LogStream::system) shown = paint_(Tone::dim, shown);
    return paint_(tone->second, "[" + label + "]") + " " + shown + "\n";
}

std::string LogLines::add(const RunProgress& progress, const contract::LogEntry& entry) {
    auto& part = parts_[{entry.job, entry.step, entry.stream}];
    part += entry.text;
    if (entry.partial) return {};
    const auto step = progress.step_beside_others(entry.job, entry.step);
    auto whole = line(progress.job_label(entry.job, entry.job_key) + (step.empty() ? "" : ": " + step), part, entry.stream);
    part.clear();
    return whole;
}

std::string LogLines::rest(const RunProgress& progress) {
    std::string text;
    for (auto& [key, part] : parts_) {
        const auto& [job, step, stream] = key;
        if (!part.empty()) text += line(progress.job_label(job, job.str()), part, stream);
        part.clear();
    }
    return text;
}

}  // namespace cicd::cli::render
