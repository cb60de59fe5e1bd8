#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::test;

namespace {

const std::vector<std::pair<std::string, std::string>> project{
    {".cicd.yaml", "name: hello\nstages:\n  - name: build\n    commands: [echo one]\n"}};

std::string body_of(const GitRepository& repository) {
    return R"({"repository":")" + repository.path().string() + R"(","workingTree":true})";
}

/// Header fields of an answer, by lower-case name: asked for with curl-like plainness over the socket.
std::map<std::string, std::string> headers_of(const World& world, const std::string& request) {
    const auto done = cicd::test::run({"python3", "-c",
                                   "import socket,sys\n"
                                   "s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode())\n"
                                   "data=b''\n"
                                   "while b'\\r\\n\\r\\n' not in data:\n"
                                   "    more=s.recv(65536)\n"
                                   "    if not more: break\n"
                                   "    data+=more\n"
                                   "print(data.split(b'\\r\\n\\r\\n')[0].decode())\n",
                                   world.socket().string(), request});
    std::map<std::string, std::string> headers;
    std::istringstream lines(done.out);
    std::string line;
    std::getline(lines, line);
    headers["status"] = line.substr(9, 3);
    while (std::getline(lines, line)) {
        if (line.ends_with('\r')) line.pop_back();
        const auto colon = line.find(": ");
        if (colon == std::string::npos) continue;
        std::string name = line.substr(0, colon);
        for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        headers[name] = line.substr(colon + 2);
    }
    return headers;
}

std::string get(const std::string& target, const std::string& fields = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

/// One line of Prometheus' text format: name{label="value",…} number
bool is_sample(const std::string& line, std::string& name, std::string& labels, double& value) {
    const auto space = line.rfind(' ');
    if (space == std::string::npos) return false;
    const auto series = line.substr(0, space);
    const auto brace = series.find('{');
    name = series.substr(0, brace);
    labels = brace == std::string::npos ? "" : series.substr(brace);
    if (!labels.empty() && !labels.ends_with('}')) return false;
    for (const char c : name)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != ':') return false;
    char* end = nullptr;
    const auto number = line.substr(space + 1);
    value = std::strtod(number.c_str(), &end);
    return !name.empty() && end && *end == '\0' && end != number.c_str();
}

}  // namespace

TEST_CASE("a request's key counts over the daemon's death, for each user and body") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    const auto body = body_of(repository);
    const auto first = client.raw("POST", "/runs", body, {{"Idempotency-Key", "k1"}});
    REQUIRE(first.has_value());
    CHECK(first->status == 202);
    world.kill_daemon();
    world.start_daemon();
    const auto second = client.raw("POST", "/runs", body, {{"Idempotency-Key", "k1"}});
    REQUIRE(second.has_value());
    CHECK(second->status == 202);
    CHECK((*codec::parse_json(second->body))["id"] == (*codec::parse_json(first->body))["id"]);
    CHECK(client.raw("POST", "/runs", "{}", {{"Idempotency-Key", "k1"}})->status == 409);
    CHECK(client.list_runs({})->pagination.total_count == 1);
    CHECK(client.raw("POST", "/runs", body, {{"Idempotency-Key", "k2"}})->status == 202);
    CHECK(client.list_runs({})->pagination.total_count == 2);
    const auto refused = client.raw("POST", "/runs", R"({"repository":"/nowhere"})", {{"Idempotency-Key", "k3"}});
    const auto again = client.raw("POST", "/runs", R"({"repository":"/nowhere"})", {{"Idempotency-Key", "k3"}});
    CHECK(refused->status == again->status);
    CHECK(refused->status >= 400);
}

TEST_CASE("an answer that has not changed is not sent again") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    const auto started = client.raw("POST", "/runs", body_of(repository), {});
    const auto id = (*codec::parse_json(started->body))["id"].as_string();
    REQUIRE(client.follow_run(id, 0, {}).has_value());
    for (const auto& target : {"/runs/" + id, std::string("/runs?pageSize=5"), std::string("/pipelines"), "/runs/" + id + "/plan",
                               std::string("/openapi.json"), std::string("/jobs")}) {
        INFO(target);
        const auto whole = headers_of(world, get(target));
        CHECK(whole.at("status") == "200");
        REQUIRE(whole.contains("etag"));
        const auto known = headers_of(world, get(target, "If-None-Match: \"other\", " + whole.at("etag") + "\r\n"));
        CHECK(known.at("status") == "304");
        CHECK(known.at("etag") == whole.at("etag"));
        CHECK(headers_of(world, get(target, "If-None-Match: \"other\"\r\n")).at("status") == "200");
    }
    // What was kept is not told once it is no longer so.
    const auto before = headers_of(world, get("/runs?pageSize=5")).at("etag");
    REQUIRE(client.raw("POST", "/runs", body_of(repository), {})->status == 202);
    CHECK(headers_of(world, get("/runs?pageSize=5", "If-None-Match: " + before + "\r\n")).at("status") == "200");
    CHECK(client.list_runs({})->pagination.total_count == 2);
}

