#include "tests/support/screen.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

/// A repository, a daemon and a terminal.
struct Scene {
    explicit Scene(const std::string& pipeline) : repository{{".cicd.yaml", pipeline}} { world.start_daemon(); }

    [[nodiscard]] RunOptions terminal(unsigned short columns = 80, unsigned short rows = 24) const {
        auto options = world.in(repository.path());
        options.terminal = true;
        options.columns = columns;
        options.rows = rows;
        return options;
    }
    [[nodiscard]] std::string state() const {
        const auto run = world.json({"show", "run-1"});
        return run["status"].is_string() ? run["status"].as_string() : "";
    }

    GitRepository repository;
    World world;
};

Screen shown(const Outcome& outcome, unsigned short columns = 80, unsigned short rows = 24) {
    Screen screen(columns, rows);
    screen.feed(outcome.out);
    return screen;
}

const char* const long_run = "name: demo\nstages:\n  - {name: one, commands: ['echo ready; sleep 1000']}\n";

}  // namespace

TEST_CASE("a run on a terminal leaves its log and a summary, no trace of the tree, and the terminal as it was") {
    Scene scene("name: demo\nstages:\n  - {name: build, commands: ['echo hello']}\n  - {name: test, commands: ['echo bye; exit 3']}\n");
    auto client = scene.world.start_cicdctl({"run"}, scene.terminal());
    const auto outcome = client->wait();
    const auto screen = shown(outcome);
    INFO(screen.text());
    CHECK(outcome.code == 1);
    CHECK(contains(screen.text(), "[build] hello\n"));
    CHECK(contains(screen.text(), "✗ test: exit code 3 in step 1"));
    CHECK(contains(screen.text(), "│ bye"));
    CHECK(contains(screen.text(), "cicdctl retry run-1"));
    CHECK_FALSE(contains(screen.text(), "leaves it running"));
    CHECK(screen.cursor_visible());
}

TEST_CASE("while it runs the tree stands below the log, and never leaves the screen") {
    std::string jobs;
    for (int i = 0; i < 40; ++i) jobs += "      j" + std::to_string(i) + ": {steps: ['echo line of " + std::to_string(i) + "']}\n";
    Scene scene("name: demo\nstages:\n  - name: many\n    jobs:\n" + jobs + "  - {name: last, commands: ['echo last; sleep 1000']}\n");
    auto client = scene.world.start_cicdctl({"run"}, scene.terminal(60, 12));
    REQUIRE(client->wait_for_output("[last]"));  // its colour ends before the text
    REQUIRE(client->wait_for_output("leaves it running"));
    CHECK_FALSE(client->terminal_is_plain());
    client->type("q");
    const auto outcome = client->wait();
    Screen screen(60, 12);
    // Every frame must fit: what is above the tree is log, and the tree is whole.
    std::size_t frames = 0;
    for (std::size_t at = 0, end = 0; at < outcome.out.size(); at = end) {
        const auto next = outcome.out.find("\x1b[?2026l", at);
        end = next == std::string::npos ? outcome.out.size() : next + 8;
        screen.feed(std::string_view(outcome.out).substr(at, end - at));
        if (next == std::string::npos) break;
        ++frames;
        std::size_t heads = 0, hints = 0;
        for (const auto& line : screen.lines()) {
            heads += line.starts_with("run-1 demo") ? 1 : 0;
            hints += contains(line, "leaves it running") ? 1 : 0;
        }
        CHECK(heads == 1);
        CHECK(hints == 1);
    }
    CHECK(frames > 1);
    CHECK(outcome.code == 8);
}

TEST_CASE("q and Ctrl-\\ leave the run running, and say how to come back") {
    for (const auto* key : {"q", "\x1c"}) {
        Scene scene(long_run);
        auto client = scene.world.start_cicdctl({"run"}, scene.terminal());
        REQUIRE(client->wait_for_output("ready"));
        REQUIRE(eventually([&] { return !client->terminal_is_plain(); }));
        client->type(key);
        const auto outcome = client->wait();
        INFO(outcome.out);
        CHECK(outcome.code == 8);
        CHECK(contains(outcome.out, "cicdctl watch run-1"));
        CHECK(shown(outcome).cursor_visible());
        CHECK(scene.state() == "running");
        CHECK(scene.world.cicdctl({"cancel", "run-1"}).code == 0);
    }
}

