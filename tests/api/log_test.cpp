#include "common/client/client.hpp"
#include "common/codec/codecs.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::test;

namespace {

/// A run that has ended, with 300 lines of one step and some of another.
struct Printed {
    World world;
    GitRepository repository{{".cicd.yaml",
                              "name: printing\n"
                              "stages:\n"
                              "  - name: build\n"
                              "    jobs:\n"
                              "      lines:\n"
                              "        steps:\n"
                              "          - {id: count, run: 'seq -f \"line %g\" 0 299'}\n"
                              "          - {id: complain, run: 'echo \"error: one\" >&2; echo fine; echo \"error: two (\\\"x\\\")\"'}\n"}};
    client::Client client{(world.start_daemon(), world.socket())};
    std::string run, job;

    Printed() {
        contract::StartRun request;
        request.repository = repository.path().string();
        request.working_tree = true;
        const auto started = client.start_run(request);
        REQUIRE(started.has_value());
        run = started->id.str();
        REQUIRE(client.follow_run(run, 0, {}).has_value());
        job = client.show_run(run)->jobs.front().id.str();
    }
    std::vector<std::string> lines(const contract::LogQuery& query) {
        const auto entries = client.job_log(job, query);
        REQUIRE(entries.has_value());
        std::vector<std::string> texts;
        for (const auto& entry : *entries) texts.push_back(entry.text);
        return texts;
    }
    Value get(const std::string& target) {
        const auto answer = client.raw("GET", target, "");
        REQUIRE(answer.has_value());
        REQUIRE(answer->status == 200);
        return *codec::parse_json(answer->body);
    }
};

}  // namespace

TEST_CASE("lines of a log are chosen by number, from the end, by step, by time and by expression") {
    Printed printed;
    contract::LogQuery query;
    CHECK(printed.lines(query).size() == 303);
    query.first_line = 290;
    query.max_lines = 5;
    CHECK(printed.lines(query) == std::vector<std::string>{"line 290", "line 291", "line 292", "line 293", "line 294"});

    query = {};
    query.tail = 2;
    CHECK(printed.lines(query).size() == 2);
    query.tail = 0;
    CHECK(printed.lines(query).empty());

    query = {};
    query.step = "complain";
    const auto complained = printed.lines(query);
    REQUIRE(complained.size() == 3);
    query.step = "1";
    CHECK(printed.lines(query) == complained);
    query.grep = "^error: \\w+";
    CHECK(printed.lines(query).size() == 2);
    query.tail = 1;
    CHECK(printed.lines(query).size() == 1);

    query = {};
    query.grep = "line 2\\d$";
    query.tail = 3;
    CHECK(printed.lines(query) == std::vector<std::string>{"line 27", "line 28", "line 29"});

    query = {};
    query.since = printed.client.show_job(printed.job)->start_time;
    CHECK(printed.lines(query).size() == 303);
    query.since = *printed.client.show_job(printed.job)->end_time + Milliseconds(1000);
    CHECK(printed.lines(query).empty());

    query = {};
    query.grep = "(";
    const auto broken = printed.client.job_log(printed.job, query);
    REQUIRE(broken.has_error());
    CHECK(broken.error().kind == ErrorKind::invalid);
    query = {};
    query.step = "nowhere";
    CHECK(printed.client.job_log(printed.job, query).error().kind == ErrorKind::not_found);
}

