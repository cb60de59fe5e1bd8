#include "tests/support/engine_scene.hpp"
#include "tests/support/ordinary_user.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace cicd;
using namespace cicd::test;

// Actions of workflows that are an image or a Dockerfile, by a real engine.
namespace {

const std::string file = ".github/workflows/ci.yml";

std::string workflow(const std::string& steps, const std::string& of_job = "") {
    return "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n" + of_job + "    steps:\n" + steps;
}

const std::string action = "name: greets\ninputs: {who: {default: nobody}, 'two words': {default: '2'}}\noutputs: {said: {description: x}}\n"
                           "runs:\n  using: docker\n  image: Dockerfile\n  env: {FROM_ACTION: 'of ${{ inputs.who }}', KEPT: lost}\n"
                           "  args: ['${{ inputs.who }}', 'and more']\n";
const std::string recipe = "FROM localhost/box:1\nCOPY entry.sh /entry.sh\nENTRYPOINT [\"/bin/sh\", \"/entry.sh\"]\n";
const std::string script = "echo \"given $# $1 ($2)\"\n"
                           "echo \"sees $INPUT_WHO ${FROM_ACTION} $KEPT $HOME $PWD $GITHUB_WORKSPACE\"\n"
                           "env | grep -c '^INPUT_TWO WORDS=2$\\|^INPUT_TWO_WORDS=2$'\n"
                           "test -s \"$GITHUB_EVENT_PATH\" && echo has its event\n"
                           "cat note; echo written > made; echo at-home > $HOME/kept\n"
                           "echo \"said=by file\" >> $GITHUB_OUTPUT; echo '::set-output name=told::by command'\n"
                           "echo LATER=learned >> $GITHUB_ENV; echo to-stderr >&2; echo '::warning file=note,line=1::look at it'\n"
                           "echo '# Summary' >> $GITHUB_STEP_SUMMARY\n"
                           "echo '::add-mask::do-not-show'; echo do-not-show\n";

struct Scene : EngineScene {
    explicit Scene(const std::string& steps, std::vector<std::pair<std::string, std::string>> more = {}, const std::string& of_job = "")
        : EngineScene([&] {
              more.insert(more.end(), {{file, workflow(steps, of_job)}, {"note", "noted\n"}});
              return more;
          }()) {}
};

}  // namespace

TEST_CASE("an action with a Dockerfile is given what others are, and what it says and writes is the job's") {
    if (has_no_podman()) return;
    Scene scene("      - uses: actions/checkout@v4\n"
                "      - {id: it, uses: ./greets, with: {who: you}, env: {KEPT: kept}}\n"
                "      - run: echo \"$LATER ${{ steps.it.outputs.said }} ${{ steps.it.outputs.told }} $(cat made)\"; rm made; echo again > note\n"
                "      - {uses: ./greets, with: {entrypoint: cat, args: 'note \"/github/home/kept\"'}}\n",
                {{"greets/action.yml", action}, {"greets/Dockerfile", recipe}, {"greets/entry.sh", script}});
    const auto run = scene.run({"--strict"});
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    const auto log = scene.logs();
    INFO(log);
    CHECK(contains(log, "given 2 you (and more)"));
    CHECK(contains(log, "sees you of you kept /github/home /github/workspace /github/workspace"));
    CHECK(contains(log, "has its event"));
    CHECK(contains(log, "noted"));
    CHECK(contains(log, "to-stderr"));
    CHECK(contains(log, "learned by file by command written"));
    CHECK(contains(log, "again\nat-home"));
    CHECK(!contains(log, "do-not-show"));
    CHECK(scene.job()["steps"].as_array()[1]["annotations"].as_array().size() == 1);
    CHECK(scene.is_clean());
    CHECK(!std::filesystem::exists(scene.world.state() / "jobs/job-1/1/files"));
}