TEST_CASE("Ctrl-C cancels at once and says so; the run's end is waited for") {
    Scene scene(long_run);
    auto client = scene.world.start_cicdctl({"run"}, scene.terminal());
    REQUIRE(client->wait_for_output("ready"));
    client->type("\x03");
    REQUIRE(client->wait_for_output("Cancelling run-1"));
    const auto outcome = client->wait();
    INFO(outcome.out);
    CHECK(outcome.code == 9);
    CHECK(contains(shown(outcome).text(), "run-1 cancelled"));
    CHECK(scene.state() == "cancelled");
}

TEST_CASE("a second Ctrl-C kills what does not end by itself; a third does not wait") {
    Scene scene("name: demo\nstages:\n  - {name: one, commands: [\"trap '' TERM INT; echo ready; while :; do sleep 1; done\"]}\n");
    auto client = scene.world.start_cicdctl({"run"}, scene.terminal());
    REQUIRE(client->wait_for_output("ready"));
    client->type("\x03");
    REQUIRE(client->wait_for_output("Cancelling run-1"));
    SUBCASE("twice") {
        client->type("\x03");
        CHECK(client->wait_for_output("Killing what is left of run-1"));
        const auto outcome = client->wait();
        INFO(outcome.out);
        CHECK(outcome.code == 9);
        CHECK(scene.state() == "cancelled");
        const auto log = scene.world.cicdctl({"logs", "run-1"}).out;
        CHECK(contains(log, "everything is killed"));
        CHECK_FALSE(contains(log, "still running after"));
    }
    SUBCASE("three times") {
        // A runner that hears nothing, until the daemon kills it.
        const auto runner = std::stoi(read_file(scene.world.state() / "jobs/job-1/1/pid"));
        ::kill(runner, SIGSTOP);
        client->type("\x03");
        REQUIRE(client->wait_for_output("Killing what is left of run-1"));
        client->type("\x03");
        const auto outcome = client->wait();
        INFO(outcome.out);
        CHECK(outcome.code == 130);
        CHECK(contains(outcome.out, "is being cancelled by the daemon"));
        CHECK(shown(outcome).cursor_visible());
    }
}

TEST_CASE("Ctrl-C of watch leaves the run alone") {
    Scene scene(long_run);
    CHECK(scene.world.cicdctl({"run", "--detach"}, scene.world.in(scene.repository.path())).code == 0);
    auto client = scene.world.start_cicdctl({"watch"}, scene.terminal());
    REQUIRE(client->wait_for_output("ready"));
    client->type("\x03");
    CHECK(client->wait().code == 130);
    CHECK(scene.state() == "running");
    CHECK(scene.world.cicdctl({"cancel", "run-1"}).code == 0);
}

TEST_CASE("stopped by Ctrl-Z, the shell has its terminal back; continued, the tree is there again") {
    Scene scene(long_run);
    auto options = scene.terminal();
    options.env = {{"CICD_STATE_DIR", scene.world.state().string()}, {"CICD_CONFIG_DIR", scene.world.config().string()},
                   {"HOME", scene.world.folder().string()}, {"TERM", "xterm-256color"}, {"CICD_SOCKET", ""}};
    Background shell({"bash", "--norc", "--noprofile", "-i", "-c",
                      program("cicdctl") + " run; echo stopped=$?; stty -a | grep -q ' icanon' && echo plain-terminal; fg; echo code=$?"},
                     options);
    REQUIRE(shell.wait_for_output("ready"));
    REQUIRE(eventually([&] { return !shell.terminal_is_plain(); }));
    shell.type("\x1a");
    REQUIRE(shell.wait_for_output("plain-terminal"));
    REQUIRE(eventually([&] { return !shell.terminal_is_plain(); }));
    const auto before = shell.output().find("plain-terminal");
    REQUIRE(shell.wait_for_output("leaves it running", std::chrono::seconds(60), before));
    shell.type("q");
    REQUIRE(shell.wait_for_output("code=8"));
    CHECK(scene.world.cicdctl({"cancel", "run-1"}).code == 0);
}

