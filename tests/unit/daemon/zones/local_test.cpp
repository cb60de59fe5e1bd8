#include "daemon/zones/local.hpp"
#include "common/job/job_directory.hpp"

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

/// Real runners on the host, without a scheduler.

using namespace cicd;
using model::EndReason;
using model::JobState;
namespace fs = std::filesystem;

namespace {

struct Place : zones::Listener {
    explicit Place(const fs::path& runner = fs::path(CICD_BIN_DIR) / "cicd-runner") {
        std::string name = (fs::temp_directory_path() / "cicd-zone-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        fs::create_directories(folder / "project");
        std::ofstream(folder / "project/file.txt") << "hello\n";
        const auto git = "git -C " + (folder / "project").string() + " ";
        REQUIRE(std::system((git + "init -q -b main && " + git + "add . && " + git +
                             "-c user.name=a -c user.email=a@b commit -q -m first")
                                .c_str()) == 0);
        sources.emplace(folder / "state/repos");
        const auto resolved = sources->resolve((folder / "project").string(), {});
        REQUIRE(resolved.has_value());
        source = *resolved;
        change_zone(runner);
    }
    ~Place() {
        zone->detach();
        pool.join();
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }

    /// As if the daemon had died and another one were there.
    void change_zone(const fs::path& runner) {
        zone.emplace(io.get_executor(), pool, *sources,
                     zones::LocalOptions{folder / "state", runner, Milliseconds{100}});
        zone->listen(*this);
    }

    zones::Assignment assignment(const std::string& id, const std::string& command) const {
        zones::Assignment made;
        made.spec.job = JobId(id);
        made.spec.run = RunId("run-1");
        made.spec.key = made.spec.name = id;
        made.spec.executor = model::ExecutorKind::host;
        made.spec.contexts = Object{{"params", Object{}}};
        made.spec.steps.push_back({.id = "one", .name = "one", .run = command});
        made.spec.grace = Milliseconds{200};
        made.source = source;
        return made;
    }
    void progressed(const JobId&, int, const model::JournalEntry& entry) override { entries.push_back(entry); }
    void ended(const JobId& job, int, const model::JobExit& exit) override {
        CHECK(exits.emplace(job.str(), exit).second);
    }

    template <class Condition>
    void until(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            io.run_one_for(std::chrono::milliseconds(100));
            if (std::chrono::steady_clock::now() > deadline) FAIL("nothing happened for too long");
        }
    }
    const model::JobExit& end_of(const std::string& id) {
        until([&] { return exits.contains(id); });
        return exits.at(id);
    }
    bool step_runs() const {
        for (const auto& entry : entries)
            if (entry.type == model::JournalType::step_started) return true;
        return false;
    }

