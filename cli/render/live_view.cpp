#include "cli/render/live_tree.hpp"
#include "cli/render/log_lines.hpp"
#include "cli/render/run_view.hpp"

#include <chrono>

namespace cicd::cli::render {
namespace {

// Log lines are gathered and the tree is drawn at most ten times a second, in one write: erase the tree, scroll the
// lines, draw the tree again.
class LiveView final : public RunView {
public:
    explicit LiveView(const Console& console) : console_(console), lines_(console.paint(), true) {}
    ~LiveView() override {
        if (drawn_) console_.out(erased() + "\x1b[?25h");
    }

    void begin(const RunProgress& progress) override { draw(progress); }
    void event(const RunProgress& progress, const model::RunEvent& event) override {
        if (event.type == "notice") waiting_ += console_.paint()(Tone::yellow, "note: " + event.message) + "\n";
        draw_if_due(progress);
    }
    void log(const RunProgress& progress, const contract::LogEntry& entry) override {
        waiting_ += lines_.add(progress, entry);
        draw_if_due(progress);
    }
    void tick(const RunProgress& progress) override {
        ++frame_;
        draw_if_due(progress);
    }
    void notice(const RunProgress& progress, const std::string& text) override {
        waiting_ += console_.paint()(Tone::yellow, text) + "\n";
        draw(progress);
    }
    void end(const RunProgress& progress) override {
        waiting_ += lines_.rest(progress);
        console_.out(erased() + waiting_ + "\x1b[?25h");
        waiting_.clear();
        height_ = 0;
        drawn_ = false;
    }

private:
    using Steady = std::chrono::steady_clock;

    void draw_if_due(const RunProgress& progress) {
        if (Steady::now() - last_ >= Milliseconds(90)) draw(progress);
    }

    void draw(const RunProgress& progress) {
        last_ = Steady::now();
        const auto screen = console_.height();
        const TreeStyle style{console_.paint(), console_.width(), std::max<std::size_t>(screen * 2 / 3, 4), frame_,
                              console_.utf8()};
        const auto tree = live_tree(progress.run(), SystemClock().now(), style);
        auto text = erased() + waiting_;
        waiting_.clear();
        for (const auto& line : tree) text += line + "\n";
        height_ = tree.size();
        drawn_ = true;
        console_.out("\x1b[?25l" + text);
    }

    [[nodiscard]] std::string erased() const {
        return height_ == 0 ? "" : "\x1b[" + std::to_string(height_) + "A\r\x1b[J";
    }

    const Console& console_;
    LogLines lines_;
    std::string waiting_;
    std::size_t height_ = 0;
    unsigned frame_ = 0;
    bool drawn_ = false;
    Steady::time_point last_{};
};

}  // namespace

std::unique_ptr<RunView> live_view(const Console& console) {
    return std::make_unique<LiveView>(console);
}

}  // namespace cicd::cli::render
