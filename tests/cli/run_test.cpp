#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

const Value& job_named(const Value& run, const std::string& name) {
    static const Value none;
    if (!run["jobs"].is_array()) return none;
    for (const auto& job : run["jobs"].as_array())
        if (job["name"] == Value(name)) return job;
    return none;
}

std::string text(const Value& value) { return value.is_string() ? value.as_string() : "(" + std::string("no text") + ")"; }

}  // namespace

TEST_CASE("run executes the working tree, uncommitted changes included, and exits 0") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: show, commands: ['cat note', 'test ! -e ignored']}\n"},
                              {".gitignore", "ignored\n"},
                              {"note", "committed\n"}};
    repository.write("note", "edited\n");
    repository.write("ignored", "x\n");
    World world;
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out + outcome.err, "edited"));
    CHECK(contains(outcome.out + outcome.err, "success"));
    CHECK(repository.git({"status", "--porcelain"}) == " M note");
}

TEST_CASE("a failing step fails the run: exit 1, with its last lines and what to type next") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: build, commands: ['echo before; exit 7']}\n"
                                             "  - {name: after, commands: ['true']}\n"}};
    World world;
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.out + outcome.err, "before"));
    CHECK(contains(outcome.err + outcome.out, "cicdctl logs"));

    const auto list = world.json({"ps", "-a"});
    REQUIRE(list["data"].is_array());
    REQUIRE(list["data"].as_array().size() == 1);
    const auto run = world.json({"show", text(list["data"].as_array()[0]["id"])});
    CHECK(text(run["status"]) == "failed");
    const auto& build = job_named(run, "build");
    CHECK(text(build["status"]) == "failed");
    CHECK(build["exitCode"] == Value(7));
    CHECK(text(build["endReason"]) == "exit");
    CHECK(text(build["stage"]) == "build");
    CHECK(build["startTime"].is_string());
    CHECK(build["endTime"].is_string());
    CHECK(text(job_named(run, "after")["status"]) == "skipped");
}

TEST_CASE("a stage that its own condition skips lets the next ones go on; one that a failure stopped does not") {
    GitRepository repository{{".cicd.yaml",
                              "name: demo\nparameters:\n  skipTests: {type: boolean, default: true}\n"
                              "  broken: {type: boolean, default: false}\nstages:\n"
                              "  - {name: build, commands: ['test ${{ params.broken }} = false']}\n"
                              "  - {name: test, condition: '!params.skipTests', commands: ['true']}\n"
                              "  - {name: deploy, commands: ['true']}\n"
                              "  - {name: verify, commands: ['true']}\n"}};
    World world;
    CHECK(world.cicdctl({"run"}, world.in(repository.path())).code == 0);
    const auto fine = world.json({"show", "run-1"});
    CHECK(text(job_named(fine, "test")["status"]) == "skipped");
    CHECK(text(job_named(fine, "deploy")["status"]) == "success");
    CHECK(text(job_named(fine, "verify")["status"]) == "success");
    CHECK(world.cicdctl({"run", "-p", "broken=true", "-p", "skipTests=false"}, world.in(repository.path())).code == 1);
    const auto broken = world.json({"show", "run-2"});
    for (const auto* name : {"test", "deploy", "verify"}) CHECK(text(job_named(broken, name)["status"]) == "skipped");
    const auto plan = world.json({"plan"}, world.in(repository.path()));
    for (const auto& job : plan["jobs"].as_array())
        CHECK((job["name"] == Value("test")) == (job["reason"]["decision"] == Value("skip")));
}

TEST_CASE("jobs know which run they belong to, and that somebody of this machine started it") {
    GitRepository repository{{".cicd.yaml",
                              "name: demo\nstages:\n  - name: one\n    commands:\n"
                              "      - 'echo \"${{ run.id }} ${{ run.number }} $CICD_RUN_ID $CICD_RUN_NUMBER $CICD_PIPELINE $CICD_EVENT\"'\n"}};
    World world;
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    CHECK(contains(outcome.out, "run-1 1 run-1 1 demo manual"));
    const auto run = world.json({"show", "run-1"});
    CHECK(text(run["triggeredBy"]["user"]) != "Tester");
}

