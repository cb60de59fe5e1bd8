#include "common/codec/json.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <set>
#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

struct Scene {
    explicit Scene(const std::string& pipeline) : repository{{".cicd.yaml", pipeline}} {}
    Outcome operator()(const std::vector<std::string>& words) const { return world.cicdctl(words, world.in(repository.path())); }
    [[nodiscard]] std::string job(const std::string& run, const std::string& name, const std::string& member = "id") const {
        const auto shown = world.json({"show", run});
        for (const auto& job : shown["jobs"].as_array())
            if (job["name"] == Value(name)) return job[member].is_string() ? job[member].as_string() : "";
        return {};
    }
    GitRepository repository;
    World world;
};

const char* const chain =
    "name: demo\nstages:\n  - {name: build, commands: ['echo building']}\n  - {name: test, commands: ['echo testing; test ! -e broken']}\n"
    "  - {name: deploy, commands: ['echo deploying']}\n";

}  // namespace

TEST_CASE("logs: steps, times, expressions, ends of it, raw bytes") {
    Scene in("name: demo\nstages:\n  - name: one\n    jobs:\n      one:\n        steps:\n"
             "          - {name: first, run: 'echo alpha; echo beta'}\n          - {name: second, run: 'echo gamma; echo delta'}\n");
    CHECK(in({"run", "-q"}).code == 0);
    CHECK(in({"logs", "job-1"}).out == "alpha\nbeta\ngamma\ndelta\n");
    CHECK(in({"logs", "run-1"}).out == "[one] alpha\n[one] beta\n[one] gamma\n[one] delta\n");
    CHECK(in({"logs", "run-1", "--raw"}).out == "alpha\nbeta\ngamma\ndelta\n");
    CHECK(in({"logs", "job-1", "--step", "2"}).out == "gamma\ndelta\n");
    CHECK(in({"logs", "job-1", "--step", "first"}).out == "alpha\nbeta\n");
    CHECK(in({"logs", "job-1", "--tail", "1"}).out == "delta\n");
    CHECK(in({"logs", "job-1", "--step", "first", "--tail", "1"}).out == "beta\n");
    CHECK(in({"logs", "job-1", "--grep", "^(al|de)"}).out == "alpha\ndelta\n");
    CHECK(in({"logs", "job-1", "--since", "1h"}).out == "alpha\nbeta\ngamma\ndelta\n");
    CHECK(in({"logs", "job-1", "--since", "now"}).out.empty());
    CHECK(in({"logs", "job-1", "--attempt", "1"}).out == "alpha\nbeta\ngamma\ndelta\n");
    const auto stamped = in({"logs", "job-1", "--timestamps", "--tail", "1"}).out;
    CHECK(stamped.size() == std::string("2026-11-21T04:40:32.123Z delta\n").size());
    CHECK(in({"logs", "job-1", "--grep", "("}).code == 2);
    CHECK(in({"logs", "job-1", "--since", "yesterdayish"}).code == 2);
    CHECK(in({"logs", "job-1", "--step", "0"}).code == 2);
}

TEST_CASE("logs -f shows what is asked for as it is written") {
    Scene in("name: demo\nstages:\n  - {name: one, commands: ['echo alpha; echo beta; while test ! -e go; do sleep 0.1; done; echo gamma']}\n");
    CHECK(in({"run", "--detach"}).code == 0);
    auto follower = in.world.start_cicdctl({"logs", "job-1", "-f", "--grep", "a$"}, in.world.in(in.repository.path()));
    CHECK(follower->wait_for_output("alpha\nbeta\n"));
    auto narrow = in.world.start_cicdctl({"logs", "run-1", "-f", "--grep", "^b"}, in.world.in(in.repository.path()));
    CHECK(narrow->wait_for_output("[one] beta\n"));
    CHECK(in({"cancel", "run-1"}).code == 0);
    CHECK(follower->wait().code == 0);
    CHECK(narrow->wait().out == "[one] beta\n");
}

TEST_CASE("ps: every filter") {
    Scene in(chain);
    CHECK(in({"run", "-q"}).code == 0);
    in.repository.write("broken", "");
    CHECK(in({"run", "-q"}).code == 1);
    const auto names = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"ps", "-a", "-o", "name"});
        const auto outcome = in(more);
        CHECK(outcome.code == 0);
        return outcome.out;
    };
    CHECK(names({}) == "run-2\nrun-1\n");
    CHECK(names({"--status", "failed"}) == "run-2\n");
    CHECK(names({"--pipeline", "demo"}) == "run-2\nrun-1\n");
    CHECK(names({"--pipeline", "other"}).empty());
    CHECK(names({"--branch", "main"}) == "run-2\nrun-1\n");
    CHECK(names({"--branch", "other"}).empty());
    CHECK(names({"--user", "nobody-of-that-name"}).empty());
    CHECK(names({"--event", "manual"}) == "run-2\nrun-1\n");
    CHECK(names({"--event", "push"}).empty());
    CHECK(names({"--since", "1h"}) == "run-2\nrun-1\n");
    CHECK(names({"--until", "1h"}).empty());
    CHECK(names({"--commit", in.repository.git({"rev-parse", "HEAD"}).substr(0, 8)}) == "run-2\nrun-1\n");
    CHECK(names({"--limit", "1"}) == "run-2\n");
    CHECK(names({"--limit", "1", "--page", "2"}) == "run-1\n");
    CHECK(in({"ps", "-o", "name"}).out.empty());
    CHECK(in({"ps", "--status", "faild"}).code == 2);
    CHECK(contains(in({"ps", "--status", "faild"}).err, "failed"));
}