    fs::path folder;
    boost::asio::io_context io{1};
    boost::asio::thread_pool pool{2};
    std::optional<git::Sources> sources;
    model::Source source;
    std::optional<zones::Local> zone;
    std::vector<model::JournalEntry> entries;
    std::map<std::string, model::JobExit> exits;
};

/// A runner that takes its time before it begins: it waits until there is something at its gate, and then for `let_go`.
class SlowRunner {
public:
    SlowRunner() {
        std::string name = (fs::temp_directory_path() / "cicd-slow-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        program = folder_ / "runner";
        const auto at = folder_.string();
        std::ofstream(program) << "#!/bin/sh\n"
                                  "[ \"$1\" = --spare ] && exit 1\n"
                                  "echo >> " << at << "/starts\n"
                                  "perl -e 'vec(my $gate, 3, 1) = 1; select($gate, undef, undef, undef)'\n"
                                  "echo >> " << at << "/told\n"
                                  "read -r go < " << at << "/fifo\n"
                                  "exec " CICD_BIN_DIR "/cicd-runner \"$@\"\n";
        fs::permissions(program, fs::perms::owner_all);
        REQUIRE(::mkfifo((folder_ / "fifo").c_str(), 0600) == 0);
    }
    ~SlowRunner() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    SlowRunner(const SlowRunner&) = delete;
    SlowRunner& operator=(const SlowRunner&) = delete;

    [[nodiscard]] long starts() const { return lines("starts"); }
    [[nodiscard]] long told() const { return lines("told"); }  ///< or that nobody holds it back any more
    void let_go() const { std::ofstream(folder_ / "fifo") << "go\n"; }

    fs::path program;

private:
    [[nodiscard]] long lines(const char* name) const {
        std::ifstream file(folder_ / name);
        return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
    }
    fs::path folder_;
};

}  // namespace

TEST_CASE("a job runs in a checkout, its steps are told, its workspace goes") {
    Place place;
    place.zone->start(place.assignment("job-1", "test \"$(cat file.txt)\" = hello"));
    CHECK((place.end_of("job-1").state == JobState::success));
    CHECK(place.step_runs());
    CHECK((place.entries.front().type == model::JournalType::job_started));
}

TEST_CASE("cancelling ends a job in any phase, also one that does not want to end") {
    Place place;
    SUBCASE("while it is prepared") {
        place.zone->start(place.assignment("job-1", "sleep 60"));
        place.zone->cancel(JobId("job-1"), 1, {EndReason::cancelled, "no"});
        CHECK((place.end_of("job-1").state == JobState::cancelled));
    }
    SUBCASE("while it is taken over and has never run") {
        place.zone->adopt(place.assignment("job-1", "sleep 60"));
        place.zone->cancel(JobId("job-1"), 1, {EndReason::cancelled, "no"});
        CHECK((place.end_of("job-1").state == JobState::cancelled));
    }
    SUBCASE("while it runs") {
        place.zone->start(place.assignment("job-1", "trap '' TERM; sleep 60 & wait; wait; sleep 60"));
        place.until([&] { return place.step_runs(); });
        place.zone->cancel(JobId("job-1"), 1, {EndReason::cancelled, "no"});
        CHECK((place.end_of("job-1").state == JobState::cancelled));
        CHECK((place.end_of("job-1").end_reason == EndReason::cancelled));
    }
    SUBCASE("while its runner is stuck") {
        place.zone->start(place.assignment("job-1", "sleep 60"));
        place.until([&] { return place.step_runs(); });
        const auto status = job::runner_status({place.zone->job_directory(JobId("job-1"), 1)});
        REQUIRE(status.pid > 0);
        ::kill(status.pid, SIGSTOP);
        place.zone->cancel(JobId("job-1"), 1, {EndReason::cancelled, "no"});
        CHECK((place.end_of("job-1").state == JobState::cancelled));
    }
}

TEST_CASE("a runner that has not begun when its daemon goes is the next one's, and no second one is started") {
    SlowRunner runner;
    Place place(runner.program);
    const auto assignment = place.assignment("job-1", "echo done");
    SUBCASE("it was told to go on") {
        place.zone->start(assignment);
        place.until([&] { return runner.told() == 1; });
        place.change_zone(runner.program);
        place.zone->adopt(assignment);
        place.io.poll();
        runner.let_go();
        CHECK((place.end_of("job-1").state == JobState::success));
        CHECK(runner.told() == 1);
    }
    SUBCASE("it was held back: it leaves, and then another one is made") {
        place.zone->prepare(assignment);
        place.until([&] { return runner.starts() == 1; });
        place.change_zone(runner.program);
        place.zone->adopt(assignment);
        place.io.poll();
        place.until([&] { return runner.told() == 1; });
        CHECK(runner.starts() == 1);
        runner.let_go();
        place.until([&] { return runner.told() == 2; });
        runner.let_go();
        CHECK((place.end_of("job-1").state == JobState::success));
    }
}

TEST_CASE("a prepared job is held back until its turn, and then knows what its needs gave") {
    Place place;
    auto assignment = place.assignment("job-1", "test \"${{ needs.before.outputs.word }}\" = given");
    place.zone->prepare(assignment);
    const job::Paths paths{place.zone->job_directory(JobId("job-1"), 1)};
    const auto held = [&] {
        const auto status = job::runner_status(paths);
        return status.liveness == job::RunnerLiveness::alive && status.pid > 0;
    };
    place.until(held);
    CHECK(place.entries.empty());
    SUBCASE("it is not wanted, and then it is, before its runner has left") {
        place.zone->discard(JobId("job-1"), 1);
        SUBCASE("at once") {}
        SUBCASE("made ahead once more") { place.zone->prepare(assignment); }
        SUBCASE("made ahead once more, not wanted, wanted") {
            place.zone->prepare(assignment);
            place.zone->discard(JobId("job-1"), 1);
        }
        assignment.spec.contexts = Object{{"needs", Object{{"before", Object{{"outputs", Object{{"word", "given"}}}}}}}};
        place.zone->start(assignment);
        CHECK((place.end_of("job-1").state == JobState::success));
    }
    SUBCASE("it is not wanted, made ahead once more, and its turn comes") {
        const auto first = job::runner_status(paths).pid;
        place.zone->discard(JobId("job-1"), 1);
        place.zone->prepare(assignment);
        place.until([&] { return held() && job::runner_status(paths).pid != first; });
        assignment.spec.contexts = Object{{"needs", Object{{"before", Object{{"outputs", Object{{"word", "given"}}}}}}}};
        place.zone->start(assignment);
        CHECK((place.end_of("job-1").state == JobState::success));
    }
    SUBCASE("it is not wanted, and cancelled before it is made anew") {
        place.zone->discard(JobId("job-1"), 1);
        place.zone->start(assignment);
        place.zone->cancel(JobId("job-1"), 1, {EndReason::cancelled, "no"});
        CHECK((place.end_of("job-1").state == JobState::cancelled));
    }
    SUBCASE("its turn comes") {
        assignment.spec.contexts = Object{{"needs", Object{{"before", Object{{"outputs", Object{{"word", "given"}}}}}}}};
        place.zone->start(assignment);
        CHECK((place.end_of("job-1").state == JobState::success));
        CHECK((place.entries.front().type == model::JournalType::job_started));
    }
    SUBCASE("its turn does not come") {
        place.zone->discard(JobId("job-1"), 1);
        place.until([&] { return !fs::exists(paths.root); });
        CHECK(place.exits.empty());
        CHECK(place.entries.empty());
    }
    SUBCASE("the daemon goes, and the next one starts it") {
        place.zone->detach();
        place.until([&] { return job::runner_status(paths).liveness != job::RunnerLiveness::alive; });
        CHECK((job::runner_status(paths).liveness == job::RunnerLiveness::not_started));
    }
}

TEST_CASE("a runner that dies is lost; one that cannot start, or has no source, is infra") {
    SUBCASE("killed") {
        Place place;
        place.zone->start(place.assignment("job-1", "sleep 60"));
        place.until([&] { return place.step_runs(); });
        ::kill(job::runner_status({place.zone->job_directory(JobId("job-1"), 1)}).pid, SIGKILL);
        CHECK((place.end_of("job-1").end_reason == EndReason::lost));
    }
    SUBCASE("no runner") {
        Place place("/nowhere/cicd-runner");
        place.zone->start(place.assignment("job-1", "true"));
        CHECK((place.end_of("job-1").end_reason == EndReason::infra));
    }
    SUBCASE("no source") {
        Place place;
        auto assignment = place.assignment("job-1", "true");
        assignment.source.tree = std::string(40, '1');
        place.zone->start(assignment);
        CHECK((place.end_of("job-1").end_reason == EndReason::infra));
        CHECK((place.end_of("job-1").state == JobState::failed));
    }
}

TEST_CASE("jobs of a run share a workspace where they are told to, until the run is released") {
    Place place;
    auto first = place.assignment("job-1", "echo more > new.txt");
    auto second = place.assignment("job-2", "test \"$(cat new.txt)\" = more");
    first.shared_workspace = second.shared_workspace = true;
    place.zone->start(first);
    CHECK((place.end_of("job-1").state == JobState::success));
    place.zone->start(second);
    CHECK((place.end_of("job-2").state == JobState::success));
}
