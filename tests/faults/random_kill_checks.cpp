#include "tests/faults/random_kill_checks.hpp"

#include "common/job/job_directory.hpp"

#include <algorithm>
#include <sstream>

namespace cicd::test {
namespace {

constexpr auto longest_unnoticed = std::chrono::seconds(60);  // a bound against never noticing; machines may be slow

std::string name_of(const Attempt& attempt) { return attempt.first + " attempt " + std::to_string(attempt.second); }

job::Paths paths_of(const World& world, const Attempt& attempt) {
    return {world.state() / "jobs" / attempt.first / std::to_string(attempt.second)};
}

/// What else is there tells how far the job came.
std::string beside(const std::filesystem::path& attempt) {
    std::string names = "; in its folder:";
    for (const auto& entry : std::filesystem::directory_iterator(attempt)) names += ' ' + entry.path().filename().string();
    return names + "; pid: " + read_file(attempt / "pid");
}

std::string difference(const Told::Lines& told, const Told::Lines& stored) {
    std::string text;
    const auto compare = [&](const Attempt& attempt) {
        static const std::vector<std::string> nothing;
        const auto of = [&](const Told::Lines& lines) -> const std::vector<std::string>& {
            const auto found = lines.find(attempt);
            return found == lines.end() ? nothing : found->second;
        };
        const auto &a = of(told), &b = of(stored);
        if (a == b) return;
        const auto at = static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin()).first - a.begin());
        text += " " + name_of(attempt) + ": told " + std::to_string(a.size()) + " lines, stored " + std::to_string(b.size()) +
                "; line " + std::to_string(at) + " told: " + (at < a.size() ? a[at] : "none") + ", stored: " + (at < b.size() ? b[at] : "none");
    };
    for (const auto& [attempt, lines] : told) compare(attempt);
    for (const auto& [attempt, lines] : stored)
        if (!told.contains(attempt)) compare(attempt);
    return text;
}

class RunCheck {
public:
    RunCheck(const World& world, const std::filesystem::path& record, const LoadRun& run, const Deeds& deeds)
        : world_(world), record_(record), run_(run), deeds_(deeds), endings_(endings_of(run.told.events)) {}

    std::vector<std::string> all() {
        for (const auto& fault : run_.told.faults) tell("its stream: " + fault);
        if (!run_.told.ended) tell("its stream has no end");
        check_stored();
        check_state();
        for (const auto& [attempt, ending] : endings_) check_attempt(attempt, ending);
        for (const auto& [attempt, lines] : run_.told.lines)
            if (!endings_.contains(attempt)) tell(name_of(attempt) + " has a log but no end");
        return std::move(faults_);
    }

private:
    void tell(const std::string& fault) { faults_.push_back(run_.id + " (" + run_.pipeline->file + "): " + fault); }

    /// Nothing that was told is missing or different for somebody who comes now.
    void check_stored() {
        const auto stored = told_from_the_beginning(world_.socket(), run_.id);
        for (const auto& fault : stored.faults) tell("the stored stream: " + fault);
        if (stored.events != run_.told.events)
            tell("told " + std::to_string(run_.told.events.size()) + " events, stored " +
                 std::to_string(stored.events.size()) + ", or others");
        if (stored.lines != run_.told.lines) tell("its logs are not what was told: " + difference(run_.told.lines, stored.lines));
    }

    void check_state() {
        client::Client client(world_.socket());
        const auto run = client.show_run(run_.id);
        if (!run) return tell("cannot be shown: " + run.error().message);
        if (!model::is_final(run->state)) tell("is " + std::string(to_text(run->state)));
        bool any_failed = false;
        for (const auto& job : run->jobs) {
            if (!model::is_final(job.state)) tell(job.id.str() + " is " + std::string(to_text(job.state)));
            any_failed = any_failed || job.state == model::JobState::failed;
        }
        const auto expected = run_.cancel_acknowledged ? model::RunState::cancelled
                              : any_failed             ? model::RunState::failed
                                                       : model::RunState::success;
        if (run->state != expected)
            tell("is " + std::string(to_text(run->state)) + " instead of " + std::string(to_text(expected)));
        if (run_.pipeline->ends_well && any_failed) tell("a job failed although each is repeated when it is lost");
        const auto& last = run_.told.events;
        if (last.empty() || last.back().type != "run.state" || last.back().state != to_text(run->state))
            tell("the last event is not its end");
    }

    void check_attempt(const Attempt& attempt, const Ending& ending) {
        const auto exit = job::read_exit(paths_of(world_, attempt));
        if (!exit) return tell(name_of(attempt) + ": " + exit.error().message);
        const auto verdict = judge_log(run_.told.log(attempt), attempt.first, attempt.second);
        if (!verdict.fault.empty()) tell(verdict.fault);
        const bool was_killed = deeds_.killed_runners.contains(attempt);
        if (was_killed && !*exit && ending.reason != "lost" && ending.reason != "cancelled")
            tell(name_of(attempt) + ": its runner was killed, but it ended by " + ending.reason);
        const auto own = read_record(record_, attempt.first, attempt.second);
        if (own.exists && verdict.lines > own.lines)
            tell(name_of(attempt) + ": " + std::to_string(verdict.lines) + " lines, but it wrote " + std::to_string(own.lines));
        if (ending.reason == "lost") return check_lost(attempt, ending, was_killed);
        if (ending.reason == "cancelled") {
            if (!run_.pipeline->is_cancelled) tell(name_of(attempt) + " is cancelled, but nobody asked for it");
            return;
        }
        if (ending.reason != "exit" && !ending.reason.empty())
            return tell(name_of(attempt) + " ended by " + ending.reason + ": " + ending.message);
        check_exit(attempt, ending, verdict, own, *exit);
    }

