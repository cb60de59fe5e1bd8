#include "daemon/api/answer_cache.hpp"
#include "daemon/api/dispatch.hpp"
#include "daemon/api/line_pattern.hpp"
#include "daemon/api/request_parser.hpp"
#include "daemon/api/sse.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cicd;
using namespace cicd::api;

TEST_CASE("a request is read from bytes, without a socket") {
    const auto request = parse_request("POST /runs?a=b%20c HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nX-Request-Id: mine\r\n"
                                       "Content-Length: 2\r\n\r\n{}");
    REQUIRE(request.has_value());
    CHECK(request->method == "POST");
    CHECK(request->path == "/runs");
    CHECK(request->query_value("a") == "b c");
    CHECK(request->body == "{}");
    CHECK(request->idempotency_key == "k");
    CHECK(request->id == "mine");
    const auto chunked = parse_request("POST /plan HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    REQUIRE(chunked.has_value());
    CHECK(chunked->body == "{}");
    for (const std::string bytes : {"", "GET", "GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /runs HTTP/1.1\r\n",
                                    "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", "GET /?a=%zz HTTP/1.1\r\n\r\n",
                                    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        INFO(bytes);
        CHECK(parse_request(bytes).has_error());
    }
    CHECK(parse_request("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n").error().code == "CICD_431");
    CHECK(parse_request("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n").error().code == "CICD_413");
}

TEST_CASE("an expression is ECMAScript's, and no expression takes for ever") {
    const auto matches = [](std::string_view expression, std::string_view line) {
        const auto pattern = LinePattern::compile(expression);
        REQUIRE(pattern.has_value());
        return pattern->matches(line);
    };
    CHECK(matches("^err(or)?:\\s+\\d{2,}", "error: 42"));
    CHECK_FALSE(matches("^err(or)?:\\s+\\d{2,}", "an error: 42"));
    CHECK(matches("\\u00e9", "caf\xc3\xa9"));
    CHECK(matches("b", "broken \xff bytes"));
    CHECK_FALSE(matches("(a+)+$", std::string(200'000, 'a') + "b"));
    CHECK(matches("(x|y)*z", std::string(2'000, 'x') + "z"));
    for (const auto* broken : {"(", "[", "a{2", "\\"}) {
        const auto pattern = LinePattern::compile(broken);
        if (std::string_view(broken) == "a{2") continue;  // literal braces, as browsers read them
        REQUIRE(pattern.has_error());
        CHECK(pattern.error().kind == ErrorKind::invalid);
    }
    CHECK(LinePattern::compile(std::string(5'000, 'a')).has_error());
}

TEST_CASE("a stream's position is its text, and nothing else is one") {
    const auto position = read_position("17;job-7.1.120;job-8.2.0");
    REQUIRE(position.has_value());
    CHECK(position->seq == 17);
    CHECK(position->lines.at("job-7").last == 120);
    CHECK(position->lines.at("job-8").attempt == 2);
    CHECK(position->text() == "17;job-7.1.120;job-8.2.0");
    for (const auto* broken : {"", "x", "-1", "1;", "1;job-7", "1;job-7.1", "1;job-7.1.x", "1;job-7.1.2.3", "99999999999999999999"})
        CHECK(read_position(broken).has_error());
}

TEST_CASE("an answer is kept until something is written") {
    AnswerCache cache;
    Response response;
    response.body = "x";
    cache.put({"/runs", nullptr, 4, response});
    REQUIRE(cache.find("/runs", 4));
    CHECK(cache.find("/runs", 4)->response.body == "x");
    CHECK_FALSE(cache.find("/jobs", 4));
    CHECK_FALSE(cache.find("/runs", 6));
    CHECK_FALSE(cache.find("/runs", 4));
    response.body = std::string(200'000, 'x');
    for (int i = 0; i < 100; ++i) cache.put({"/runs/" + std::to_string(i), nullptr, 4, response});
    CHECK(cache.find("/runs/99", 4));
    CHECK_FALSE(cache.find("/runs/0", 4));
}

TEST_CASE("an answer's tag tells whether the client has it") {
    Request request;
    request.method = "GET";
    Response response;
    response.body = "one";
    tag(request, response);
    const auto [name, etag] = response.headers.back();
    CHECK(name == "ETag");
    CHECK(etag.starts_with("W/\""));
    const auto answered = [&](const std::string& known, const std::string& body) {
        Response again;
        again.body = body;
        request.if_none_match = known;
        tag(request, again);
        return again.status;
    };
    CHECK(answered(etag, "one") == 304);
    CHECK(answered("\"a\", " + etag, "one") == 304);
    CHECK(answered("*", "one") == 304);
    CHECK(answered(etag, "two") == 200);
    CHECK(answered("\"a\"", "one") == 200);
}
