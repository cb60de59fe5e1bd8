#pragma once

#include "cli/render/text.hpp"

#include <string_view>

namespace cicd::cli::render {

enum class ColorChoice { automatic, always, never };

/// Where output goes: data to stdout, progress and errors to stderr. Writes whole texts at once.
class Console {
public:
    /// Obeys NO_COLOR, CLICOLOR_FORCE and TERM=dumb where the choice is automatic.
    explicit Console(ColorChoice choice);

    void out(std::string_view text) const;
    void err(std::string_view text) const;

    [[nodiscard]] Paint paint() const { return out_paint_; }
    [[nodiscard]] Paint err_paint() const { return err_paint_; }
    [[nodiscard]] bool out_is_terminal() const { return out_terminal_; }
    /// Both streams are a terminal that can move its cursor: a live view may be drawn.
    [[nodiscard]] bool can_animate() const { return animate_; }
    [[nodiscard]] bool utf8() const { return utf8_; }
    /// Of the terminal, as it is now; 0 where stdout is none.
    [[nodiscard]] std::size_t width() const;
    [[nodiscard]] std::size_t height() const;

private:
    Paint out_paint_, err_paint_;
    bool out_terminal_ = false, animate_ = false, utf8_ = true;
};

}  // namespace cicd::cli::render
