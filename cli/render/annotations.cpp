#include "cli/render/annotations.hpp"

#include "cli/render/run_progress.hpp"

namespace cicd::cli::render {
namespace {

constexpr std::size_t most_told = 20;

struct Look {
    const char* sign;
    Tone tone;
};

Look look_of(model::AnnotationLevel level) {
    switch (level) {
        case model::AnnotationLevel::error: return {"✗", Tone::red};
        case model::AnnotationLevel::warning: return {"!", Tone::yellow};
        case model::AnnotationLevel::notice: break;
    }
    return {"i", Tone::blue};
}

/// "src/a.c:3:7: ", as compilers write it, so that terminals and editors find the place.
std::string place_of(const model::Annotation& said) {
    if (said.file.empty()) return "";
    auto place = said.file;
    if (said.line > 0) place += ":" + std::to_string(said.line);
    if (said.line > 0 && said.column > 0) place += ":" + std::to_string(said.column);
    return place + ": ";
}

std::string line_of(const model::Annotation& said, const model::JobRun& job, const Paint& paint) {
    const auto [sign, tone] = look_of(said.level);
    const auto message = said.message.substr(0, said.message.find('\n'));
    const auto text = place_of(said) + (said.title.empty() ? "" : said.title + ": ") + message;
    return "  " + paint(tone, sign) + " " + without_escapes(as_one_line(text)) + paint(Tone::dim, "  # " + label_of(job)) + "\n";
}

}  // namespace

std::string annotations(std::span<const model::JobRun> jobs, const Paint& paint) {
    std::string text;
    std::size_t count = 0;
    for (const auto level : {model::AnnotationLevel::error, model::AnnotationLevel::warning, model::AnnotationLevel::notice})
        for (const auto& job : jobs)
            for (const auto& step : job.steps)
                for (const auto& said : step.annotations)
                    if (said.level == level && ++count <= most_told) text += line_of(said, job, paint);
    if (count == 0) return "";
    if (count > most_told) text += "  and " + std::to_string(count - most_told) + " more\n";
    return "\nAnnotations:\n" + text;
}

}  // namespace cicd::cli::render