TEST_CASE("however it dies, the terminal is as it was") {
    for (const int signal : {SIGTERM, SIGHUP, SIGSEGV, SIGABRT}) {
        Scene scene(long_run);
        auto run = scene.world.start_cicdctl({"run"}, scene.terminal());
        REQUIRE(run->wait_for_output("ready"));
        REQUIRE(eventually([&] { return !run->terminal_is_plain(); }));
        run->signal(signal);
        // While the process dies the terminal is still open on our side.
        CHECK(eventually([&] { return run->terminal_is_plain(); }));
        const auto outcome = run->wait();
        INFO(signal, outcome.out);
        CHECK(shown(outcome).cursor_visible());
        scene.world.cicdctl({"cancel", "run-1"});
    }
}

TEST_CASE("a terminal that changes its size gets lines that fit it") {
    Scene scene(long_run);
    auto client = scene.world.start_cicdctl({"run"}, scene.terminal(100, 30));
    REQUIRE(client->wait_for_output("ready"));
    REQUIRE(client->wait_for_output("leaves it running"));
    const auto before = client->output().size();
    client->resize(40, 10);
    REQUIRE(client->wait_for_output("\x1b[J", std::chrono::seconds(60), before));
    client->type("q");
    const auto outcome = client->wait();
    INFO(outcome.out.substr(before));
    const auto first = outcome.out.find("\x1b[J", before);
    Screen screen(200, 60);
    screen.feed(std::string_view(outcome.out).substr(first, outcome.out.find("\x1b[?2026l", first) - first));
    for (const auto& line : screen.lines()) CHECK(line.size() < 40 + 8);  // "⠋" and "·" take three and two bytes
    CHECK(scene.world.cicdctl({"cancel", "run-1"}).code == 0);
}

TEST_CASE("the expected time comes from what earlier runs took") {
    Scene scene("name: demo\nparameters:\n  wait: {type: number, default: 2}\nstages:\n"
                "  - {name: one, commands: ['echo ready; sleep ${{ params.wait }}']}\n");
    CHECK(scene.world.cicdctl({"run", "-q"}, scene.world.in(scene.repository.path())).code == 0);
    auto client = scene.world.start_cicdctl({"run", "-p", "wait=1000"}, scene.terminal());
    CHECK(client->wait_for_output("of ~2"));
    client->type("\x03");
    CHECK(client->wait().code == 9);
}

TEST_CASE("colours: NO_COLOR, CLICOLOR_FORCE, --color and dumb terminals are obeyed") {
    Scene scene("name: demo\nstages:\n  - {name: one, commands: [\"printf '\\\\033[31mred\\\\033[0m\\\\n'\"]}\n");
    const auto colours = [&](std::map<std::string, std::string> env, bool terminal, std::vector<std::string> more = {}) {
        auto options = terminal ? scene.terminal() : scene.world.in(scene.repository.path());
        options.env = std::move(env);
        std::vector<std::string> words{"run"};
        words.insert(words.end(), more.begin(), more.end());
        const auto outcome = scene.world.cicdctl(words, options);
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
        return contains(outcome.out + outcome.err, "\x1b[32m");
    };
    CHECK(colours({}, true));
    CHECK_FALSE(colours({{"NO_COLOR", "1"}}, true));
    CHECK_FALSE(colours({{"TERM", "dumb"}}, true));
    CHECK_FALSE(colours({}, false));
    CHECK(colours({{"CLICOLOR_FORCE", "1"}}, false));
    CHECK_FALSE(colours({{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}, false));
    CHECK(colours({}, false, {"--color", "always"}));
    CHECK_FALSE(colours({{"CLICOLOR_FORCE", "1"}}, false, {"--color=never"}));
}

TEST_CASE("a dumb terminal and a pipe get plain lines, without moving the cursor") {
    Scene scene("name: demo\nstages:\n  - {name: one, commands: ['echo hello']}\n");
    auto dumb = scene.terminal();
    dumb.env["TERM"] = "dumb";
    CHECK_FALSE(contains(scene.world.cicdctl({"run"}, dumb).out, "\x1b["));
    const auto piped = scene.world.cicdctl({"run"}, scene.world.in(scene.repository.path()));
    CHECK(piped.out == "[one] hello\n");
    CHECK(contains(piped.err, "✓ one success"));
    CHECK_FALSE(contains(piped.out + piped.err, "\x1b"));
}
