#include "cli/render/diagnostics.hpp"

#include <algorithm>
#include <map>

namespace cicd::cli::render {
namespace {

std::string_view line_of(std::string_view text, int number) {
    for (int line = 1; line < number; ++line) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    const auto line = text.substr(0, text.find('\n'));
    return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::string place(const Diagnostic& problem) {
    auto text = problem.file;
    if (problem.line > 0) text += ":" + std::to_string(problem.line);
    if (problem.line > 0 && problem.column > 0) text += ":" + std::to_string(problem.column);
    return text.empty() ? text : text + ": ";
}

std::string severity(const Diagnostic& problem, const Paint& paint) {
    switch (problem.severity) {
        case Severity::error:
            return paint(Tone::red, "error:");
        case Severity::warning:
            return paint(Tone::yellow, "warning:");
        case Severity::note:
            return paint(Tone::cyan, "note:");
    }
    return {};
}

// The line, cut around the column so that the caret stays in sight.
std::string excerpt(std::string_view line, int column, const Paint& paint) {
    constexpr std::size_t most = 100;
    auto at = column > 0 ? static_cast<std::size_t>(column - 1) : 0;
    at = std::min(at, line.size());
    if (at > most - 20) {
        const auto cut = at - (most - 40);
        line.remove_prefix(cut);
        at -= cut;
        while (!line.empty() && at > 0 && (static_cast<unsigned char>(line.front()) & 0xC0) == 0x80) {
            line.remove_prefix(1);
            --at;
        }
    }
    std::string shown(fit(line, most));
    std::replace(shown.begin(), shown.end(), '\t', ' ');
    const auto before =
        columns(line.substr(0, at)) + static_cast<std::size_t>(std::count(line.begin(), line.begin() + at, '\t'));
    return "    " + shown + "\n    " + std::string(before, ' ') + paint(Tone::red, "^") + "\n";
}

}  // namespace

std::string diagnostics(const std::vector<Diagnostic>& problems, const SourceText& source, const Paint& paint) {
    std::map<std::string, std::string> texts;
    std::string shown;
    for (const auto& problem : problems) {
        shown += paint(Tone::bold, place(problem)) + severity(problem, paint) + " " + problem.message + "\n";
        if (problem.line > 0) {
            auto [entry, fresh] = texts.try_emplace(problem.file);
            if (fresh && source) entry->second = source(problem.file);
            const auto line = line_of(entry->second, problem.line);
            if (!line.empty()) shown += excerpt(line, problem.column, paint);
        }
        if (!problem.suggestion.empty()) shown += "  " + paint(Tone::cyan, problem.suggestion) + "\n";
    }
    return shown;
}

}  // namespace cicd::cli::render