TEST_CASE("a run's log comes in pages that join without a gap") {
    Printed printed;
    std::vector<std::string> texts;
    std::string cursor;
    int pages = 0;
    do {
        const auto page = printed.get("/runs/" + printed.run + "/logs?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor));
        for (const auto& line : page["data"].as_array()) texts.push_back(line["text"].as_string());
        const auto& next = page["pagination"]["nextCursor"];
        CHECK(page["pagination"]["hasNext"].as_bool() == next.is_string());
        cursor = next.is_string() ? next.as_string() : "";
        ++pages;
    } while (!cursor.empty());
    CHECK(pages == 4);
    REQUIRE(texts.size() == 303);
    CHECK(texts.front() == "line 0");
    CHECK(texts.at(299) == "line 299");
    CHECK(printed.client.raw("GET", "/runs/" + printed.run + "/logs?cursor=job-99.x", "")->status == 400);
}

TEST_CASE("the whole log is text, also by ranges of bytes") {
    Printed printed;
    const auto target = "/jobs/" + printed.job + "/logs";
    const std::pair<std::string, std::string> text{"Accept", "text/plain"};
    const auto whole = printed.client.raw("GET", target, "", {text});
    REQUIRE(whole.has_value());
    CHECK(whole->body.starts_with("line 0\nline 1\n"));
    CHECK(std::count(whole->body.begin(), whole->body.end(), '\n') == 303);
    const auto size = whole->body.size();

    const auto part = printed.client.raw("GET", target, "", {text, {"Range", "bytes=7-12"}});
    CHECK(part->status == 206);
    CHECK(part->body == "line 1");
    CHECK(printed.client.raw("GET", target, "", {text, {"Range", "bytes=-5"}})->body == whole->body.substr(size - 5));
    CHECK(printed.client.raw("GET", target, "", {text, {"Range", "bytes=10-"}})->body == whole->body.substr(10));
    CHECK(printed.client.raw("GET", target, "", {text, {"Range", "bytes=999999999-"}})->status == 416);
    CHECK(printed.client.raw("GET", target, "", {text, {"Range", "lines=1-2"}})->body == whole->body);
    CHECK(printed.client.raw("HEAD", target, "", {text})->body.empty());

    // A stream of what has ended is the same bytes, from any offset.
    CHECK(printed.client.raw("GET", target + "/stream?format=text", "")->body == whole->body);
    CHECK(printed.client.raw("GET", target + "/stream?format=text&offset=7", "")->body == whole->body.substr(7));
    CHECK(printed.client.raw("GET", target + "/stream?format=text&tail=1", "")->body.ends_with("\n"));
    CHECK(printed.client.raw("GET", target + "?follow=true&format=text&grep=line%2029.", "")->body.starts_with("line 290\n"));
    const auto named = printed.client.raw("GET", "/runs/" + printed.run + "/logs", "", {text});
    CHECK(named->body.starts_with("build.lines | line 0\n"));
}

TEST_CASE("a stream of a log is resumed behind any of its events, joined lines or not") {
    Printed printed;
    for (const std::string join : {"false", "true"}) {
        std::vector<std::string> ids;
        const auto whole = printed.client.raw("GET", "/jobs/" + printed.job + "/logs/stream?join=" + join, "");
        REQUIRE(whole.has_value());
        for (auto at = whole->body.find("id: "); at != std::string::npos; at = whole->body.find("\nid: ", at + 1)) {
            const auto begin = whole->body.find("id: ", at) + 4;
            ids.push_back(whole->body.substr(begin, whole->body.find('\n', begin) - begin));
        }
        REQUIRE(!ids.empty());
        if (join == "false") CHECK(ids.size() == 303);
        for (std::size_t i = 0; i < ids.size(); i += 1 + ids.size() / 7) {
            const auto rest = printed.client.raw("GET", "/jobs/" + printed.job + "/logs/stream?join=" + join, "",
                                                 {{"Last-Event-ID", ids[i]}});
            const auto known = whole->body.find("id: " + ids[i] + "\n");
            const auto next = whole->body.find("\n\n", known) + 2;
            CHECK(rest->body == whole->body.substr(next));
        }
    }
    client::StreamHandler handler;
    std::vector<std::string> texts;
    handler.on_log = [&](const contract::LogEntry& entry) {
        CHECK(entry.line == texts.size());
        texts.push_back(entry.text);
        return true;
    };
    REQUIRE(printed.client.follow_log(printed.job, contract::LogQuery{}, handler).has_value());
    CHECK(texts.size() == 303);
}