TEST_CASE("retry: what failed, from a stage on, one job, everything") {
    Scene in(chain);
    in.repository.write("broken", "");
    CHECK(in({"run", "-q"}).code == 1);
    const auto ran = [&](const std::vector<std::string>& words) {
        in(words);
        const auto newest = in.world.json({"show"});
        std::string jobs;
        for (const auto& job : newest["jobs"].as_array())
            if (!job["message"].is_string() || !contains(job["message"].as_string(), "run-1")) jobs += job["name"].as_string() + " ";
        return jobs;
    };
    CHECK(ran({"retry", "run-1", "-q"}) == "test deploy ");
    CHECK(ran({"retry", "run-1", "--failed", "-q"}) == "test deploy ");
    CHECK(ran({"retry", "run-1", "--from", "build", "-q"}) == "build test deploy ");
    CHECK(ran({"retry", "run-1", "--job", "test.test", "-q"}) == "test deploy ");
    CHECK(ran({"retry", "run-1", "--everything", "-q"}) == "build test deploy ");
    CHECK(in({"retry", "run-1", "--from", "nosuch"}).code != 0);
    CHECK(in({"retry", "run-1", "--from", "test", "--everything"}).code == 2);
}

TEST_CASE("run --from leaves the stages before it out") {
    Scene in(chain);
    const auto outcome = in({"run", "--from", "deploy", "--priority", "high"});
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "[deploy] deploying\n");
    CHECK(in.world.json({"show", "run-1"})["priority"] == Value("high"));
    CHECK(in({"run", "--priority", "urgent"}).code == 2);
}

TEST_CASE("what waits is listed, explained and rescheduled") {
    Scene in("name: demo\nstages:\n  - name: one\n    jobs:\n      a: {steps: ['sleep 1000']}\n      b: {needs: [a], steps: ['true']}\n");
    CHECK(in({"run", "--detach"}).code == 0);
    REQUIRE(eventually([&] { return in.job("run-1", "a", "status") == "running"; }));
    const auto waiting = in.job("run-1", "b");
    const auto text = in({"explain", "run-1"});
    INFO(text.out, text.err);
    CHECK(text.code == 0);
    CHECK(contains(text.out, "wait"));
    CHECK(contains(text.out, "one.a"));
    const auto facts = in.world.json({"explain", waiting});
    REQUIRE(facts["jobs"].as_array().size() == 1);
    CHECK(facts["jobs"].as_array()[0]["verdict"] == Value("waits"));
    CHECK(facts["jobs"].as_array()[0]["causes"].as_array().at(0)["kind"] == Value("need"));
    const auto later = in({"job", "reschedule", waiting, "--priority", "high", "--not-before", "10m"});
    INFO(later.out, later.err);
    CHECK(later.code == 0);
    CHECK(in.job("run-1", "b", "priority") == "high");
    CHECK(in({"reschedule", "run-1", "--priority", "low"}).code == 0);
    CHECK(in({"job", "queue"}).code == 0);
    CHECK(in({"reschedule", "run-1"}).code == 2);
    CHECK(in({"explain", "run-99"}).code == 5);
    CHECK(in({"cancel", "run-1"}).code == 0);
}

TEST_CASE("config: every setting with its origin, changed without losing comments") {
    Scene in(chain);
    write_file(in.world.config() / "config.yaml", "# mine\noutput: table # people\n");
    const auto list = in({"config", "list", "--show-origin"});
    CHECK(list.code == 0);
    CHECK(contains(list.out, "config.yaml"));
    CHECK(contains(list.out, "$CICD_STATE_DIR"));
    CHECK(contains(list.out, "default"));
    CHECK(contains(list.out, "capacity.slots"));
    CHECK(contains(in({"config", "list", "--show-origin", "--color", "never"}).out, "--color"));
    CHECK(in({"config", "set", "capacity.slots", "3"}).code == 0);
    CHECK(in({"config", "get", "capacity.slots"}).out == "3\n");
    CHECK(read_file(in.world.config() / "config.yaml") == "# mine\noutput: table # people\ncapacity:\n  slots: 3\n");
    CHECK(in({"config", "set", "output", "jsn"}).code == 2);
    CHECK(in({"config", "set", "capacity.slot", "3"}).code == 2);
    CHECK(in({"config", "unset", "capacity.slots"}).code == 0);
    CHECK(in({"config", "set", "output", "json", "--project"}).code == 0);
    CHECK(in({"config", "get", "output"}).out.find("\"value\":\"json\"") != std::string::npos);
    CHECK(contains(in({"config", "get", "output"}).out, ".cicd/config.yaml"));
}

