#include "common/client/client.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;

TEST_CASE("where no daemon is, the error says so and how to start it") {
    client::Client client("/nonexistent/cicdd.sock");
    const auto status = client.status();
    REQUIRE(!status);
    CHECK(status.error().kind == ErrorKind::unavailable);
    CHECK(status.error().code == "CICD_069");
    CHECK(status.error().hint == "start it with: cicdctl daemon start");
}

TEST_CASE("following without a daemon fails at once") {
    client::Client client("/nonexistent/cicdd.sock");
    const auto followed = client.follow_run("run-1", 0, {});
    REQUIRE(!followed);
    CHECK(followed.error().code == "CICD_069");
}

TEST_CASE("a socket path that no system takes is refused with what to do") {
    client::Client client("/" + std::string(200, 'x'));
    const auto status = client.status();
    REQUIRE(!status);
    CHECK(status.error().kind == ErrorKind::invalid);
    CHECK(status.error().hint == "set CICD_SOCKET to a shorter path");
}

TEST_CASE("a path that would break the request's line is not sent") {
    client::Client client("/nonexistent/cicdd.sock");
    const auto answer = client.raw("GET", "/a b\r\nX: y", "");
    REQUIRE(!answer);
    CHECK(answer.error().kind == ErrorKind::invalid);
}
