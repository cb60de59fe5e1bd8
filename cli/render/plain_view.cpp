#include "cli/exit_code.hpp"
#include "cli/render/log_lines.hpp"
#include "cli/render/run_view.hpp"
#include "cli/render/states.hpp"
#include "common/codec/codecs.hpp"

namespace cicd::cli::render {
namespace {

constexpr std::size_t most_gathered = 64 * 1024;

class PlainView final : public RunView {
public:
    PlainView(const Console& console, bool notes)
        : console_(console), notes_(notes), lines_(console.paint(), console.out_is_terminal()) {}

    void begin(const RunProgress& progress) override {
        if (!notes_) return;
        const auto& run = progress.run();
        console_.err(run.id.str() + " " + run.pipeline + place(run.source) + "\n");
    }

    void event(const RunProgress& progress, const model::RunEvent& event) override {
        if (!notes_) return;
        flush();  // one order on both streams
        if (event.type == "notice") return console_.err("note: " + event.message + "\n");
        if (event.type != "job.state") return;
        const auto state = from_text<model::JobState>(event.state);
        if (!state || (*state != model::JobState::running && !is_final(*state) && event.attempt < 2)) return;
        const auto paint = console_.err_paint();
        auto text = paint(tone_of(*state), std::string(sign_of(*state)) + " " +
                                               progress.job_label(event.job, event.job_key) + " " + event.state);
        if (event.duration_ms > 0) text += " in " + humanize_duration(Milliseconds(event.duration_ms));
        if (!event.message.empty()) text += ": " + event.message;
        if (event.allow_failure) text += " (allowed to fail)";
        console_.err(text + "\n");
    }

    void log(const RunProgress& progress, const contract::LogEntry& entry) override {
        gathered_ += lines_.add(progress, entry);
        if (gathered_.size() > most_gathered) flush();
    }

    void notice(const RunProgress&, const std::string& text) override {
        flush();
        console_.err(text + "\n");
    }
    void flush() override {
        if (!gathered_.empty()) console_.out(gathered_);
        gathered_.clear();
    }
    void end(const RunProgress& progress) override {
        gathered_ += lines_.rest(progress);
        flush();
    }

private:
    static std::string place(const model::Source& source) {
        std::string text;
        if (!source.branch.empty()) text += " on " + source.branch;
        if (!source.commit.empty()) text += " at " + source.commit.substr(0, 10);
        if (source.dirty) text += " with uncommitted changes";
        return text;
    }

    const Console& console_;
    bool notes_;
    LogLines lines_;
    std::string gathered_;
};

class EventsView final : public RunView {
public:
    explicit EventsView(const Console& console) : console_(console) {}

    void begin(const RunProgress& progress) override {
        write(Object{{"type", "run"}, {"run", codec::encode(progress.run())}});
    }
    void event(const RunProgress&, const model::RunEvent& event) override { write(codec::encode(event).as_object()); }
    void log(const RunProgress&, const contract::LogEntry& entry) override {
        Object object{{"type", "log"}};
        const auto encoded = codec::encode(entry);
        for (const auto& [key, value] : encoded.as_object())
            if (key != "type") object.set(key, value);
        write(object);
    }
    void notice(const RunProgress&, const std::string& text) override { console_.err(text + "\n"); }
    void flush() override {
        if (!gathered_.empty()) console_.out(gathered_);
        gathered_.clear();
    }
    void end(const RunProgress& progress) override {
        write(Object{{"type", "end"},
                     {"run", codec::encode(progress.run())},
                     {"exitCode", static_cast<int>(exit_code_of(progress.run()))}});
        flush();
    }

private:
    void write(const Object& members) {
        Object object{{"schemaVersion", 1}};
        for (const auto& [key, value] : members) object.set(key, value);
        gathered_ += codec::to_json(object) + "\n";
        if (gathered_.size() > most_gathered) flush();
    }

    const Console& console_;
    std::string gathered_;
};

class SilentView final : public RunView {};

}  // namespace

std::unique_ptr<RunView> plain_view(const Console& console, bool notes) {
    return std::make_unique<PlainView>(console, notes);
}
std::unique_ptr<RunView> events_view(const Console& console) {
    return std::make_unique<EventsView>(console);
}
std::unique_ptr<RunView> silent_view() {
    return std::make_unique<SilentView>();
}

}  // namespace cicd::cli::render