TEST_CASE("cicdctl works inside a job") {
    GitRepository repository{{"README", "\n"}};
    World world;
    write_file(world.config() / "config.yaml", "executors: {host: true}\n");
    repository.write(".cicd.yaml", "name: demo\nstages:\n  - {name: one, executor: host, commands: ['" + program("cicdctl") + " validate']}\n");
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
}

TEST_CASE("detach gives the run's id; watch exits as the run did") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: one, commands: ['exit 3']}\n"}};
    World world;
    const auto run = world.json({"run", "--detach"}, world.in(repository.path()));
    REQUIRE(run["id"].is_string());
    CHECK(world.cicdctl({"watch", text(run["id"])}).code == 1);
    CHECK(world.cicdctl({"watch", "run-99999"}).code == 5);
}

TEST_CASE("a job starts when its own needs are met, not when the stage before it has ended") {
    GitRepository repository{{".cicd.yaml",
                               "name: dag\nstages:\n"
                               "  - name: first\n    jobs:\n"
                               "      a: {steps: ['true']}\n"
                               "      b: {steps: ['sleep 1000']}\n"
                               "  - name: then\n    needs: [first.a]\n    jobs:\n      c: {steps: ['true']}\n"}};
    World world;
    const auto id = text(world.json({"run", "--detach"}, world.in(repository.path()))["id"]);
    CHECK(eventually([&] { return text(job_named(world.json({"show", id}), "c")["status"]) == "success"; }));
    CHECK(eventually([&] { return text(job_named(world.json({"show", id}), "b")["status"]) == "running"; }));
    CHECK(world.cicdctl({"cancel", id}).code == 0);
    CHECK(world.cicdctl({"watch", id}).code == 9);
    const auto run = world.json({"show", id});
    CHECK(text(run["status"]) == "cancelled");
    CHECK(text(job_named(run, "b")["endReason"]) == "cancelled");
}

TEST_CASE("cancel ends the whole tree, what ignores SIGTERM or left its session included") {
    GitRepository repository{{".cicd.yaml",
                               "name: stubborn\nstages:\n  - name: one\n    jobs:\n      one:\n        steps:\n"
                               "          - run: |\n"
                               "              trap '' TERM\n"
                               "              setsid sleep 98765431 &\n"
                               "              nohup sleep 98765432 &\n"
                               "              echo started\n"
                               "              sleep 98765433\n"}};
    World world;
    const auto id = text(world.json({"run", "--detach"}, world.in(repository.path()))["id"]);
    REQUIRE(eventually([&] { return processes_with_argument("9876543").size() >= 3; }));
    CHECK(world.cicdctl({"cancel", id}).code == 0);
    CHECK(world.cicdctl({"watch", id}).code == 9);
    CHECK(eventually([] { return processes_with_argument("9876543").empty(); }));
}

TEST_CASE("Ctrl-C cancels the run and says so") {
    GitRepository repository{{".cicd.yaml", "name: long\nstages:\n  - {name: one, commands: ['echo ready; sleep 1000']}\n"}};
    World world;
    auto client = world.start_cicdctl({"run"}, world.in(repository.path()));
    REQUIRE(client->wait_for_output("ready"));
    client->signal(SIGINT);
    const auto outcome = client->wait();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 9);
    CHECK(contains(outcome.err + outcome.out, "cancel"));
}

TEST_CASE("events are NDJSON with a schema version") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: one, commands: ['echo hello']}\n"}};
    World world;
    const auto outcome = world.cicdctl({"run", "--events"}, world.in(repository.path()));
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "\"schemaVersion\":1"));
    CHECK(contains(outcome.out, "hello"));
    std::size_t lines = 0, start = 0;
    for (std::size_t end; (end = outcome.out.find('\n', start)) != std::string::npos; start = end + 1) {
        ++lines;
        CHECK(outcome.out[start] == '{');
        CHECK(outcome.out[end - 1] == '}');
    }
    CHECK(lines > 3);
}

