#pragma once

#include "cli/render/console.hpp"
#include "cli/render/run_progress.hpp"

#include <memory>

namespace cicd::cli::render {

/// Shows a run while it is under way. Calls come one at a time.
class RunView {
public:
    virtual ~RunView() = default;
    virtual void begin(const RunProgress&) {}
    virtual void event(const RunProgress&, const model::RunEvent&) {}
    virtual void log(const RunProgress&, const contract::LogEntry&) {}
    /// All that has come so far was told: what was gathered can be written.
    virtual void flush() {}
    /// About ten times a second.
    virtual void tick(const RunProgress&) {}
    /// Something to say beside the run: "cancelling …".
    virtual void notice(const RunProgress&, const std::string&) {}
    /// The terminal has another size, or (`lost`) what was drawn on it is not there any more.
    virtual void screen_changed(const RunProgress&, bool /*lost*/) {}
    /// In the background the terminal is somebody else's: no tree, only lines.
    virtual void pause(bool) {}
    /// Leaves the terminal as it was; the run has ended, or nobody watches any more.
    virtual void end(const RunProgress&) {}
};

/// `[stage/job] text` lines on stdout, changes of state on stderr. No animation.
std::unique_ptr<RunView> plain_view(const Console& console, bool notes);
/// The log scrolls above a tree of stages and jobs that is drawn anew. `hint` is its last line: what may be typed.
std::unique_ptr<RunView> live_view(const Console& console, std::string hint);
/// NDJSON on stdout: one object for each event and log line, with `schemaVersion`.
std::unique_ptr<RunView> events_view(const Console& console);
/// Nothing.
std::unique_ptr<RunView> silent_view();

}  // namespace cicd::cli::render
