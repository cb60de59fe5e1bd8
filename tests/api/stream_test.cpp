#include "common/client/client.hpp"
#include "common/client/sse.hpp"
#include "common/codec/codecs.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace cicd;
using namespace cicd::test;

namespace {

const std::vector<std::pair<std::string, std::string>> project{
    {".cicd.yaml",
     "name: chatty\n"
     "stages:\n"
     "  - name: work\n"
     "    jobs:\n"
     "      one: {steps: [{run: 'for i in $(seq 40); do echo one $i; sleep 0.01; done'}, {run: echo more}]}\n"
     "      two: {steps: [{run: 'for i in $(seq 40); do echo two $i; sleep 0.01; done'}]}\n"
     "  - name: after\n"
     "    commands: [echo after]\n"}};

contract::StartRun of(const GitRepository& repository) {
    contract::StartRun request;
    request.repository = repository.path().string();
    request.working_tree = true;
    return request;
}

/// Reads at most `most` events of a stream, then drops the connection.
struct Piece {
    std::vector<client::SseEvent> events;
    bool ended = false;
};
Piece read_some(client::Client& client, const std::string& target, const std::string& last_id, std::size_t most) {
    Piece piece;
    client::SseParser parser;
    std::vector<std::pair<std::string, std::string>> headers{{"Accept", "text/event-stream"}};
    if (!last_id.empty()) headers.emplace_back("Last-Event-ID", last_id);
    const auto answer = client.raw_stream("GET", target, "", headers, [&](int status, std::string_view bytes) {
        REQUIRE(status == 200);
        return parser.feed(bytes, [&](const client::SseEvent& event) {
            if (event.type == "end") {
                piece.ended = true;
                return false;
            }
            piece.events.push_back(event);
            return piece.events.size() < most;
        });
    });
    INFO((answer ? std::string() : answer.error().message));
    REQUIRE(answer.has_value());
    return piece;
}

/// What an event says, apart from where it stands in its stream.
std::string told(const client::SseEvent& event) { return event.type + " " + event.data; }

}  // namespace

TEST_CASE("a run's stream that is cut after every few events tells each event and line once") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    const auto run = client.start_run(of(repository));
    REQUIRE(run.has_value());
    const auto target = "/runs/" + run->id.str() + "/events?logs=true";
    std::vector<std::string> all;
    std::string last_id;
    for (bool ended = false; !ended;) {
        const auto piece = read_some(client, target, last_id, 7);
        ended = piece.ended;
        for (const auto& event : piece.events) all.push_back(told(event));
        if (!piece.events.empty()) last_id = piece.events.back().id;
    }
    const std::set<std::string> once(all.begin(), all.end());
    CHECK(once.size() == all.size());
    std::size_t lines = 0;
    std::map<std::string, std::uint64_t> next;
    std::set<std::string> ended;
    for (const auto& text : all) {
        const auto value = *codec::parse_json(text.substr(text.find(' ') + 1));
        if (text.starts_with("log ")) {
            ++lines;
            const auto job = value["jobId"].as_string();
            CHECK(static_cast<std::uint64_t>(value["line"].as_number()) == next[job]++);
            CHECK_FALSE(ended.contains(job));
        } else if (text.starts_with("job.state ") && value["status"] == Value("success")) {
            ended.insert(value["jobId"].as_string());
        }
    }
    CHECK(lines == 82);
    CHECK(ended.size() == 3);
}

