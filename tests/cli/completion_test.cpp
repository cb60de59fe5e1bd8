#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

std::string completions(const std::string& file) { return std::string(CICD_SOURCE_DIR) + "/completions/" + file; }

/// A daemon with two runs of a repository and a pipeline that it keeps, and shells that find this build's cicdctl.
struct Shells {
    Shells() : repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: one, commands: ['true']}\n"}} {}

    void fill() const {
        CHECK(world.cicdctl({"run", "-q"}, world.in(repository.path())).code == 0);
        CHECK(world.cicdctl({"run", "-q"}, world.in(repository.path())).code == 0);
        CHECK(world.cicdctl({"pipeline", "create", ".cicd.yaml"}, world.in(repository.path())).code == 0);
    }
    [[nodiscard]] RunOptions options() const {
        RunOptions made;
        made.directory = repository.path();
        made.env = {{"CICD_STATE_DIR", world.state().string()},
                    {"CICD_CONFIG_DIR", world.config().string()},
                    {"CICD_SOCKET", ""},
                    {"HOME", (world.folder() / "home").string()},
                    {"XDG_DATA_HOME", ""},
                    {"XDG_CONFIG_HOME", ""},
                    {"TERM", "xterm"},
                    {"PATH", std::string(CICD_BIN_DIR) + ":" + std::getenv("PATH")}};
        return made;
    }
    /// What bash offers for the words; the last one is being typed.
    [[nodiscard]] std::string bash(const std::vector<std::string>& words) const {
        std::vector<std::string> command{
            "bash", "--norc", "--noprofile", "-c",
            "source \"$0\"; COMP_WORDS=(cicdctl \"$@\"); COMP_CWORD=$#; _cicdctl 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\"",
            completions("cicdctl.bash")};
        command.insert(command.end(), words.begin(), words.end());
        return "\n" + run(command, options()).out;
    }
    [[nodiscard]] std::string fish(const std::string& line) const {
        const auto outcome = run({"fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]",
                                  completions("cicdctl.fish"), "cicdctl " + line},
                                 options());
        CHECK(outcome.err.empty());
        return "\n" + outcome.out;
    }

    GitRepository repository;
    World world;
};

bool have(const char* shell) {
    if (run({"sh", "-c", std::string("command -v ") + shell}).code == 0) return true;
    MESSAGE(shell, " is not installed: its completion is not tested");
    return false;
}

}  // namespace

TEST_CASE_FIXTURE(Shells, "bash: verbs, members, options, choices, and what the daemon knows") {
    fill();
    CHECK(contains(bash({"ex"}), "\nexplain\n"));
    CHECK_FALSE(contains(bash({"ex"}), "\nrun\n"));
    CHECK(contains(bash({"job", ""}), "\nqueue\n"));
    CHECK(contains(bash({"-o", "json", "job", ""}), "\nqueue\n"));
    CHECK(contains(bash({"run", "--pri"}), "\n--priority\n"));
    CHECK(contains(bash({"run", "--priority", "h"}), "\nhigh\n"));
    CHECK(contains(bash({"-o", "y"}), "\nyaml\n"));
    const auto runs = bash({"show", "run-"});
    CHECK(contains(runs, "\nrun-1\n"));
    CHECK(contains(runs, "\nrun-2\n"));
    CHECK(contains(bash({"explain", "job-"}), "\njob-1\n"));
    CHECK(contains(bash({"run", "de"}), "\ndemo\n"));
    CHECK(contains(bash({"config", "set", "cap"}), "\ncapacity.slots\n"));
}

TEST_CASE_FIXTURE(Shells, "bash: a key press in a real terminal") {
    fill();
    auto in_terminal = options();
    in_terminal.terminal = true;
    Background shell({"bash", "--norc", "--noprofile", "-i"}, in_terminal);
    shell.type("source " + completions("cicdctl.bash") + "; echo load'ed'\n");
    REQUIRE(shell.wait_for_output("loaded"));
    shell.type("cicdctl resch\t");
    CHECK(shell.wait_for_output("cicdctl reschedule "));
    shell.type("run-\t\t");
    CHECK(shell.wait_for_output("run-2"));
    shell.type("\x15" "exit\n");
    shell.wait();
}