TEST_CASE("a request's id is the client's own where it can be, in the answer's header and in its errors") {
    const World world;
    world.start_daemon();
    client::Client client(world.socket());
    CHECK(headers_of(world, get("/status", "X-Request-Id: build-7.a_b\r\n")).at("x-request-id") == "build-7.a_b");
    CHECK(headers_of(world, get("/status", "X-Request-Id: a b\"c\r\n")).at("x-request-id").starts_with("req_"));
    CHECK(headers_of(world, get("/status", "X-Request-Id: " + std::string(65, 'x') + "\r\n")).at("x-request-id").starts_with("req_"));
    const auto missing = client.raw("GET", "/runs/run-99", "", {{"X-Request-Id", "mine"}});
    CHECK((*codec::parse_json(missing->body))["error"]["requestId"] == Value("mine"));
}

TEST_CASE("/metrics is what Prometheus reads, and counts") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    const auto started = client.raw("POST", "/runs", body_of(repository), {});
    REQUIRE(client.follow_run((*codec::parse_json(started->body))["id"].as_string(), 0, {}).has_value());
    const auto answer = client.raw("GET", "/metrics", "");
    REQUIRE(answer.has_value());
    CHECK(answer->content_type.starts_with("text/plain; version=0.0.4"));
    CHECK(answer->body.ends_with('\n'));
    std::map<std::string, std::string> types;
    std::map<std::string, double> values;
    std::istringstream lines(answer->body);
    std::string current;
    std::set<std::string> ended;
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        std::istringstream words(line);
        std::string hash, kind, name, type;
        if (line.starts_with("# ")) {
            words >> hash >> kind >> name >> type;
            if (kind != "TYPE") continue;
            CHECK(types.emplace(name, type).second);
            CHECK((type == "counter" || type == "gauge" || type == "histogram"));
            current = name;
            continue;
        }
        std::string labels;
        double value = 0;
        REQUIRE(is_sample(line, name, labels, value));
        const bool belongs = name == current || (types[current] == "histogram" && (name == current + "_bucket" ||
                                                                                   name == current + "_sum" || name == current + "_count"));
        CHECK(belongs);  // all of a metric stand together, behind its type
        if (types[current] == "counter") CHECK(value >= 0);
        CHECK(values.emplace(name + labels, value).second);
    }
    CHECK(values.at("cicd_runs_total{status=\"success\"}") == 1);
    CHECK(values.at("cicd_jobs_total{status=\"success\"}") == 1);
    CHECK(values.at("cicd_jobs_running") == 0);
    CHECK(values.at("cicd_job_duration_seconds_count") == 1);
    CHECK(values.at("cicd_job_duration_seconds_bucket{le=\"+Inf\"}") == 1);
    CHECK(values.at("cicd_queue_seconds_count") == 1);
    CHECK(values.at("cicd_http_requests_total{method=\"POST\",route=\"/runs\",code=\"202\"}") == 1);
    CHECK(values.at("cicd_slots{state=\"free\"}") > 0);
    CHECK(values.at("cicd_disk_free_bytes") > 0);
    CHECK(values.at("process_resident_memory_bytes") > 1e6);
    CHECK(values.at("process_open_fds") > 5);
    CHECK(std::fabs(values.at("process_start_time_seconds") - static_cast<double>(std::time(nullptr))) < 600);
    for (const auto* name : {"cicd_build_info", "cicd_events_streams", "process_cpu_seconds_total", "cicd_http_request_duration_seconds"})
        CHECK(types.contains(name));
}

TEST_CASE("lists go on by a cursor") {
    const World world;
    world.start_daemon();
    const GitRepository repository(project);
    client::Client client(world.socket());
    for (int i = 0; i < 5; ++i) REQUIRE(client.raw("POST", "/runs", body_of(repository), {})->status == 202);
    contract::RunFilter filter;
    filter.page_size = 2;
    std::vector<std::string> ids;
    for (;;) {
        const auto page = client.list_runs(filter);
        REQUIRE(page.has_value());
        for (const auto& run : page->data) ids.push_back(run.id.str());
        if (page->pagination.next_cursor.empty()) break;
        filter.cursor = page->pagination.next_cursor;
    }
    CHECK(ids == std::vector<std::string>{"run-5", "run-4", "run-3", "run-2", "run-1"});
    filter = {};
    filter.user = "nobody-here";
    CHECK(client.list_runs(filter)->data.empty());
    filter = {};
    filter.events = {model::TriggerType::manual};
    CHECK(client.list_runs(filter)->data.size() == 5);
    filter.events = {model::TriggerType::push};
    CHECK(client.list_runs(filter)->data.empty());
    CHECK(client.raw("GET", "/runs?event=nonsense", "")->status == 400);
    CHECK(client.raw("GET", "/runs?since=yesterday", "")->status == 400);
}
