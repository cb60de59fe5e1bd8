#include "daemon/app/configuration.hpp"

#include <doctest/doctest.h>

using namespace cicd;
using namespace cicd::app;

namespace {
Configuration read(const std::string& text) {
    const auto configuration = parse_configuration(text, "config.yaml");
    REQUIRE_MESSAGE(configuration.has_value(), (configuration ? std::string() : configuration.error().problems.at(0).message));
    return *configuration;
}
Diagnostic problem(const std::string& text) {
    const auto configuration = parse_configuration(text, "config.yaml");
    REQUIRE(!configuration.has_value());
    REQUIRE(!configuration.error().problems.empty());
    return configuration.error().problems[0];
}
}  // namespace

TEST_CASE("an empty configuration has the defaults") {
    const auto configuration = read("");
    CHECK(configuration.retention.age == std::chrono::days(90));
    CHECK(configuration.retention.workspaces == std::chrono::days(1));
    CHECK(!configuration.retention.runs);
    CHECK(configuration.reserve.bytes == std::uint64_t{1} << 30);
    CHECK(configuration.reserve.percent == 2);
    CHECK(configuration.log_level == "info");
    CHECK(!configuration.allow_host_executor);
    CHECK(!read_configuration("/no/such/folder")->slots);
}

TEST_CASE("everything that can be set is read") {
    const auto configuration = read("executors: {host: true}\n"
                                    "capacity: {slots: 8, cpu: 3.5, memory: 8Gi, gpu: 2}\n"
                                    "disk: {reserve: 5%}\n"
                                    "retention: {age: 30d, runs: 1000, logs: 7d, size: 20Gi, workspaces: never, mirrors: 2w}\n"
                                    "logLevel: debug\n");
    CHECK(configuration.allow_host_executor);
    CHECK(configuration.slots == 8);
    CHECK(configuration.cpu == 3.5);
    CHECK(configuration.memory == std::uint64_t{8} << 30);
    CHECK(configuration.gpu == 2);
    CHECK(configuration.reserve == upkeep::Reserve{std::nullopt, 5.0});
    CHECK(configuration.retention.age == std::chrono::days(30));
    CHECK(configuration.retention.runs == 1000);
    CHECK(configuration.retention.logs == std::chrono::days(7));
    CHECK(configuration.retention.size == std::uint64_t{20} << 30);
    CHECK(!configuration.retention.workspaces);
    CHECK(configuration.retention.mirrors == std::chrono::days(14));
    CHECK(configuration.log_level == "debug");
    CHECK(configuration.warnings.empty());
}

TEST_CASE("labels have places") {
    const auto configuration = read("labels: {windows-latest: machine, gpu: none, 'ubuntu-22.04': 'ubuntu:22.04'}\n");
    REQUIRE(configuration.labels.size() == 3);
    CHECK(configuration.labels[2] == std::pair<std::string, std::string>{"ubuntu-22.04", "ubuntu:22.04"});
    for (const char* text : {"labels: [gpu]", "labels: {gpu: {}}", "labels: {gpu: ''}"}) CHECK(problem(text).line == 1);
}

TEST_CASE("where actions of other repositories are") {
    CHECK(read("").action_server == "https://github.com");
    CHECK(read("actions: {server: none}\n").action_server.empty());
    const auto configuration = read("actions:\n  server: https://git.example.org/\n  map: {a/b: /srv/b, c/d: 'file:///srv/d'}\n");
    CHECK(configuration.action_server == "https://git.example.org");
    REQUIRE(configuration.action_map.size() == 2);
    CHECK(configuration.action_map[0] == std::pair<std::string, std::string>("a/b", "/srv/b"));
    for (const char* text : {"actions: {server: somewhere}", "actions: {map: [a/b]}", "actions: {map: {a/b: relative}}", "actions: {maps: {}}"}) {
        INFO(text);
        CHECK(problem(text).line == 1);
    }
}

TEST_CASE("a wrong value is told with its line and what it must be") {
    const auto age = problem("logLevel: info\nretention:\n  age: soon\n");
    CHECK(age.line == 3);
    CHECK(age.column == 8);
    CHECK(age.message.find("'retention.age' must be a duration") != std::string::npos);
    for (const char* text : {"capacity: {slots: 0}", "capacity: {slots: 1.5}", "capacity: {cpu: none}", "capacity: {memory: lots}",
                             "capacity: [1]", "disk: {reserve: 200%}", "retention: {runs: -1}", "logLevel: loud",
                             "executors: {host: yes please}", "just text", "retention: {size: -4}"}) {
        INFO(text);
        CHECK(problem(text).line == 1);
    }
    CHECK(parse_configuration("a: [", "config.yaml").error().kind == ErrorKind::invalid);
}

TEST_CASE("all problems are told at once, unknown keys with what they may have been") {
    const auto several = parse_configuration("retention: {agee: 1d, runs: x}\ndisk: {reserv: 1Gi}\n", "config.yaml");
    REQUIRE(several.error().problems.size() == 3);
    CHECK(problem("retention: {agee: 1d}").suggestion.find("'age'") != std::string::npos);
}

TEST_CASE("keys at the top may be another program's: they are only warned of") {
    const auto configuration = read("output: json\ncolour: never\n");
    REQUIRE(configuration.warnings.size() == 1);
    CHECK(configuration.warnings[0].find("config.yaml:2") != std::string::npos);
    CHECK(configuration.warnings[0].find("'color'") != std::string::npos);
}
