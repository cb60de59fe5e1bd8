#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>

using namespace cicd;
using namespace cicd::test;

namespace {

std::size_t leavings(const World& world) {
    std::size_t found = 0;
    std::error_code none;  // a job that ended before it saved has made no folder for objects
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world.state() / "objects", none)) {
        const auto name = entry.path().filename().string();
        if (entry.is_regular_file() && name.size() != 62 && !name.ends_with(".zst")) ++found;
    }
    return found;
}

}  // namespace

TEST_CASE("artifacts are handed to the jobs that need them, listed, shown, downloaded and deleted") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\n"
         "stages:\n"
         "  - name: build\n"
         "    commands: ['mkdir -p dist/empty; echo hello > dist/a; head -c 200000 /dev/urandom > dist/b; sha256sum < dist/b > sum']\n"
         "    artifacts:\n"
         "      - {name: 'dist-${{ run.number }}', paths: [dist/**, sum], type: package, retention: 30d}\n"
         "      - {name: traces, paths: [dist/a], when: on_failure}\n"
         "  - name: test\n"
         "    commands: ['test -d dist/empty; grep hello dist/a; sha256sum < dist/b | cmp - sum; echo changed > dist/a']\n"
         "  - name: last\n"
         "    commands: ['grep hello dist/a; test ! -e other']\n"}};
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(contains(outcome.out + outcome.err, "artifact 'dist-1': 3 files"));

    const auto list = world.json({"artifact", "list", "run-1"});
    REQUIRE(list["data"].as_array().size() == 1);
    const auto& artifact = list["data"].as_array()[0];
    const auto id = artifact["id"].as_string();
    CHECK(artifact["name"] == Value("dist-1"));
    CHECK(artifact["type"] == Value("package"));
    CHECK(artifact["jobKey"] == Value("build.build"));
    CHECK(artifact["expireTime"].is_string());
    CHECK(world.json({"artifact", "list", "job-2"})["data"].as_array().empty());
    CHECK(contains(world.cicdctl({"artifact", "show", id}).out, "dist/empty/"));
    CHECK(world.json({"api", "GET", "/executions/run-1/artifacts"})["data"] == list["data"]);
    CHECK(world.json({"api", "GET", "/jobs/job-1/artifacts/" + id}) == artifact);

    const auto folder = world.folder() / "down";
    std::filesystem::create_directories(folder);
    CHECK(world.cicdctl({"artifact", "download", id}, world.in(folder)).out == "dist-1.tar\n");
    REQUIRE(run({"tar", "-xf", "dist-1.tar"}, {.directory = folder}).code == 0);
    CHECK(read_file(folder / "dist/a") == "hello\n");
    CHECK(run({"sh", "-c", "sha256sum < dist/b | cmp - sum"}, {.directory = folder}).code == 0);
    CHECK(world.cicdctl({"artifact", "download", id, "--path", "dist/a", "--to", "-"}).out == "hello\n");

    // A download that broke off goes on where it was.
    const auto whole = read_file(folder / "dist-1.tar");
    write_file(folder / ("again.tar." + artifact["digest"].as_string().substr(0, 12) + ".part"), whole.substr(0, 70'000));
    CHECK(world.cicdctl({"artifact", "download", id, "--to", "again.tar", "--continue"}, world.in(folder)).code == 0);
    CHECK(read_file(folder / "again.tar") == whole);

    CHECK(world.cicdctl({"artifact", "download", id, "--path", "nothing"}, world.in(folder)).code == 5);
    CHECK(world.cicdctl({"doctor", "--deep"}).out.find("objects are whole") != std::string::npos);
    CHECK(world.cicdctl({"artifact", "rm", id, "-y"}).code == 0);
    CHECK(world.cicdctl({"artifact", "show", id}).code == 5);
    CHECK(leavings(world) == 0);
}

TEST_CASE("a job that names whose artifacts it takes has those, and no others") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\n"
         "stages:\n"
         "  - name: build\n"
         "    jobs:\n"
         "      a: {steps: ['echo a > a'], artifacts: {name: a, paths: [a]}}\n"
         "      b: {steps: ['echo ${{ matrix.n }} > b${{ matrix.n }}'], matrix: {n: [1, 2]}, artifacts: {name: 'b${{ matrix.n }}', paths: ['b*']}}\n"
         "  - name: test\n"
         "    jobs:\n"
         "      all: {steps: ['cat a b1 b2']}\n"
         "      one: {steps: ['cat b1 b2; test ! -e a; echo c > c'], artifactsFrom: build.b, artifacts: {name: c, paths: [c]}}\n"
         "      none: {steps: ['test ! -e a; test ! -e b1'], artifactsFrom: []}\n"
         "  - {name: last, artifactsFrom: [test], commands: ['cat c; test ! -e a; test ! -e b1']}\n"}};
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
}

