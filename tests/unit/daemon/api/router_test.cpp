#include "common/codec/json.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/api/openapi.hpp"
#include "daemon/api/router.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace cicd;
using namespace cicd::api;

namespace {

Result<Found> find(const std::string& method, const std::string& target, Request& request) {
    request.method = method;
    CICD_CHECK(read_target(target, request));
    return find_endpoint(endpoints(), request);
}

std::string lower(std::string text) {
    for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

}  // namespace

TEST_CASE("the canonical path and its aliases lead to the same handler") {
    for (const std::string prefix : {"/api/v1", "/v1", ""}) {
        Request request;
        const auto found = find("GET", prefix + "/runs/run-7?x=1", request);
        REQUIRE(found.has_value());
        REQUIRE(found->endpoint);
        CHECK(found->endpoint->route.name == "getRun");
        CHECK(request.parameter("runId") == "run-7");
    }
}

TEST_CASE("names may hold encoded slashes, and never lead elsewhere") {
    Request request;
    const auto found = find("GET", "/pipelines/a%2Fb", request);
    REQUIRE(found.has_value());
    REQUIRE(found->endpoint);
    CHECK(request.parameter("pipelineId") == "a/b");
    for (const auto* path : {"/pipelines/..", "/pipelines/%2e%2e", "/pipelines//x", "/runs/./x"}) {
        Request other;
        CHECK(find("GET", path, other).has_error());
    }
}

TEST_CASE("fixed paths win over parameters") {
    Request request;
    CHECK(find("POST", "/pipelines/validate", request)->endpoint->route.name == "validatePipeline");
    CHECK(find("GET", "/pipelines/runs/run-1", request)->endpoint->route.name == "getPipelineRun");
}

TEST_CASE("another method is told which there are") {
    Request request;
    const auto found = find("PATCH", "/runs", request);
    REQUIRE(found.has_value());
    CHECK(!found->endpoint);
    CHECK(found->allow == "GET, HEAD, POST");
    CHECK(find("HEAD", "/runs", request)->endpoint->route.name == "listRuns");
}

TEST_CASE("targets that are no text are refused") {
    for (const std::string target : {"/runs/%", "/runs/%zz", "/runs/%00", "/runs/%ff", "runs", ""}) {
        Request request;
        INFO(target);
        CHECK(find("GET", target, request).has_error());
    }
    Request request;
    CHECK(find("GET", "/runs?a=%ff", request).has_error());
}

TEST_CASE("openapi.yaml names exactly the routes that there are") {
    const auto parsed = pipeline::parse_yaml(openapi_yaml(), "openapi.yaml");
    REQUIRE(parsed.ok());
    std::set<std::string> described, served;
    for (const auto& [path, item] : parsed.value["paths"].as_object())
        for (const auto& [method, operation] : item.as_object())
            if (method != "parameters")
                described.insert(method + " " + path + " " + operation["operationId"].as_string());
    for (const auto& endpoint : endpoints())
        served.insert(lower(std::string(endpoint.route.method)) + " " + std::string(endpoint.route.path) + " " +
                      std::string(endpoint.route.name));
    CHECK(described == served);
    CHECK(served.size() == endpoints().size());
}

TEST_CASE("every reference in openapi.yaml leads somewhere") {
    const auto parsed = pipeline::parse_yaml(openapi_yaml(), "openapi.yaml");
    REQUIRE(parsed.ok());
    const auto json = codec::to_json(parsed.value);
    const std::string mark = "\"$ref\":\"#/components/";
    int count = 0;
    for (auto at = json.find(mark); at != std::string::npos; at = json.find(mark, at + 1), ++count) {
        const auto start = at + mark.size();
        const auto reference = json.substr(start, json.find('"', start) - start);
        const auto slash = reference.find('/');
        INFO(reference);
        CHECK(!parsed.value["components"][reference.substr(0, slash)][reference.substr(slash + 1)].is_null());
    }
    CHECK(count > 100);
}
