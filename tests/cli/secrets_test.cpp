#include "common/base/base64.hpp"
#include "common/codec/json.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::test;

namespace {

namespace fs = std::filesystem;

const std::string value = "Hidden-w0rd-5521";

std::string contents(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// Files below the folder that hold the text, in any of the forms in which it could be read.
std::vector<std::string> files_with(const fs::path& folder, const std::string& text) {
    std::vector<std::string> found;
    std::error_code ignored;
    const auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator at(folder, options, ignored), end; at != end; at.increment(ignored)) {
        if (!at->is_regular_file(ignored)) continue;
        const auto all = contents(at->path());
        for (const auto& form : {text, to_base64(text).substr(0, to_base64(text).size() - 3), to_base64("x" + text).substr(2, 16)})
            if (contains(all, form)) found.push_back(at->path().string());
    }
    return found;
}

/// Processes in whose command line or environment it stands.
std::vector<std::string> processes_with(const std::string& text, const std::string& program) {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        const auto pid = entry.path().filename().string();
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto command = contents(entry.path() / "cmdline");
        const bool ours = contains(contents(entry.path() / "comm"), program);
        if (contains(command, text) || (ours && contains(contents(entry.path() / "environ"), text))) found.push_back(pid + " " + command);
    }
    return found;
}

RunOptions with_input(const std::string& text) {
    RunOptions options;
    options.input = text;
    return options;
}

const char* const pipeline =
    "name: p\nworkspace: shared\nstages:\n  - name: one\n    env: {TOKEN: '${{ secrets.TOKEN }}'}\n    jobs:\n      j:\n"
    "        outputs: {leak: '${{ steps.s.outputs.v }}', fine: '${{ steps.s.outputs.w }}'}\n        steps:\n"
    "          - id: s\n            name: to ${{ secrets.TOKEN }}\n            run: |\n"
    "              echo \"out $TOKEN\"; echo \"err ${{ secrets.TOKEN }}\" >&2; printf %s \"$TOKEN\" | base64; printf %s \"x$TOKEN\" | base64\n"
    "              printf %s \"$TOKEN\" | head -c 7; sleep 0.1; printf '%s\\n' \"$TOKEN\" | tail -c +8\n"
    "              echo \"v=$TOKEN\" >> $CICD_OUTPUT; echo w=3 >> $CICD_OUTPUT; echo \"## $TOKEN\" >> $CICD_SUMMARY\n"
    "              test ${#TOKEN} = 16 && echo long enough\n"
    "          - {name: second, run: 'echo \"::add-mask::made-here\"; echo made-here ${{ steps.s.outputs.v }}'}\n"
    "          - {name: last, run: 'touch ready; while test ! -e go; do sleep 0.02; done; echo \"nonsense $TOKEN\" >> $CICD_ENV'}\n";

}  // namespace