    [[nodiscard]] std::string deaths(Timestamp end) const {
        std::string text = "; before that, in ms, daemons started";
        for (const auto start : deeds_.daemon_starts)
            if (start <= end + std::chrono::seconds(3) && end - start < std::chrono::seconds(20)) text += " " + std::to_string((end - start).count());
        text += ", runners killed";
        for (const auto& [attempt, time] : deeds_.killed_runners)
            if (time <= end + std::chrono::seconds(3) && end - time < std::chrono::seconds(20)) text += " " + name_of(attempt) + ": " + std::to_string((end - time).count());
        return text;
    }

    void check_lost(const Attempt& attempt, const Ending& ending, bool was_killed) {
        if (!was_killed) {
            const auto paths = paths_of(world_, attempt);
            return tell(name_of(attempt) + " is lost, but its runner was never touched: " + ending.message + beside(paths.root) +
                        "; its runner said: " + read_file(paths.root / "runner.log") + "; journal: " + read_file(paths.journal()) +
                        deaths(ending.time));
        }
        auto known = deeds_.killed_runners.at(attempt);
        for (const auto start : deeds_.daemon_starts)
            if (start <= ending.time) known = std::max(known, start);
        if (ending.time - known > longest_unnoticed)
            tell(name_of(attempt) + " was told to be lost after " + std::to_string((ending.time - known).count()) + " ms");
    }

    /// It ended by itself: everything it wrote is there, and its code is the one it gave.
    void check_exit(const Attempt& attempt, const Ending& ending, const LogVerdict& verdict, const OwnRecord& own,
                    const std::optional<model::JobExit>& exit) {
        if (!exit) return tell(name_of(attempt) + " ended by itself without a file that says so");
        if (!verdict.is_complete) tell(name_of(attempt) + ": its log ends after " + std::to_string(verdict.lines) + " lines");
        if (exit->exit_code != std::optional(verdict.exit_code)) tell(name_of(attempt) + ": not its exit code");
        if (!ending.is_repeated && ending.exit_code != std::optional(verdict.exit_code))
            tell(name_of(attempt) + ": told another exit code than it had");
        if (own.exists && (!own.is_complete || own.exit_code != verdict.exit_code || own.lines != verdict.lines))
            tell(name_of(attempt) + ": recorded something else than was told");
    }

    const World& world_;
    const std::filesystem::path& record_;
    const LoadRun& run_;
    const Deeds& deeds_;
    std::map<Attempt, Ending> endings_;
    std::vector<std::string> faults_;
};

/// Folders of cgroup trees whose path names this world.
std::vector<std::string> cgroups_of(const World& world) {
    std::vector<std::string> found;
    const auto name = world.folder().filename().string();
    std::error_code gone;
    const auto options = std::filesystem::directory_options::skip_permission_denied;
    for (std::filesystem::recursive_directory_iterator it("/sys/fs/cgroup", options, gone), end; it != end; it.increment(gone))
        if (it->is_directory(gone) && it->path().filename().string().find(name) != std::string::npos)
            found.push_back(it->path());
    return found;
}

std::string first_leftover(const World& world, const std::string& stray) {
    if (const auto runners = living_runners(world.state()); !runners.empty())
        return "a runner of " + name_of(runners.begin()->first);
    for (const int pid : processes_with_argument(stray)) return "a process that a job left behind: " + std::to_string(pid);
    std::istringstream mounts(read_file("/proc/self/mountinfo"));
    for (std::string line; std::getline(mounts, line);)
        if (line.find(world.state().string()) != std::string::npos) return "a mount: " + line;
    if (const auto groups = cgroups_of(world); !groups.empty()) return "a cgroup: " + groups.front();
    for (const auto& job : std::filesystem::directory_iterator(world.state() / "jobs"))
        for (const auto& attempt : std::filesystem::directory_iterator(job.path()))
            for (const auto& entry : std::filesystem::directory_iterator(attempt.path())) {
                const auto name = entry.path().filename().string();
                if (name == "workspace") return "a workspace: " + entry.path().string() + beside(attempt.path());
                if (name.find("tmp") != std::string::npos) return "a half-written file: " + entry.path().string();
            }
    return {};
}

}  // namespace

std::map<Attempt, Ending> endings_of(const std::vector<model::RunEvent>& events) {
    std::map<Attempt, Ending> endings;
    const auto text = [](const std::optional<model::EndReason>& reason) {
        return reason ? std::string(to_text(*reason)) : std::string();
    };
    for (const auto& event : events) {
        if (event.type != "job.state") continue;
        const auto state = from_text<model::JobState>(event.state);
        if (!state) continue;
        if (*state == model::JobState::queued && event.end_reason)
            endings[{event.job.str(), event.attempt - 1}] = {"failed", text(event.end_reason), event.message, {}, event.time, true};
        if (model::is_final(*state) && *state != model::JobState::skipped)
            endings[{event.job.str(), event.attempt}] = {event.state, text(event.end_reason), event.message, event.exit_code, event.time, false};
    }
    return endings;
}

std::vector<std::string> check_run(const World& world, const std::filesystem::path& record, const LoadRun& run,
                                   const Deeds& deeds) {
    return RunCheck(world, record, run, deeds).all();
}

std::vector<std::string> check_leftovers(const World& world, const std::string& stray) {
    std::string left;
    // Removal is behind the run's end, at low priority.
    eventually([&] { return (left = first_leftover(world, stray)).empty(); }, std::chrono::seconds(60));
    if (left.empty()) return {};
    return {"left behind: " + left};
}

}  // namespace cicd::test
