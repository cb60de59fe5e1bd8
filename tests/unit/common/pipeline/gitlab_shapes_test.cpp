#include "common/base/text.hpp"
#include "common/pipeline/front.hpp"
#include "common/pipeline/gitlab/formula.hpp"
#include "common/pipeline/gitlab/pattern.hpp"
#include "common/pipeline/gitlab/shapes.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cicd;
using namespace cicd::pipeline::gitlab;

namespace {

bool fits(const Shape& shape, const std::string& text) {
    if (shape.whole) return text == shape.begin;
    if (shape.more && text == shape.begin + shape.end) return false;
    return text.starts_with(shape.begin) && text.ends_with(shape.end) && text.find(shape.within) != text.npos;
}

const char* texts[] = {"", "main", "maintenance", "domain", "release/1", "release/", "hotfix/x", "v1", "v12", "v1.2", "v1.2.3", "v1.2.3-rc1", "vx", "feature-1", "a", "ab", "aba",
                       "release-9-rc", "x/y", "main-", "-main", "1", "0.1", "stable", "unstable", "gh/queue/x", "abba"};

}  // namespace

TEST_CASE("gitlab: where a pattern is shapes, these say the same of every text") {
    for (const char* pattern : {"/main/", "/^main/", "/main$/", "/^main$/", "/^(main|stable)$/", "/^main$|^stable$/", "/^release\\/.*$/", "/^release\\/.+/", "/^release\\/.+$/", "/.*main.*/",
                                "/^.*-rc$/", "/^v\\d/", "/^v[0-9]+/", "/^v1\\.2/", "/^ab.*ba$/", "/^release.*-rc$/", "/\\Amain\\z/", "/^(?:un)?stable$/", "/.+/", "/^x\\/?y?/", "/^[ab]/", "/^\\w+$/",
                                "/^v\\d+\\.\\d+$/", "/a{2}/", "/^(gh|x)\\/(queue|y)/", "//", "/^$/", "/[^a]/", "/a.b/"}) {
        const auto shapes = shapes_of(pattern);
        const auto beginnings = beginnings_of(pattern);
        CAPTURE(std::string(pattern));
        for (const std::string text : texts) {
            CAPTURE(text);
            const auto found = matches(pattern, text);
            REQUIRE(found.has_value());
            if (shapes) CHECK(std::any_of(shapes->begin(), shapes->end(), [&](const auto& shape) { return fits(shape, text); }) == *found);
            if (*found && !beginnings.empty()) CHECK(std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& begin) { return text.starts_with(begin); }));
        }
    }
    CHECK(shapes_of("/^(main|stable)$/").has_value());
    CHECK(shapes_of("/^release\\/.+/").has_value());
    CHECK_FALSE(shapes_of("/^v\\d+\\.\\d+$/").has_value());
    CHECK_FALSE(shapes_of("/^ab.*ba$/").has_value());
    CHECK(beginnings_of("/^v\\d+\\.\\d+$/").size() == 10);
    CHECK(beginnings_of("/^a+|b/").empty());
}

TEST_CASE("gitlab: conditions are made short") {
    const auto push = Formula::equal("run.event", "push"), request = Formula::equal("run.event", "pull_request"), tag = !Formula::equal("git.tag", ""), main = Formula::equal("git.branch", "main");
    CHECK((push && !request).text() == "run.event == 'push'");
    CHECK((push && request).is(false));
    CHECK((request || (!request && main)).text() == "run.event == 'pull_request' || git.branch == 'main'");
    CHECK(((tag && main) || (tag && push)).text() == "git.tag != '' && (git.branch == 'main' || run.event == 'push')");
    CHECK((!(tag || main)).text() == "git.tag == '' && git.branch != 'main'");
    const auto unknown = Formula::unknown("x");
    CHECK((unknown || !unknown).is(true));
    CHECK((unknown && main).known().is(false));
    CHECK((!unknown || main).known().text() == "git.branch == 'main'");
    CHECK(Formula::equal("a", "it's").text() == "a == 'it''s'");
}

TEST_CASE("gitlab: a delayed job waits first, and has that time besides") {
    const auto front = pipeline::read_front(model::Dialect::gitlab, "a: {script: [x], when: delayed, start_in: 2 minutes, timeout: 1 minute}\n", ".gitlab-ci.yml", {});
    REQUIRE(front.parsed.ok());
    const auto& job = front.parsed.value.stages.at(0).jobs.at(0);
    CHECK(job.steps.at(0).run == "sleep 120\n");
    CHECK(job.timeout->count() == 180'000);
}