TEST_CASE("a step that is an image gets its arguments, and fails with its program's exit code") {
    if (has_no_podman()) return;
    Scene scene("      - {uses: 'docker://localhost/box:1', with: {entrypoint: /bin/sh, args: '-c \"cat /etc/image-file; id -u; echo to $INPUT_OTHER\"', other: you}}\n"
                "      - {uses: 'docker://localhost/box:1', with: {entrypoint: sh, args: '-c \"echo out=partly >> $GITHUB_OUTPUT; exit 7\"'}, id: bad, continue-on-error: true}\n"
                "      - run: echo \"${{ steps.bad.outcome }} ${{ steps.bad.outputs.out }}\"\n"
                "      - {uses: 'docker://localhost/box:1', with: {entrypoint: /bin/false-not-there}}\n"
                "      - run: echo never\n");
    const auto run = scene.run();
    INFO(run.out, run.err);
    CHECK(run.code == 1);
    const auto log = scene.logs();
    INFO(log);
    CHECK(contains(log, "of the image"));
    CHECK(contains(log, "to you"));
    CHECK(contains(log, "failure partly"));
    CHECK(!contains(log, "never"));
    const auto steps = scene.job()["steps"].as_array();
    CHECK(steps[1]["exitCode"] == Value(7));
    CHECK(steps[3]["status"] == Value("failed"));
    CHECK(scene.is_clean());
}

TEST_CASE("what goes before and after an action in a container does, also within a composite one") {
    if (has_no_podman()) return;
    Scene scene("      - uses: actions/checkout@v4\n      - uses: ./outer\n      - run: echo between\n",
                {{"outer/action.yml", "name: o\nruns:\n  using: composite\n  steps:\n    - {uses: ./inner}\n"},
                 {"inner/action.yml", "name: i\nruns:\n  using: docker\n  image: docker://localhost/box:1\n  pre-entrypoint: /github/workspace/before\n"
                                      "  entrypoint: /github/workspace/main\n  post-entrypoint: /github/workspace/after\n  args: [x]\n"},
                 {"before", "#!/bin/sh\necho \"before $1\"; echo from=before >> $GITHUB_STATE\n"},
                 {"main", "#!/bin/sh\necho \"main $STATE_from\"; echo '::save-state name=more::main'\n"},
                 {"after", "#!/bin/sh\necho \"after $STATE_from $STATE_more\"\n"}});
    scene.repository.git({"config", "core.fileMode", "true"});
    for (const char* name : {"before", "main", "after"})
        std::filesystem::permissions(scene.repository.path() / name, std::filesystem::perms{0755});
    const auto run = scene.run();
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    const auto log = scene.logs();
    INFO(log);
    const auto before = log.find("before x"), main = log.find("main before"), between = log.find("between"), after = log.find("after before main");
    CHECK(before < main);
    CHECK(main < between);
    CHECK(between < after);
    CHECK(after != log.npos);
    CHECK(scene.is_clean());
}

TEST_CASE("an action's container reaches the services of its job by name, with its network and no other") {
    if (has_no_podman()) return;
    Scene scene("      - {uses: 'docker://localhost/box:1', with: {entrypoint: /bin/sh, args: '-c \"wget -q -O - http://web:8080/image-file; wget -q -O - http://site:8080/motd; cat /proc/net/dev\"'}}\n", {},
                "    services:\n      web: {image: box, command: 'httpd -f -p 8080 -h /etc', options: '--network-alias site --health-cmd \"wget -q -O - http://localhost:8080/motd\"'}\n");
    write_oci_layout(scene.world.folder() / "layout", {{busybox_layer(), Tar().file("etc/motd", "of the service\n").bytes()}, "{}", ""});
    REQUIRE(scene.world.cicdctl({"image", "import", "box", (scene.world.folder() / "layout").string()}).code == 0);
    const auto run = scene.run();
    const auto log = scene.logs();
    INFO(run.out, run.err, log);
    CHECK(run.code == 0);
    CHECK(contains(log, "of the image"));
    CHECK(contains(log, "of the service"));
    CHECK(!contains(log, "eth0"));
    CHECK(scene.is_clean());
}

