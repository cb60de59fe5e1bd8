#include "common/contract/errors.hpp"
#include "common/contract/routes.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace cicd;
using namespace cicd::contract;

TEST_CASE("paths are canonical and their parameters encoded") {
    CHECK(path_of(route::list_runs) == "/api/v1/runs");
    CHECK(path_of(route::show_pipeline, {"a/b ü"}) == "/api/v1/pipelines/a%2Fb%20%C3%BC");
    CHECK(path_of(route::remove_pipeline_stage, {"p", "s"}) == "/api/v1/pipelines/p/stages/s");
    CHECK_THROWS_AS(path_of(route::show_run), std::logic_error);
}

TEST_CASE("queries leave out what is empty") {
    CHECK(query_text({}).empty());
    CHECK(query_text({{"a", ""}, {"b", "x&y"}, {"c", "1"}}) == "?b=x%26y&c=1");
}

TEST_CASE("every kind of error has its status") {
    CHECK(http_status(invalid("CICD_400", "x")) == 400);
    CHECK(http_status(invalid("PIPELINE_006", "x")) == 422);
    CHECK(http_status(not_found("RUN_001", "x")) == 404);
    CHECK(http_status(conflict("RUN_002", "x")) == 409);
    CHECK(http_status(forbidden("CICD_403", "x")) == 403);
    CHECK(http_status(unavailable("CICD_503", "x")) == 503);
    CHECK(http_status(internal_error("x")) == 500);
    CHECK(kind_of_status(423) == ErrorKind::blocked);
    CHECK(kind_of_status(502) == ErrorKind::unavailable);
}
