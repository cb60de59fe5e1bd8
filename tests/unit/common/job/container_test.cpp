#include "common/job/container.hpp"

#include <doctest/doctest.h>

using namespace cicd;

TEST_CASE("what is to run in a container comes through as it was asked, and so does its end") {
    job::RunRequest request;
    request.context = "action";
    request.file = "Dockerfile";
    request.entrypoint = "/run";
    request.arguments = {"a b", ""};
    request.env = {{"A", "1=2\n"}};
    request.directory = "/there";
    request.mounts = {{"/from", "/to", true}, {"/from2", "/to2", false}};
    const auto again = job::read_run_request(job::to_text(request));
    CHECK(again.image.empty());
    CHECK(again.context == "action");
    CHECK(again.file == "Dockerfile");
    CHECK(again.entrypoint == "/run");
    CHECK(again.arguments == request.arguments);
    CHECK(again.env == request.env);
    CHECK(again.directory == "/there");
    REQUIRE(again.mounts.size() == 2);
    CHECK(again.mounts[0].target == "/to");
    CHECK(again.mounts[0].read_only);
    CHECK_FALSE(again.mounts[1].read_only);

    const auto ended = job::read_run_answer(job::to_text(job::RunAnswer{job::RunAnswer::Kind::ended, 7, ""}));
    CHECK(ended.kind == job::RunAnswer::Kind::ended);
    CHECK(ended.exit_code == 7);
    CHECK(job::read_run_answer(job::to_text(job::RunAnswer{job::RunAnswer::Kind::no_engine, 0, "none"})).error == "none");
    // Who was killed has written nothing.
    CHECK(job::read_run_answer("").kind == job::RunAnswer::Kind::failed);
    CHECK(job::read_run_answer("").error == "cicd-container gave no answer");
}