TEST_CASE("an action's Dockerfile runs programs, sees nothing that .dockerignore names, and its image can be found again") {
    if (has_no_podman()) return;
    Scene scene("      - uses: actions/checkout@v4\n      - uses: ./made\n",
                {{"made/action.yml", "runs: {using: docker, image: Dockerfile}\n"},
                 {"made/Dockerfile", "FROM localhost/box:1\nCOPY . /all\nRUN cd /all && find . -type f | sort > /listed && id -u >> /listed\nENTRYPOINT [\"cat\", \"/listed\"]\n"},
                 {"made/.dockerignore", "*\n!wanted\n!Dockerfile\nwanted/*.tmp\n"},
                 {"made/private", "x\n"}, {"made/wanted/file", "y\n"}, {"made/wanted/file.tmp", "z\n"}});
    const auto run = scene.run({"--strict"});
    const auto log = scene.logs();
    INFO(run.out, run.err, log);
    CHECK(run.code == 0);
    CHECK(contains(log, "./Dockerfile\n./wanted/file\n0\n"));
    CHECK(!contains(log, "./private"));
    CHECK(!scene.engine.command({"images", "--quiet", "--filter", "label=io.cicd.action=true", "--filter", "label=io.cicd.state=" + scene.world.state().string()}).out.empty());
    CHECK(scene.is_clean());
}

TEST_CASE("whoever ends a step in a container, no container stays") {
    if (has_no_podman()) return;
    // The first process of a container hears only signals that it asked for.
    const std::string waits = "with: {entrypoint: sh, args: '-c \"trap \\\"echo asked; exit 3\\\" TERM; echo begun; while true; do sleep 0.1; done\"'}";
    Scene scene("      - {uses: 'docker://localhost/box:1', " + waits + "}\n      - {if: always(), run: echo at last}\n");
    SUBCASE("who cancels") {
        REQUIRE(scene.run({"--detach"}).code == 0);
        REQUIRE(eventually([&] { return contains(scene.logs(), "begun"); }));
        CHECK(scene.engine.containers().size() == scene.before.size() + 1);
        CHECK(scene.world.cicdctl({"job", "cancel", "job-1"}).code == 0);
        CHECK(eventually([&] { return scene.job()["status"] == Value("cancelled"); }));
        CHECK(contains(scene.logs(), "asked"));
        CHECK(contains(scene.logs(), "at last"));
    }
    SUBCASE("its time") {
        scene.repository.write(file, workflow("      - {uses: 'docker://localhost/box:1', timeout-minutes: 0.02, " + waits + "}\n"));
        CHECK(scene.run().code == 1);
        CHECK(contains(scene.logs(), "the step ran longer than"));
        CHECK(scene.job()["steps"].as_array()[0]["endReason"] == Value("timeout"));
    }
    SUBCASE("who kills the runner and all it started") {
        REQUIRE(scene.run({"--detach"}).code == 0);
        REQUIRE(eventually([&] { return contains(scene.logs(), "begun"); }));
        auto all = processes_with_argument((scene.world.state() / "jobs/job-1/1").string());
        kill_together(all);
        CHECK(eventually([&] { return scene.job()["endReason"] == Value("lost"); }));
    }
    CHECK(scene.is_clean());
}

TEST_CASE("without an engine such a step is skipped, told, and refused with --strict") {
    const World world;
    write_file(world.config() / "config.yaml", "engine: none\nactions: {server: none}\n");
    const GitRepository repository{{file, workflow("      - uses: actions/checkout@v4\n      - uses: 'docker://alpine:3'\n      - uses: ./mine\n      - run: echo goes on\n")},
                                   {"mine/Dockerfile", "FROM scratch\n"}};
    const auto here = world.in(repository.path());
    const auto run = world.cicdctl({"run"}, here);
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    CHECK(contains(run.err, "docker://alpine:3: the step is skipped: it runs in a container, and there is no engine for it"));
    CHECK(contains(run.err, "./mine: the step is skipped"));
    const auto log = world.cicdctl({"logs", "job-1"}).out;
    CHECK(contains(log, "engine: none"));
    CHECK(contains(log, "goes on"));
    const auto steps = world.json({"show", "job-1"})["steps"].as_array();
    CHECK(steps[1]["status"] == Value("skipped"));
    CHECK(steps[2]["status"] == Value("skipped"));
    CHECK(world.cicdctl({"run", "--strict"}, here).code == 2);
}

