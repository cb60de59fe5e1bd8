#include "cli/files.hpp"
#include "cli/render/diagnostics.hpp"
#include "cli/session.hpp"

namespace cicd::cli {
namespace {

// Diagnostics of a daemon or planner name files as the repository does.
std::string text_at_hand(const std::string& file) {
    if (file.empty() || file == "-") return {};
    if (auto text = read_text(file)) return *std::move(text);
    if (const auto root = repository_root("."))
        if (auto text = read_text(*root / file)) return *std::move(text);
    return {};
}

}  // namespace

std::string error_text(const Error& error, const render::Paint& paint) {
    auto text = render::diagnostics(error.problems, text_at_hand, paint);
    const auto summarised =
        error.problems.size() == 1 && error.message.find(error.problems.front().message) != std::string::npos;
    if (!summarised) text += paint(render::Tone::red, "cicdctl:") + " " + error.message + "\n";
    const auto told = !error.problems.empty() && error.problems.back().suggestion == error.hint;
    if (!error.hint.empty() && !told) text += "  " + error.hint + "\n";
    return text;
}

}  // namespace cicd::cli