TEST_CASE("a job that fails saves what is for that, and one that cannot save what it should fails") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\n"
         "stages:\n"
         "  - name: build\n"
         "    jobs:\n"
         "      broken: {steps: ['echo why > trace; exit 1'], artifacts: [{name: traces, paths: [trace], when: on_failure}, {name: good, paths: [trace]}]}\n"
         "      odd: {steps: [\"printf x > 'a\\tb'\"], artifacts: [{name: odd, paths: ['*']}]}\n"
         "      none: {steps: ['true'], artifacts: [{name: none, paths: [nothing]}]}\n"}};
    const auto outcome = world.cicdctl({"run"}, world.in(repository.path()));
    CHECK(outcome.code == 1);
    const auto found = world.json({"show", "run-1"});
    const auto list = world.json({"artifact", "list", "run-1"});
    REQUIRE(list["data"].as_array().size() == 1);
    CHECK(list["data"].as_array()[0]["name"] == Value("traces"));
    for (const auto& job : found["jobs"].as_array()) {
        INFO(job["name"].as_string(), ": ", job["message"].as_string());
        CHECK(job["status"] == Value(job["name"] == Value("none") ? "success" : "failed"));
        if (job["name"] == Value("odd")) CHECK(contains(job["message"].as_string(), "control characters"));
    }
    CHECK(contains(outcome.out, "no file matches"));
}

TEST_CASE("a cache is a miss, then a hit; another key finds the nearest; the workspace and the home come back") {
    const World world;
    const GitRepository repository{
        {"lock", "one\n"},
        {".cicd.yaml",
         "name: app\n"
         "stages:\n"
         "  - name: build\n"
         "    cache: [{key: \"deps-${{ hashFiles('lock') }}\", restoreKeys: [deps-], paths: [deps/**, ~/.cache/tool]}]\n"
         "    commands:\n"
         "      - if [ -e deps/a ]; then echo \"found $(cat deps/a ~/.cache/tool/b)\"; else echo nothing; fi\n"
         "      - mkdir -p deps ~/.cache/tool; cat lock > deps/a; cat lock > ~/.cache/tool/b\n"}};
    const auto again = [&] { return world.cicdctl({"run"}, world.in(repository.path())); };
    const auto cache_of = [&](const char* id) { return world.json({"job", "show", id})["caches"].as_array().at(0); };
    const auto first = again();
    INFO(first.out, first.err);
    REQUIRE(first.code == 0);
    CHECK(contains(first.out, "nothing"));
    CHECK(cache_of("job-1")["hit"] == Value("miss"));
    CHECK(cache_of("job-1")["saved"] == Value(true));
    const auto second = again();
    CHECK(contains(second.out, "found one"));
    CHECK(cache_of("job-2")["hit"] == Value("exact"));
    CHECK(cache_of("job-2")["saved"] == Value(false));
    CHECK(contains(cache_of("job-2")["reason"].as_string(), "from branch"));
    repository.write("lock", "two\n");
    const auto third = again();
    CHECK(contains(third.out, "found one"));
    CHECK(cache_of("job-3")["hit"] == Value("partial"));
    CHECK(cache_of("job-3")["saved"] == Value(true));
    const auto caches = world.json({"cache", "list"});
    REQUIRE(caches["data"].as_array().size() == 2);
    CHECK(contains(world.cicdctl({"cache", "show", caches["data"].as_array()[0]["id"].as_string()}).out, "deps/**, ~/.cache/tool"));
    for (const auto& cache : caches["data"].as_array()) CHECK(world.cicdctl({"cache", "rm", cache["id"].as_string()}).code == 0);
    CHECK(contains(again().out, "nothing"));
}

