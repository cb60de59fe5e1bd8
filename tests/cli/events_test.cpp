#include "common/codec/json.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <signal.h>

#include <map>
#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::test;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
        lines.push_back(text.substr(start, end - start));
    return lines;
}

std::vector<Value> events_of(const std::string& text) {
    std::vector<Value> events;
    for (const auto& line : lines_of(text)) {
        const auto value = codec::parse_json(line);
        INFO(line);
        REQUIRE(value.has_value());
        events.push_back(*value);
    }
    return events;
}

const char* const check = R"(
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
validator = jsonschema.Draft202012Validator(schema)
bad = 0
for number, line in enumerate(sys.stdin, 1):
    for error in validator.iter_errors(json.loads(line)):
        print(number, line[:200], error.message[:300])
        bad = 1
sys.exit(bad)
)";

// By the published schema, with a validator that is not ours.
void check_schema(const World& world, const std::string& events) {
    auto options = world.in(world.folder());
    write_file(world.folder() / "events.ndjson", events);
    const auto outcome = run({"sh", "-c", "exec python3 -c \"$0\" \"$1\" < events.ndjson", check,
                              std::string(CICD_SOURCE_DIR) + "/schemas/cli-events.schema.json"},
                             options);
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 0);
}

}  // namespace

TEST_CASE("--events is NDJSON as its schema says: success, failure, a retry, a skip, a matrix, partial lines") {
    GitRepository repository{{".cicd.yaml",
                              "name: demo\nstages:\n"
                              "  - name: one\n    jobs:\n      m:\n        matrix: {n: [1, 2]}\n        steps: ['echo \"n ${{ matrix.n }}\"; echo oops >&2']\n"
                              "      flaky:\n        retry: {max: 1}\n        steps: ['printf unfinished; exit 3']\n        allowFailure: true\n"
                              "  - {name: two, condition: 'false', commands: ['true']}\n"
                              "  - {name: three, needs: [one], commands: ['exit 7']}\n"}};
    World world;
    const auto outcome = world.cicdctl({"run", "--events"}, world.in(repository.path()));
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 1);
    check_schema(world, outcome.out);
    const auto events = events_of(outcome.out);
    REQUIRE(events.size() > 10);
    CHECK(events.front()["type"] == Value("run"));
    CHECK(events.back()["type"] == Value("end"));
    CHECK(events.back()["exitCode"] == Value(1));
    CHECK(events.back()["run"]["status"] == Value("failed"));

    double seq = 0;
    std::map<std::string, double> next_line;
    std::map<std::string, bool> ended;
    for (const auto& event : events) {
        const auto type = event["type"].as_string();
        if (type == "run" || type == "end") continue;
        if (type == "log") {
            const auto key = event["jobId"].as_string() + "/" + number_text(event["attempt"].as_number());
            CHECK(event["line"].as_number() == next_line[key]);
            next_line[key] = event["line"].as_number() + 1;
            CHECK_FALSE(ended[key]);
            continue;
        }
        CHECK(event["seq"].as_number() == seq + 1);
        seq = event["seq"].as_number();
        if (type == "job.state" && (event["status"] == Value("success") || event["status"] == Value("failed")))
            ended[event["jobId"].as_string() + "/" + number_text(event["attempt"].as_number())] = true;
    }
    CHECK(ended.size() >= 5);
}

TEST_CASE("watch --events of a run that has ended tells all of it again, the same way") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: one, commands: ['echo hello']}\n"}};
    World world;
    const auto live = world.cicdctl({"run", "--events"}, world.in(repository.path()));
    const auto again = world.cicdctl({"watch", "run-1", "--events"}, world.in(repository.path()));
    CHECK(again.code == 0);
    check_schema(world, again.out);
    auto first = lines_of(live.out), second = lines_of(again.out);
    REQUIRE(first.size() == second.size());
    for (std::size_t i = 1; i < first.size(); ++i) CHECK(first[i] == second[i]);
}

TEST_CASE("a cancelled run ends its events with the verdict") {
    GitRepository repository{{".cicd.yaml", "name: demo\nstages:\n  - {name: one, commands: ['echo ready; sleep 1000']}\n"}};
    World world;
    auto client = world.start_cicdctl({"run", "--events"}, world.in(repository.path()));
    REQUIRE(client->wait_for_output("ready"));
    client->signal(SIGINT);
    const auto outcome = client->wait();
    INFO(outcome.out, outcome.err);
    CHECK(outcome.code == 9);
    check_schema(world, outcome.out);
    CHECK(events_of(outcome.out).back()["exitCode"] == Value(9));
}