TEST_CASE("secrets: a job has the value, and nothing else anywhere shows it") {
    const World world;
    GitRepository repository{{".cicd.yaml", pipeline}};
    const auto here = world.in(repository.path());
    world.start_daemon();

    const auto missing = world.cicdctl({"run"}, here);
    CHECK(missing.code == 2);
    CHECK(contains(missing.err, "missing secret 'TOKEN' in stage 'one'"));
    CHECK(contains(missing.err, "cicdctl secret set TOKEN"));

    const auto set = world.cicdctl({"secret", "set", "TOKEN", "--project", repository.path().string()}, with_input(value + "\n"));
    INFO(set.err);
    REQUIRE(set.code == 0);
    const auto plan = world.cicdctl({"plan", "-o", "json"}, here);
    CHECK(plan.code == 0);
    CHECK_FALSE(contains(plan.out + plan.err, value));

    CHECK(world.cicdctl({"run", "--detach"}, here).code == 0);
    REQUIRE(eventually([&] { return fs::exists(world.shared_workspace("run-1") / "ready"); }));
    // While it runs: no file, no command line, no environment of ours.
    CHECK(files_with(world.folder(), value).empty());
    CHECK(processes_with(value, "cicd").empty());
    write_file(world.shared_workspace("run-1") / "go", "");
    CHECK(world.cicdctl({"watch", "run-1"}).code == 1);

    const auto log = world.cicdctl({"logs", "job-1"}).out;
    INFO(log);
    CHECK(contains(log, "out ***\n"));
    CHECK(contains(log, "err ***\n"));
    CHECK(contains(log, "long enough\n"));
    CHECK(contains(log, "*** ***\n"));
    CHECK(contains(log, "output 'leak' holds a secret: it is left out"));
    CHECK_FALSE(contains(log, value.substr(0, 7)));
    CHECK_FALSE(contains(log, "add-mask"));
    const auto shown = world.cicdctl({"show", "job-1", "-o", "json"}).out;
    CHECK(contains(shown, "\"outputs\":{\"fine\":\"3\"}"));
    CHECK(contains(shown, "\"name\":\"to ***\""));
    CHECK(contains(shown, "'nonsense ***'"));
    std::string all;
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"show", "run-1", "-o", "json"}, {"secret", "list", "-o", "json"}, {"secret", "list", "-o", "wide"}, {"secret", "history", "-o", "json"},
             {"explain", "run-1"}, {"api", "GET", "/runs/run-1/plan"}, {"api", "GET", "/events"}, {"logs", "run-1", "-o", "json"}})
        all += world.cicdctl(command).out;
    CHECK_FALSE(contains(shown + all, value));
    CHECK(contains(contents(world.state() / "jobs/job-1/1/summary.md"), "## ***"));
    CHECK(files_with(world.folder(), value).empty());

    // A run that is tried again gets it again; one whose secret is gone says so.
    CHECK(world.cicdctl({"retry", "run-1", "--detach"}).code == 0);
    REQUIRE(eventually([&] { return fs::exists(world.shared_workspace("run-2") / "ready"); }));
    write_file(world.shared_workspace("run-2") / "go", "");
    CHECK(world.cicdctl({"watch", "run-2"}).code == 1);
    CHECK(world.cicdctl({"secret", "rm", "TOKEN", "-y", "--project", repository.path().string()}).code == 0);
    const auto gone = world.cicdctl({"retry", "run-2"});
    CHECK(gone.code != 0);
    CHECK(contains(gone.out + gone.err, "secret 'TOKEN' does not exist any more"));
    const auto history = world.json({"secret", "history", "TOKEN"})["data"].as_array();
    std::vector<std::string> actions;
    for (const auto& event : history) actions.push_back(event["action"].as_string());
    CHECK(actions == std::vector<std::string>{"removed", "used", "used", "set"});
}

TEST_CASE("secrets of a branch: for runs of it, not for what only says that it is") {
    const World world;
    GitRepository repository{{".cicd.yaml", "name: p\nstages: [{name: s, commands: ['echo ${{ secrets.T }}-']}]\n"}};
    world.start_daemon();
    repository.git({"checkout", "-q", "-b", "release/1"});
    CHECK(world.cicdctl({"secret", "set", "T", "--branch", "release/*"}, with_input("for-releases")).code == 0);
    const auto start = [&](const std::string& more) {
        return world.cicdctl({"api", "POST", "/runs", "-d", R"({"repository":")" + repository.path().string() + R"(")" + more + "}"});
    };
    CHECK(start(R"(,"branch":"release/1")").code == 0);
    CHECK(start(R"(,"workingTree":true)").code == 0);
    for (const auto* run : {"run-1", "run-2"}) {
        CHECK(world.cicdctl({"watch", run}).code == 0);
        CHECK(world.cicdctl({"logs", run, "--raw"}).out == "***-\n");
    }
    repository.git({"update-ref", "refs/pull/1/head", "release/1"});
    repository.git({"checkout", "-q", "-b", "mine"});
    for (const auto* claim : {R"(,"workingTree":true,"branch":"release/1")", R"(,"workingTree":true)",
                              R"(,"event":"pull_request","pullRequest":1,"base":"mine")"}) {
        const auto refused = start(claim);
        INFO(claim, refused.out, refused.err);
        CHECK(refused.code != 0);
        CHECK(contains(refused.out + refused.err, "missing secret 'T'"));
    }
}