TEST_CASE("the events of all runs have one order, and a stream of them is resumed without a gap") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    std::vector<std::string> runs;
    for (int i = 0; i < 3; ++i) {
        const auto run = client.start_run(of(repository));
        REQUIRE(run.has_value());
        runs.push_back(run->id.str());
    }
    std::vector<std::string> ids;
    std::map<std::string, std::vector<std::int64_t>> seqs;
    std::size_t over = 0;
    for (std::string last_id = "0"; over < runs.size();) {
        const auto piece = read_some(client, "/events", last_id, 1);
        for (const auto& event : piece.events) {
            ids.push_back(event.id);
            const auto value = *codec::parse_json(event.data);
            seqs[value["runId"].as_string()].push_back(static_cast<std::int64_t>(value["seq"].as_number()));
            if (event.type == "run.state" && value["status"] == Value("success")) ++over;
        }
        if (!piece.events.empty()) last_id = piece.events.back().id;
    }
    for (std::size_t i = 1; i < ids.size(); ++i) CHECK(std::stoll(ids[i]) > std::stoll(ids[i - 1]));
    for (const auto& run : runs) {
        const auto stored = *codec::parse_json(client.raw("GET", "/runs/" + run + "/events", "")->body);
        REQUIRE(seqs[run].size() == stored["data"].as_array().size());
        for (std::size_t i = 0; i < seqs[run].size(); ++i) CHECK(seqs[run][i] == static_cast<std::int64_t>(i + 1));
    }
    const auto page = *codec::parse_json(client.raw("GET", "/events?types=run.state&limit=10000", "")->body);
    for (const auto& event : page["data"].as_array()) CHECK(event["type"] == Value("run.state"));
    CHECK(page["data"].as_array().size() >= 2 * runs.size());
    CHECK(client.raw("GET", "/events?types=nonsense", "")->status == 400);

    SUBCASE("also over the daemon's death") {
        world.kill_daemon();
        world.start_daemon();
        const auto again = *codec::parse_json(client.raw("GET", "/events?limit=10000", "")->body);
        REQUIRE(again["data"].as_array().size() >= ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i)
            CHECK(static_cast<std::int64_t>(again["data"].as_array()[i]["id"].as_number()) == std::stoll(ids[i]));
    }
}

TEST_CASE("a hundred idle streams and a client that reads nothing hold nobody up") {
    const World world;
    world.start_daemon();
    const GitRepository repository({{".cicd.yaml", "name: waits\nworkspace: shared\nstages:\n  - name: a\n    commands: ['until [ -e go ]; do sleep 0.02; done; seq 20000']\n"}});
    client::Client client(world.socket());
    const auto run = client.start_run(of(repository));
    REQUIRE(run.has_value());
    const auto id = run->id.str();
    std::atomic<int> begun{0}, told_end{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 100; ++i)
        readers.emplace_back([&] {
            client::Client mine(world.socket());
            bool first = true;
            client::StreamHandler handler;
            handler.on_event = [&](const model::RunEvent& event) {
                if (first) ++begun;
                first = false;
                if (event.type == "run.state" && event.state == "success") ++told_end;
                return true;
            };
            static_cast<void>(mine.follow_run(id, 0, handler));
        });
    REQUIRE(eventually([&] { return begun == 100; }));
    write_file(world.shared_workspace(id) / "go", "");
    for (auto& reader : readers) reader.join();
    CHECK(told_end == 100);
    CHECK(client.show_run(id)->state == model::RunState::success);
}

TEST_CASE("every event of a real stream is as schemas/events.schema.json says") {
    const World world;
    const GitRepository repository({{".cicd.yaml",
                                     "name: events\n"
                                     "stages:\n"
                                     "  - name: build\n"
                                     "    jobs:\n"
                                     "      good: {steps: [{run: echo fine}]}\n"
                                     "      bad: {retry: 1, steps: [{run: exit 3}, {run: echo never}]}\n"
                                     "      killed: {steps: [{run: 'kill -9 $$'}]}\n"
                                     "  - name: skipped\n"
                                     "    needs: [build]\n"
                                     "    commands: [echo never]\n"}});
    const auto events = world.cicdctl({"run", "--events"}, world.in(repository.path()));
    CHECK(events.code == 1);
    const auto all = world.cicdctl({"api", "GET", "/events"}).out;
    const TempDir folder;
    write_file(folder / "all", all);
    const auto checked = cicd::test::run({"python3", "-c",
                              "import json, sys\n"
                              "import jsonschema\n"
                              "schema = json.load(open(sys.argv[1]))\n"
                              "jsonschema.Draft202012Validator.check_schema(schema)\n"
                              "check = jsonschema.Draft202012Validator(schema)\n"
                              "events = json.load(open(sys.argv[2]))['data']\n"
                              "for event in events: check.validate(event)\n"
                              "types = {e['type'] for e in events}\n"
                              "assert types >= {'run.state', 'stage.state', 'job.state', 'step.state'}, types\n"
                              "print(len(events))\n",
                              std::string(CICD_SOURCE_DIR) + "/schemas/events.schema.json", (folder / "all").string()});
    INFO(checked.err);
    CHECK(checked.code == 0);
    CHECK(std::atoi(checked.out.c_str()) > 20);
}
