#include "common/client/client.hpp"
#include "common/codec/json.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::test;

namespace {

const std::vector<std::pair<std::string, std::string>> project{
    {".cicd.yaml",
     "name: hello\n"
     "stages:\n"
     "  - name: build\n"
     "    commands: ['echo one; echo two >&2']\n"
     "  - name: test\n"
     "    jobs:\n"
     "      good: {steps: [{run: echo fine}]}\n"
     "      bad: {steps: [{run: 'echo broken; exit 3'}]}\n"}};

contract::StartRun of(const GitRepository& repository) {
    contract::StartRun request;
    request.repository = repository.path().string();
    request.working_tree = true;
    return request;
}

/// Sends bytes as they are and gives everything that comes back until the other side closes.
std::string talk(const std::filesystem::path& socket, const std::string& bytes) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket.string();
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    [[maybe_unused]] const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    std::string answer;
    char buffer[4096];
    for (ssize_t size = 0; (size = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
        answer.append(buffer, static_cast<std::size_t>(size));
    ::close(fd);
    return answer;
}

}  // namespace

TEST_CASE("a run is started, followed to its end and shown, over one socket") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    const auto run = client.start_run(of(repository));
    REQUIRE(run.has_value());

    std::vector<std::string> lines;
    std::string last_state;
    bool late_line = false;
    std::vector<std::string> ended;
    client::StreamHandler handler;
    handler.on_event = [&](const model::RunEvent& event) {
        if (event.type == "run.state") last_state = event.state;
        if (event.type == "job.state" && (event.state == "success" || event.state == "failed")) ended.push_back(event.job_key);
        return true;
    };
    handler.on_log = [&](const contract::LogEntry& entry) {
        for (const auto& key : ended) late_line = late_line || key == entry.job_key;
        lines.push_back(entry.job_key + ": " + entry.text);
        return true;
    };
    REQUIRE(client.follow_run(run->id.str(), 0, handler).has_value());
    CHECK(last_state == "failed");
    CHECK_FALSE(late_line);
    CHECK(lines.size() == 4);

    SUBCASE("the same stream again, after the end, is the same") {
        const auto first = lines;
        lines.clear();
        ended.clear();
        REQUIRE(client.follow_run(run->id.str(), 0, handler).has_value());
        std::vector<std::string> again = lines;
        auto sorted = first;
        std::sort(sorted.begin(), sorted.end());
        std::sort(again.begin(), again.end());
        CHECK(again == sorted);
        CHECK_FALSE(late_line);
    }
    const auto shown = client.show_run(run->id.str());
    REQUIRE(shown.has_value());
    CHECK(shown->state == model::RunState::failed);
    REQUIRE(shown->jobs.size() == 3);
    for (const auto& job : shown->jobs) {
        std::vector<std::string> texts;
        REQUIRE(client.follow_log(job.id.str(), 0, [&](const contract::LogEntry& entry) {
            texts.push_back(entry.text);
            return true;
        }).has_value());
        const auto stored = client.job_log(job.id.str(), 0, 100);
        REQUIRE(stored.has_value());
        CHECK(stored->size() == texts.size());
    }
    const auto cancelled = client.cancel_run(run->id.str(), {"too late"});
    REQUIRE(cancelled.has_error());
    CHECK(cancelled.error().kind == ErrorKind::conflict);
}

TEST_CASE("pipelines are stored, versioned, changed and removed") {
    const World world;
    world.start_daemon();
    client::Client client(world.socket());
    contract::SavePipeline save;
    save.definition = "name: first\nstages: [{name: a, commands: [echo 1]}]\n";
    const auto created = client.create_pipeline(save);
    REQUIRE(created.has_value());
    CHECK(created->name == "first");
    CHECK(client.create_pipeline(save).error().kind == ErrorKind::conflict);
    save.definition = "name: first\nstages: [{name: a, commands: [echo 2]}]\n";
    const auto changed = client.update_pipeline("first", save);
    REQUIRE(changed.has_value());
    CHECK(changed->version == 2);
    CHECK(client.pipeline_versions("first")->size() == 2);
    CHECK((*client.pipeline_stages("first"))["data"].as_array().size() == 1);
    CHECK(client.pipeline_definition("first").value() == save.definition);
    REQUIRE(client.set_pipeline_state("first", model::PipelineState::disabled).has_value());
    CHECK(client.list_pipelines(1, 20)->pagination.total_count == 1);
    REQUIRE(client.remove_pipeline("first").has_value());
    CHECK(client.show_pipeline("first").error().code == "PIPELINE_001");

    save.definition = "name: broken\nstagess: []\n";
    const auto refused = client.create_pipeline(save);
    REQUIRE(refused.has_error());
    CHECK(refused.error().kind == ErrorKind::invalid);
    CHECK(!refused.error().problems.empty());
    const auto checked = client.validate_pipeline(save.definition, "x.yaml");
    REQUIRE(checked.has_value());
    CHECK_FALSE(checked->valid);
    CHECK(!checked->problems.empty());
}

TEST_CASE("the same Idempotency-Key has one effect") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    const std::string body = "{\"repository\":\"" + repository.path().string() + "\",\"workingTree\":true}";
    const auto first = client.raw("POST", "/runs", body, {{"Idempotency-Key", "k1"}});
    const auto second = client.raw("POST", "/runs", body, {{"Idempotency-Key", "k1"}});
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->status == 202);
    CHECK(first->body == second->body);
    CHECK(client.raw("POST", "/runs", "{}", {{"Idempotency-Key", "k1"}})->status == 409);
    CHECK(client.list_runs({})->pagination.total_count == 1);
}

TEST_CASE("what is no request is refused, and the daemon goes on") {
    const World world;
    world.start_daemon();
    for (const std::string& bytes :
         {std::string("\0\0\0\0\r\n\r\n", 8), std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
          std::string("GET /runs HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
          std::string("POST /runs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
          "GET /" + std::string(70'000, 'a') + " HTTP/1.1\r\n\r\n",
          std::string("POST /runs HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")}) {
        const auto answer = talk(world.socket(), bytes);
        INFO(bytes.substr(0, 60));
        CHECK(answer.starts_with("HTTP/1.1 4"));
        CHECK(answer.find("\"requestId\"") != std::string::npos);
    }
    CHECK(talk(world.socket(), "POST /runs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n{\"a\":")
              .starts_with("HTTP/1.1 400"));
    client::Client client(world.socket());
    CHECK(client.raw("GET", "/runs/%00", "")->status == 400);
    CHECK(client.raw("GET", "/runs/run-99", "")->status == 404);
    CHECK(client.raw("GET", "/runs?page=0", "")->status == 400);
    CHECK(client.raw("HEAD", "/runs", "")->body.empty());
    CHECK(client.raw("DELETE", "/runs", "")->status == 405);
    CHECK(codec::parse_json(client.raw("GET", "/openapi.json", "")->body).has_value());
    CHECK(client.status().has_value());
}

TEST_CASE("the socket is for its owner alone") {
    const World world;
    world.start_daemon();
    struct stat facts{};
    REQUIRE(::stat(world.socket().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    REQUIRE(::stat(world.state().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0700);
}