TEST_CASE("parameters, stages and jobs are selected from the command line") {
    GitRepository repository{{".cicd.yaml",
                               "name: demo\nparameters:\n  who: {type: string, default: nobody}\nstages:\n"
                               "  - {name: one, commands: ['echo \"hello ${{ params.who }}\"']}\n"
                               "  - {name: two, needs: [], commands: ['echo second']}\n"}};
    World world;
    const auto outcome = world.cicdctl({"run", "-p", "who=world", "--stage", "one"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out + outcome.err, "hello world"));
    CHECK(!contains(outcome.out, "second"));
    const auto wrong = world.cicdctl({"run", "-p", "whom=world"}, world.in(repository.path()));
    CHECK(wrong.code == 2);
    CHECK(contains(wrong.err, "who"));
}

TEST_CASE("a commit is run as it was, whatever the working tree holds") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: one, commands: ['cat note']}\n"}, {"note", "old\n"}};
    const auto old = repository.git({"rev-parse", "HEAD"});
    repository.write("note", "new\n");
    repository.commit("second");
    repository.write("note", "uncommitted\n");
    World world;
    const auto at_old = world.cicdctl({"run", "--commit", old}, world.in(repository.path()));
    CHECK(at_old.code == 0);
    CHECK(contains(at_old.out, "old"));
    const auto at_branch = world.cicdctl({"run", "--branch", "main"}, world.in(repository.path()));
    CHECK(contains(at_branch.out, "new"));
    CHECK(world.cicdctl({"run", "--branch", "mian"}, world.in(repository.path())).code == 5);
}

TEST_CASE("retry runs again what failed and takes over what succeeded") {
    TempDir shared;
    GitRepository repository{{".cicd.yaml",
                               "name: demo\nstages:\n  - {name: fine, commands: ['echo once']}\n"
                               "  - {name: later, commands: ['exit 1']}\n"}};
    World world;
    CHECK(world.cicdctl({"run"}, world.in(repository.path())).code == 1);
    const auto first = world.json({"ps", "-a"})["data"].as_array().at(0);
    const auto outcome = world.cicdctl({"retry", text(first["id"])});
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 1);
    const auto runs = world.json({"ps", "-a"})["data"].as_array();
    REQUIRE(runs.size() == 2);
    const auto second = world.json({"show", text(runs[0]["id"])});
    CHECK(second["retryOf"] == first["id"]);
    CHECK(contains(text(job_named(second, "fine")["message"]), text(first["id"])));
    CHECK(text(job_named(second, "later")["status"]) == "failed");
}

TEST_CASE("logs of a run and of a job are the bytes that were written") {
    GitRepository repository{{".cicd.yaml",
                               "name: demo\nstages:\n  - {name: one, commands: [\"printf 'a\\\\033[31mred\\\\033[0m\\\\n\\\\377\\\\n'; echo oops >&2\"]}\n"}};
    World world;
    CHECK(world.cicdctl({"run"}, world.in(repository.path())).code == 0);
    const auto run = world.json({"show", text(world.json({"ps", "-a"})["data"].as_array().at(0)["id"])});
    const auto job = text(job_named(run, "one")["id"]);
    const auto log = world.cicdctl({"logs", job});
    CHECK(log.code == 0);
    CHECK(contains(log.out, "a\033[31mred\033[0m\n"));
    CHECK(contains(log.out, "oops"));
    CHECK(contains(world.cicdctl({"logs", text(run["id"])}).out, "oops"));
    CHECK(world.cicdctl({"logs", "job-4711"}).code == 5);
}

TEST_CASE("the same run is shown on a terminal, live, and leaves a summary") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: build, commands: ['echo hello']}\n  - {name: test, commands: ['echo bye']}\n"}};
    World world;
    auto options = world.in(repository.path());
    options.terminal = true;
    const auto outcome = world.cicdctl({"run"}, options);
    INFO(outcome.out);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "build"));
    CHECK(contains(outcome.out, "hello"));
    CHECK(contains(outcome.out, "\033["));
    options.env["NO_COLOR"] = "1";
    options.env["TERM"] = "dumb";
    CHECK(!contains(world.cicdctl({"run"}, options).out, "\033["));
}