TEST_CASE("doctor tries what the engine needs, and names a remedy for each finding") {
    Scene in(chain);
    const auto findings = in.world.json({"doctor"});
    std::set<std::string> names;
    for (const auto& finding : findings["findings"].as_array()) {
        names.insert(finding["name"].as_string());
        INFO(finding["name"].as_string(), finding["detail"].as_string());
        if (finding["level"] != Value("good")) CHECK(finding["remedy"].is_string());
    }
    for (const auto* name : {"sandbox", "cgroups", "seccomp", "git", "cicdd", "cicd-runner", "state", "disk", "clock", "daemon", "files"})
        CHECK(names.count(name) == 1);
    auto broken = in.world.in(in.repository.path());
    broken.env["PATH"] = (in.world.folder() / "nothing").string();
    const auto without = in.world.cicdctl({"doctor"}, broken);
    CHECK(without.code == 3);
    CHECK(contains(without.out, "apt-get install bubblewrap"));
    CHECK(contains(without.out, "apt-get install git"));
    CHECK(in.world.daemon_pid() == 0);
}

TEST_CASE("a daemon that is told SIGHUP reads its log level again, and says why where it cannot") {
    Scene in(chain);
    CHECK(in({"daemon", "start"}).code == 0);
    CHECK(in({"daemon", "log-level"}).out == "info\n");
    write_file(in.world.config() / "config.yaml", "logLevel: debug\n");
    ::kill(in.world.daemon_pid(), SIGHUP);
    CHECK(eventually([&] { return in({"daemon", "log-level"}).out == "debug\n"; }));
    write_file(in.world.config() / "config.yaml", "logLevel: [\n");
    ::kill(in.world.daemon_pid(), SIGHUP);
    CHECK(eventually([&] { return contains(read_file(in.world.state() / "cicdd.log"), "was not read again"); }));
    CHECK(in({"run", "-q"}).code == 2);  // the command reads the same file
    write_file(in.world.config() / "config.yaml", "");
    CHECK(in({"run", "-q"}).code == 0);
}

TEST_CASE("the daemon's own commands") {
    Scene in(chain);
    CHECK(in({"run", "-q"}).code == 0);
    CHECK(in({"daemon", "log-level"}).out == "info\n");
    CHECK(in({"daemon", "log-level", "debug"}).out == "debug\n");
    CHECK(in({"daemon", "log-level", "loud"}).code == 2);
    CHECK(contains(in({"daemon", "cleanup", "--dry-run"}).out, "Would remove 0 runs"));
    const auto file = (in.world.folder() / "backup").string();
    const auto backup = in({"daemon", "backup", file});
    INFO(backup.out, backup.err);
    REQUIRE(backup.code == 0);
    CHECK(in({"daemon", "backup", file}).code == 7);
    CHECK(in({"daemon", "restore", file}).code == 7);
    CHECK(in({"daemon", "logs", "--tail", "1"}).code == 0);
    CHECK(in({"daemon", "stop"}).code == 0);
    std::filesystem::remove_all(in.world.state());
    const auto restored = in({"daemon", "restore", file});
    INFO(restored.out, restored.err);
    CHECK(restored.code == 0);
    CHECK(in.world.json({"show", "run-1"})["status"] == Value("success"));
    CHECK(in({"logs", "run-1"}).out == "[build] building\n[test] testing\n[deploy] deploying\n");
}

TEST_CASE("import --output names a folder where that is no format") {
    const World world;
    write_file(world.folder() / "x.gitlab-ci.yml", "a: {script: ['true']}\n");
    const auto printed = world.cicdctl({"import", "x.gitlab-ci.yml", "--output", "made/here"});
    INFO(printed.out, printed.err);
    CHECK(printed.code == 0);
    CHECK(printed.out == "made/here/x.gitlab-ci.yaml\n");
    CHECK(std::filesystem::exists(world.folder() / "made/here/x.gitlab-ci.yaml"));
    CHECK(world.json({"import", "x.gitlab-ci.yml", "--output", "other"})["data"].as_array().at(0)["written"].as_string() == "other/x.gitlab-ci.yaml");
    const auto mistyped = world.cicdctl({"import", "x.gitlab-ci.yml", "-o", "jsn"});
    CHECK(mistyped.code == 2);
    CHECK(mistyped.err.find("./jsn") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(world.folder() / "jsn"));
    CHECK(world.cicdctl({"ps", "-o", "other"}).code == 2);
}