TEST_CASE_FIXTURE(Shells, "fish: the same, with descriptions") {
    if (!have("fish")) return;
    fill();
    CHECK(contains(fish("ex"), "\nexplain\tTell why"));
    CHECK(contains(fish("job qu"), "\nqueue\tList what waits"));
    CHECK(contains(fish("-o json job qu"), "\nqueue\t"));
    CHECK(contains(fish("run --pri"), "\n--priority\t"));
    CHECK_FALSE(contains(fish("pipeline run --pri"), "--priority"));
    CHECK(contains(fish("run --priority h"), "\nhigh"));
    CHECK(contains(fish("show run-"), "\nrun-1\tdemo success on main"));
    CHECK(contains(fish("job show job-"), "\njob-1\tone success of run-1"));
    CHECK(contains(fish("run de"), "\ndemo"));
}

TEST_CASE_FIXTURE(Shells, "zsh: the same, as it is listed on a terminal") {
    if (!have("zsh")) return;
    fill();
    auto in_terminal = options();
    in_terminal.terminal = true;
    in_terminal.columns = 120;
    Background shell({"zsh", "-f", "-i"}, in_terminal);
    shell.type("PS1='> '; setopt autolist noautomenu nolistbeep nolistambiguous; fpath=(" + std::string(CICD_SOURCE_DIR) +
               "/completions $fpath); autoload -Uz compinit; compinit -u -D; echo load'ed'\n");
    REQUIRE(shell.wait_for_output("loaded"));
    shell.type("cicdctl expl\t");
    CHECK(shell.wait_for_output("explain"));
    shell.type("\x15" "cicdctl show run-\t");
    CHECK(shell.wait_for_output("demo success on main"));
    shell.type("\x15" "cicdctl -o json job \t");
    CHECK(shell.wait_for_output("List what waits, in the order"));
    shell.type("\x15" "cicdctl run --prio\t");
    CHECK(shell.wait_for_output("--priority"));
    shell.type("\x15" "cicdctl run --priority \t");
    CHECK(shell.wait_for_output("critical"));
    shell.type("\x15" "cicdctl config get capacity.s\t");
    CHECK(shell.wait_for_output("capacity.slots"));
    shell.type("\x15" "exit\n");
    shell.wait();
}

TEST_CASE_FIXTURE(Shells, "without a daemon the shells say nothing, fast, and start none") {
    for (const auto* kind : {"run", "job", "id", "pipeline"}) {
        const auto outcome = world.cicdctl({"complete", kind});
        CHECK(outcome.code == 0);
        CHECK(outcome.out.empty());
        CHECK(outcome.err.empty());
    }
    CHECK(bash({"show", "run-"}) == "\n\n");
    CHECK(bash({"show", ""}) == "\n\n");
    CHECK(contains(bash({"sho"}), "\nshow\n"));
    if (have("fish")) CHECK(fish("show run-") == "\n");
    CHECK(world.daemon_pid() == 0);
    CHECK_FALSE(std::filesystem::exists(world.socket()));
}

TEST_CASE_FIXTURE(Shells, "the scripts are those that cicdctl writes, and every shell takes them") {
    for (const auto& [shell, file] : {std::pair{"bash", "cicdctl.bash"}, {"zsh", "_cicdctl"}, {"fish", "cicdctl.fish"}}) {
        const auto outcome = world.cicdctl({"completion", shell});
        CHECK(outcome.code == 0);
        CHECK(outcome.out == read_file(completions(file)));
        if (have(shell)) CHECK(run({shell, "-n", completions(file)}).code == 0);
    }
    CHECK(world.cicdctl({"completion", "tcsh"}).code == 2);
}
