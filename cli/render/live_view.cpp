#include "cli/render/live_tree.hpp"
#include "cli/render/log_lines.hpp"
#include "cli/render/run_view.hpp"

#include <algorithm>
#include <chrono>

namespace cicd::cli::render {
namespace {

// Terminals that know mode 2026 show what stands between at once; others ignore it.
constexpr std::string_view begin_frame = "\x1b[?2026h", end_frame = "\x1b[?2026l";
constexpr auto frame_time = Milliseconds(90);

// Log lines are gathered and the tree is drawn at most ten times a second, in one write. Without new log lines only the
// lines of the tree that changed are written.
class LiveView final : public RunView {
public:
    LiveView(const Console& console, std::string hint)
        : console_(console), hint_(std::move(hint)), lines_(console.paint(), true) {}

    void begin(const RunProgress& progress) override { draw(progress); }
    void event(const RunProgress& progress, const model::RunEvent& event) override {
        if (event.type == "notice") add_note(progress, event);
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
    void screen_changed(const RunProgress& progress, bool lost) override {
        if (lost) drawn_.clear();
        redraw_all_ = true;
        draw(progress);
    }
    void pause(bool paused) override {
        if (paused_ != paused) drawn_.clear();  // the shell's prompt stands where the tree was
        paused_ = paused;
    }
    void end(const RunProgress& progress) override {
        waiting_ += lines_.rest(progress);
        console_.out(erased() + waiting_);
        waiting_.clear();
        drawn_.clear();
    }

private:
    using Steady = std::chrono::steady_clock;

    void add_note(const RunProgress& progress, const model::RunEvent& event) {
        const auto about = event.job.empty() ? std::string() : progress.job_label(event.job, event.job_key) + ": ";
        waiting_ += console_.paint()(Tone::yellow, "note: " + about + as_one_line(event.message)) + "\n";
    }

    void draw_if_due(const RunProgress& progress) {
        if (Steady::now() - last_ >= frame_time) draw(progress);
    }

    void draw(const RunProgress& progress) {
        last_ = Steady::now();
        if (paused_) {
            if (!waiting_.empty()) console_.out(waiting_);
            waiting_.clear();
            return;
        }
        const auto screen = console_.height();
        const TreeStyle style{
            console_.paint(), console_.width(), std::max<std::size_t>(std::min(screen * 2 / 3, screen - 1), 3),
            frame_,           console_.utf8(),  hint_};
        auto tree = live_tree(progress, SystemClock().now(), style);
        const bool whole = redraw_all_ || !waiting_.empty() || tree.size() != drawn_.size();
        std::string text(begin_frame);
        if (whole) {
            text += erased() + waiting_;
            for (const auto& line : tree) text += line + "\n";
        } else {
            text += up(drawn_.size());
            for (std::size_t i = 0; i < tree.size(); ++i) text += tree[i] == drawn_[i] ? "\n" : tree[i] + "\x1b[K\n";
        }
        text += end_frame;
        waiting_.clear();
        redraw_all_ = false;
        drawn_ = std::move(tree);
        drawn_width_ = style.width;
        console_.out(text);
    }

    static std::string up(std::size_t lines) {
        return lines == 0 ? std::string() : "\x1b[" + std::to_string(lines) + "A\r";
    }

    // A terminal that has become narrower has broken the lines that are too wide for it now.
    [[nodiscard]] std::string erased() const {
        if (drawn_.empty()) return {};
        const auto width = std::max<std::size_t>(console_.width(), 1);
        auto height = drawn_.size();
        if (width < drawn_width_) {
            height = 0;
            for (const auto& line : drawn_) height += std::max<std::size_t>((columns(line) + width - 1) / width, 1);
        }
        return up(std::min(height, std::max<std::size_t>(console_.height(), 2) - 1)) + "\x1b[J";
    }

    const Console& console_;
    std::string hint_;
    LogLines lines_;
    std::string waiting_;
    std::vector<std::string> drawn_;  ///< what stands above the cursor
    std::size_t drawn_width_ = 0;
    unsigned frame_ = 0;
    bool redraw_all_ = false, paused_ = false;
    Steady::time_point last_{};
};

}  // namespace

std::unique_ptr<RunView> live_view(const Console& console, std::string hint) {
    return std::make_unique<LiveView>(console, std::move(hint));
}

}  // namespace cicd::cli::render
