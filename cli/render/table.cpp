#include "cli/render/table.hpp"

#include <algorithm>

namespace cicd::cli::render {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t least_width = 8;

}  // namespace

std::vector<std::size_t> Table::widths(const TableStyle& style) const {
    std::vector<std::size_t> widths(columns_.size(), 0);
    std::size_t total = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].only_wide && !style.wide) continue;
        if (style.headers) widths[i] = columns(columns_[i].title);
        for (const auto& row : rows_) widths[i] = std::max(widths[i], columns(row[i].text));
        total += widths[i] + gap;
    }
    total -= std::min(total, gap);
    if (style.width == 0) return widths;
    for (std::size_t i = 0; i < columns_.size() && total > style.width; ++i) {
        if (!columns_[i].gives_way || widths[i] <= least_width) continue;
        const auto less = std::min(total - style.width, widths[i] - least_width);
        widths[i] -= less;
        total -= less;
    }
    return widths;
}

std::string Table::text(const TableStyle& style) const {
    const auto width = widths(style);
    std::string text;
    const auto add_line = [&](auto&& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (columns_[i].only_wide && !style.wide) continue;
            const Cell cell = cell_of(i);
            const auto shown = padded(fit(cell.text, width[i]), width[i], columns_[i].right);
            const auto start = std::min(shown.find_first_not_of(' '), shown.size());
            const auto end = shown.find_last_not_of(' ') + 1;
            if (i > 0) line += std::string(gap, ' ');
            line += end <= start ? shown
                                 : shown.substr(0, start) + style.paint(cell.tone, shown.substr(start, end - start)) +
                                       shown.substr(end);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    if (style.headers) add_line([&](std::size_t i) { return Cell{columns_[i].title, Tone::bold}; });
    for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
    return text;
}

}  // namespace cicd::cli::render