TEST_CASE("an action in a container that only the job makes is skipped with the reason") {
    const World world;
    write_file(world.config() / "config.yaml", "engine: none\n");
    const GitRepository repository{{file, workflow("      - run: mkdir made; echo 'FROM scratch' > made/Dockerfile\n      - uses: ./made\n")}};
    const auto run = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(run.out, run.err);
    CHECK(run.code == 0);
    const auto steps = world.json({"show", "job-1"})["steps"].as_array();
    CHECK(steps[1]["status"] == Value("skipped"));
    // Where checkouts cannot be laid over each other, as with a sanitizer in the runner, an engine sees every workspace.
    const bool layers = why_not_in_an_image().empty() && contains(world.cicdctl({"doctor"}).out, "checkouts can be laid over each other");
    CHECK(contains(steps[1]["message"].as_string(), layers ? "was not known when the run was planned" : "there is no engine for it"));
}

TEST_CASE("an ordinary user's Podman makes actions' images and containers, and volumes of a job's own") {
    if (has_no_podman()) return;
    if (const auto why = OrdinaryUser::why_not(); !why.empty()) {
        MESSAGE("skipped: " << why);
        return;
    }
    const OrdinaryUser user(OrdinaryUser::Ids::some);
    const GitRepository repository{
        {file, "on: push\njobs:\n  beside:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - {id: it, uses: ./made, with: {who: you}}\n"
               "      - run: echo \"outside $(cat made-inside) ${{ steps.it.outputs.said }}\"; rm made-inside\n"
               "  within:\n    runs-on: ubuntu-latest\n    container: {image: 'localhost/box:1', volumes: ['own:/own'], options: --tmpfs /fast --shm-size 8m}\n"
               "    services: {web: {image: 'localhost/box:1', volumes: ['own:/www'], command: 'httpd -f -p 8080 -h /www'}}\n"
               "    steps:\n      - run: echo through the volume > /own/text\n"
               "      - {uses: 'docker://localhost/box:1', with: {entrypoint: wget, args: '-q -O - http://web:8080/text'}}\n"},
        {"made/action.yml", "inputs: {who: {}}\nruns: {using: docker, image: Dockerfile, args: ['${{ inputs.who }}']}\n"},
        {"made/Dockerfile", "FROM localhost/box:1\nCOPY entry.sh /entry.sh\nRUN chmod 755 /entry.sh\nENTRYPOINT [\"/entry.sh\"]\n"},
        {"made/entry.sh", "#!/bin/sh\necho \"hello $1\"; echo made > made-inside; echo said=well >> $GITHUB_OUTPUT\n"}};
    const TempDir folder;
    write_file(folder / "layer.tar", busybox_layer());
    write_file(folder / "containers.conf", "[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n");
    write_file(folder / "storage.conf", "[storage]\ndriver = \"overlay\"\n");
    user.give(repository.path(), "repository");
    user.give(folder.path(), "files");
    const auto outcome = user.sh("export CONTAINERS_CONF=$HOME/files/containers.conf CONTAINERS_STORAGE_CONF=$HOME/files/storage.conf\n"
                                 "podman import -q files/layer.tar localhost/box:1 >/dev/null\n"
                                 "podman system service --time 0 \"unix://$HOME/run/p.sock\" & served=$!\n"
                                 "until test -S run/p.sock; do sleep 0.05; done\n"
                                 "echo \"{engine: 'unix://$HOME/run/p.sock', actions: {server: none}}\" > config/config.yaml\n"
                                 "cd repository; \"$cicdctl\" run; echo \"ended with $?\"; \"$cicdctl\" logs run-1; \"$cicdctl\" daemon stop\n"
                                 "i=0; while test $(podman ps --all --quiet | wc -l) != 0 && test $i -lt 200; do sleep 0.05; i=$((i+1)); done\n"
                                 "echo \"left: $(podman ps --all --quiet; podman volume ls --quiet)\"; kill $served; podman system migrate");
    INFO(outcome.out, outcome.err);
    CHECK(contains(outcome.out, "ended with 0"));
    CHECK(contains(outcome.out, "hello you"));
    CHECK(contains(outcome.out, "outside made well"));
    CHECK(contains(outcome.out, "through the volume"));
    CHECK(contains(outcome.out, "left: \n"));
}