TEST_CASE("a damaged cache is a miss; a flipped bit in an artifact is named") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\n"
         "stages:\n"
         "  - name: build\n"
         "    commands: ['head -c 100000 /dev/urandom > out']\n"
         "    artifacts: [{name: out, paths: [out]}]\n"}};
    REQUIRE(world.cicdctl({"run"}, world.in(repository.path())).code == 0);
    std::filesystem::path large;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world.state() / "objects"))
        if (entry.is_regular_file() && entry.file_size() == 100'000) large = entry.path();
    REQUIRE(!large.empty());
    auto bytes = read_file(large);
    bytes[5000] = static_cast<char>(bytes[5000] ^ 4);
    std::filesystem::permissions(large, std::filesystem::perms::owner_all);
    write_file(large, bytes);
    const auto doctor = world.cicdctl({"doctor", "--deep"});
    INFO(doctor.out, doctor.err);
    CHECK(doctor.code == 3);
    CHECK(contains(doctor.out, "artifact-1 (out)"));
}

TEST_CASE("a file is added to a job that has ended, once by each name") {
    const World world;
    const GitRepository repository{{".cicd.yaml", "name: app\nstages:\n  - {name: build, commands: ['true']}\n"}};
    REQUIRE(world.cicdctl({"run"}, world.in(repository.path())).code == 0);
    write_file(world.folder() / "report.txt", "all is well\n");
    const auto file = (world.folder() / "report.txt").string();
    REQUIRE(world.cicdctl({"artifact", "upload", "job-1", "report.txt", file, "--retention", "1d"}).code == 0);
    CHECK(world.cicdctl({"artifact", "download", "artifact-1", "--to", "-"}).out == "all is well\n");
    CHECK(world.cicdctl({"artifact", "upload", "job-1", "report.txt", file}).code == 7);
    CHECK(world.cicdctl({"artifact", "upload", "job-1", "../up", file}).code == 2);
    CHECK(world.cicdctl({"artifact", "upload", "job-9", "report.txt", file}).code == 5);
}

TEST_CASE("the content has its digest as ETag, and ranges of it are given") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\nstages:\n  - name: build\n    commands: ['seq 10000 > numbers']\n    artifacts: [{name: numbers, paths: [numbers]}]\n"}};
    REQUIRE(world.cicdctl({"run"}, world.in(repository.path())).code == 0);
    const auto talk = [&](const std::string& target, const std::string& fields) {
        return run({"python3", "-c",
                    "import http.client,socket,sys\n"
                    "c=http.client.HTTPConnection('localhost'); c.sock=socket.socket(socket.AF_UNIX); c.sock.connect(sys.argv[1])\n"
                    "h=dict(f.split(': ',1) for f in sys.argv[3].split('|') if f)\n"
                    "c.request('GET',sys.argv[2],headers=h); r=c.getresponse(); b=r.read()\n"
                    "print(r.status,r.getheader('ETag'),r.getheader('Content-Range'),r.getheader('Content-Disposition'),len(b)); print(b[:20])\n",
                    world.socket().string(), target, fields})
            .out;
    };
    const auto whole = talk("/artifacts/artifact-1/content", "");
    INFO(whole);
    CHECK(contains(whole, "200 \""));
    CHECK(contains(whole, "filename=\"numbers\""));
    CHECK(contains(whole, " 48894\n"));
    CHECK(contains(talk("/jobs/job-1/artifacts/artifact-1?download", ""), " 48894\n"));
    const auto part = talk("/artifacts/artifact-1/content", "Range: bytes=4-9");
    CHECK(contains(part, "206 "));
    CHECK(contains(part, "bytes 4-9/48894"));
    CHECK(contains(part, "b'3\\n4\\n5\\n'"));
    CHECK(contains(talk("/artifacts/artifact-1/content", "Range: bytes=48894-"), "416 "));
    const auto etag = whole.substr(4, whole.find('"', 5) - 3);
    CHECK(contains(talk("/artifacts/artifact-1/content", "If-None-Match: " + etag), "304 "));
    CHECK(contains(talk("/artifacts/artifact-1/content?format=tar", ""), "filename=\"numbers.tar\""));
    CHECK(contains(talk("/artifacts/artifact-9/content", ""), "404 "));
}

