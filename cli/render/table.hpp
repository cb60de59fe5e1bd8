#pragma once

#include "cli/render/text.hpp"

#include <string>
#include <vector>

namespace cicd::cli::render {

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
};

struct Column {
    std::string title;
    bool right = false;
    bool only_wide = false;  ///< shown by `-o wide` only
    bool gives_way = false;  ///< is cut first where the terminal is too narrow
};

struct TableStyle {
    bool wide = false;
    bool headers = true;
    Paint paint;
    std::size_t width = 0;  ///< columns of the terminal; 0: never cut
};

/// Columns two spaces apart, no lines: easy on the eyes, and on awk.
class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    /// As many cells as there are columns.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::string text(const TableStyle& style) const;

private:
    [[nodiscard]] std::vector<std::size_t> widths(const TableStyle& style) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace cicd::cli::render