TEST_CASE("secrets: set, list, rotate, scopes, rm, and what is refused") {
    const World world;
    world.start_daemon();
    const auto secret = [&](std::vector<std::string> words, const std::string& input = {}) {
        words.insert(words.begin(), "secret");
        return world.cicdctl(words, with_input(input));
    };
    CHECK(secret({"list"}).code == 0);
    CHECK(secret({"set", "A"}, "first\n").code == 0);
    CHECK(secret({"set", "A", "--env", "production", "--rotate-by", "2020-01-01"}, "second").code == 0);
    CHECK(secret({"set", "B", "--branch", "release/**", "-f", "@" + (world.folder() / "value").string()}).code != 0);
    write_file(world.folder() / "value", "line 1\nline 2\n");
    CHECK(secret({"set", "B", "--branch", "release/**", "-f", "@" + (world.folder() / "value").string()}).code == 0);
    const auto list = secret({"list"}).out;
    INFO(list);
    CHECK(contains(list, "environment production"));
    CHECK(contains(list, "branch release/**"));
    CHECK(contains(list, "2020-01-01 (due)"));
    CHECK(secret({"list", "--env", "production", "-o", "name"}).out == "A\n");
    CHECK(contains(secret({"rotate", "A"}, "third").err, "version 2"));
    CHECK(secret({"rotate", "C"}, "x").code == 5);
    CHECK(secret({"rm", "C", "-y"}).code == 5);
    CHECK(secret({"rm", "A"}).code == 2);
    CHECK(contains(secret({"rekey"}).err, "3 secrets are encrypted with a new key"));
    CHECK(secret({"rm", "A", "-y"}).code == 0);
    CHECK(secret({"list", "-o", "name"}).out == "A\nB\n");
    CHECK(secret({"set", "1A"}, "x").code == 2);
    const auto typed_behind = secret({"set", "A=typed-value"}, "x");
    CHECK(typed_behind.code == 2);
    CHECK_FALSE(contains(typed_behind.err, "typed-value"));
    CHECK(secret({"set", "A"}, "").code == 2);
    CHECK(secret({"set", "A", "value"}, "x").code == 2);
    CHECK(contains(secret({"set", "TINY"}, "abc").err, "so short"));
    // Over the API: an environment's own, an idempotent POST, and an error that does not repeat the body.
    const auto posted = world.cicdctl({"api", "POST", "/environments/staging/secrets", "-d", R"({"name":"E","value":"Hidden-w0rd-5521"})"});
    CHECK(posted.code == 0);
    CHECK_FALSE(contains(posted.out, value));
    CHECK(contains(world.cicdctl({"api", "GET", "/environments/staging/secrets"}).out, "\"E\""));
    for (const auto* body : {R"({"name":"E","value":"Hidden-w0rd-5521)", R"({"name":"E","value":["Hidden-w0rd-5521"]})",
                             R"({"name":"-","value":"Hidden-w0rd-5521"})", R"({"name":"E","value":"x","valueBase64":"Hidden-w0rd-5521*"})"}) {
        const auto refused = world.cicdctl({"api", "POST", "/secrets", "-d", body});
        CHECK(refused.code != 0);
        CHECK_FALSE(contains(refused.out + refused.err, value));
    }
    CHECK(files_with(world.state(), value).empty());
}

TEST_CASE("the environment of a stage or job decides whose secrets it gets, and can be read") {
    const World world;
    world.start_daemon();
    const auto set = [&](std::vector<std::string> words, const std::string& input) {
        words.insert(words.begin(), {"secret", "set", "KEY"});
        CHECK(world.cicdctl(words, with_input(input)).code == 0);
    };
    set({"--env", "production"}, "of-production");
    set({"--env", "staging"}, "of-staging");
    const std::string steps = "env: {KEY: '${{ secrets.KEY }}'}, steps: ['echo \"${{ environment.name }} $(printf %s \"$KEY\" | wc -c)\"']";
    const GitRepository repository{{".cicd.yaml",
                                    "name: app\nstages:\n  - name: deploy\n    environment: staging\n    jobs:\n"
                                    "      a: {" + steps + "}\n      b: {environment: production, " + steps + "}\n"}};
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "staging 10"));
    CHECK(contains(outcome.out, "production 13"));
    // Without one there is no such secret, and a name that is made up on the way is none.
    for (const std::string environment : {"''", "other", "'${{ git.branch }}'"}) {
        const GitRepository wrong{{".cicd.yaml", "name: app\nstages:\n  - name: deploy\n    environment: " + environment + "\n    jobs: {a: {" + steps + "}}\n"}};
        const auto refused = world.cicdctl({"run"}, world.in(wrong.path()));
        INFO(environment, ": ", refused.err);
        CHECK(refused.code == 2);
        CHECK(contains(refused.err, environment.size() > 10 ? "not written out" : "missing secret 'KEY' in stage 'deploy'"));
    }
}