TEST_CASE("what a job saved while no daemon ran is noted, and handed on, by the next one") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\nstages:\n  - name: build\n    commands: ['sleep 1; echo kept > out']\n    artifacts: [{name: out, paths: [out]}]\n"
         "  - {name: test, commands: ['grep kept out']}\n"}};
    REQUIRE(world.cicdctl({"run", "--detach"}, world.in(repository.path())).code == 0);
    REQUIRE(eventually([&] { return world.json({"job", "show", "job-1"})["status"] == Value("running"); }));
    world.kill_daemon();
    REQUIRE(eventually([&] { return std::filesystem::exists(world.state() / "jobs/job-1/1/exit"); }));
    world.start_daemon();
    const auto watched = world.cicdctl({"watch", "run-1"});
    INFO(watched.out, watched.err);
    CHECK(watched.code == 0);
    CHECK(world.json({"artifact", "list", "run-1"})["data"].as_array().size() == 1);
    // What another run takes over is handed on there too.
    const auto again = world.json({"job", "restart", "job-2"})["id"];
    REQUIRE(again.is_string());
    CHECK(world.cicdctl({"watch", again.as_string()}).code == 0);
    CHECK(world.json({"artifact", "list", again.as_string()})["data"].as_array().size() == 1);
}

TEST_CASE("a run of a pull request reads the base's caches and never writes where the base reads") {
    const World world;
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\n"
         "triggers: [{type: pull_request}, {type: push}, {type: manual}]\n"
         "stages:\n"
         "  - name: build\n"
         "    cache: [{key: 'k-${{ params.key }}', restoreKeys: [k-], paths: [deps/**]}, {key: 'p-${{ params.key }}', scope: project, paths: [deps/**]}]\n"
         "    commands: ['if [ -e deps/a ]; then cat deps/a; else echo nothing; fi', 'mkdir -p deps; echo \"from ${{ params.key }}\" > deps/a']\n"
         "parameters: {key: {type: string, default: one}}\n"}};
    repository.git({"branch", "-M", "main"});
    const auto run_as = [&](std::vector<std::string> more) {
        more.insert(more.begin(), "run");
        const auto outcome = world.cicdctl(more, world.in(repository.path()));
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
        return outcome.out;
    };
    const auto scopes = [&] {
        std::string all;
        const auto list = world.json({"cache", "list"});
        for (const auto& cache : list["data"].as_array())
            all += cache["key"].as_string() + "=" + cache["scope"].as_string() + ";";
        return all;
    };
    run_as({"--branch", "main"});
    CHECK(contains(scopes(), "k-one=branch main;"));
    CHECK(contains(scopes(), "p-one=the project;"));
    // Its branch has the name of the base's, and nobody has given it a number.
    const auto pull = run_as({"--branch", "main", "--event", "pull_request", "--base", "main", "-p", "key=two"});
    CHECK(contains(pull, "from one"));
    CHECK(contains(pull, "a pull request only reads"));
    CHECK(contains(scopes(), "k-two=pull request of branch main;"));
    CHECK_FALSE(contains(scopes(), "k-two=branch main;"));
    CHECK_FALSE(contains(scopes(), "p-two="));
    CHECK(contains(run_as({"--branch", "main", "-p", "key=three"}), "from one"));
}

TEST_CASE("a job that is cancelled while it saves ends promptly, and nothing of what it saved can be seen") {
    const World world;
    // Sparse files take long to read and nearly nothing to keep.
    const GitRepository repository{
        {".cicd.yaml",
         "name: app\nstages:\n  - name: build\n    commands: ['for i in $(seq 60); do truncate -s 1000M $i; done']\n"
         "    artifacts: [{name: large, paths: ['*']}]\n"}};
    world.start_daemon();
    const auto started = world.json({"run", "--detach"}, world.in(repository.path()));
    REQUIRE(started["id"] == Value("run-1"));
    REQUIRE(eventually([&] { return world.json({"job", "show", "job-1"})["steps"].as_array()[0]["status"] == Value("success"); }));
    CHECK(world.json({"job", "show", "job-1"})["status"] == Value("running"));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(world.cicdctl({"job", "cancel", "job-1"}).code == 0);
    world.cicdctl({"watch", "run-1"});
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    CHECK(world.json({"job", "show", "job-1"})["status"] == Value("cancelled"));
    CHECK(world.json({"artifact", "list"})["data"].as_array().empty());
    CHECK(leavings(world) == 0);
    CHECK(contains(world.cicdctl({"doctor", "--deep"}).out, "objects are whole"));
}
