#include "common/codec/codecs.hpp"
#include "common/codec/log_entry.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace cicd;

namespace {

std::vector<std::string> odd_texts() {
    std::vector<std::string> texts{"", "plain", "a \"quoted\" \\ backslash", "tab\there", "\x1b[31mred\x1b[0m", "\x7f",
                                   "gr\xc3\xbc\xc3\x9f dich", "broken \xff\xfe here", "\xe2\x82", std::string("nul\0", 4),
                                   std::string(1000, 'x'), "1234567\"", "12345678\"", "\"1234567", "\xf0\x9f\x98\x80"};
    std::mt19937 random(7);
    for (int i = 0; i < 300; ++i) {
        std::string text(random() % 40, ' ');
        for (auto& c : text) c = static_cast<char>(random() % 4 == 0 ? random() % 256 : 'a' + random() % 26);
        texts.push_back(std::move(text));
    }
    return texts;
}

}  // namespace

TEST_CASE("a line written without a tree is the JSON that encode gives, and is read back as decode does") {
    std::uint64_t number = 0;
    for (const auto& text : odd_texts()) {
        const contract::LogEntry entry{JobId("job-7"), "test.unit (\"x\")", number, static_cast<int>(number % 3), number % 2 ? model::LogStream::err : model::LogStream::out,
                                       Timestamp(Milliseconds(1'795'262'400'000 + static_cast<std::int64_t>(number) * 377)), text,
                                       number % 5 == 0, 2};
        ++number;
        const auto expected = codec::to_json(codec::encode(entry));
        codec::LogEntryWriter writer(entry.job, entry.job_key, entry.attempt);
        std::string written;
        writer.append(written, {entry.line, entry.step, entry.stream, entry.time, entry.text, entry.partial});
        CHECK(written == expected);
        const auto decoded = codec::decode<contract::LogEntry>(*codec::parse_json(expected));
        const auto parsed = codec::parse_log_entry(expected);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == *decoded);
    }
}

TEST_CASE("one writer is right over the change of a second, also backwards") {
    codec::LogEntryWriter writer(JobId("job-1"), "a.b", 1);
    for (const auto ms : {1'795'262'400'999, 1'795'262'401'000, 1'795'262'400'001}) {
        std::string written;
        writer.append(written, {0, 0, model::LogStream::out, Timestamp(Milliseconds(ms)), "x", false});
        CHECK(codec::parse_log_entry(written)->time == Timestamp(Milliseconds(ms)));
        CHECK(written == codec::to_json(codec::encode(*codec::parse_log_entry(written))));
    }
}

TEST_CASE("a line in another form is read by the general parser; what is none is refused") {
    const auto entry = codec::parse_log_entry(
        R"( {"line": 3, "jobId": "job-1", "stream": "stderr", "time": "2026-11-21T04:40:32.123Z", "text": "\u00e9\/", "new": 1})");
    REQUIRE(entry.has_value());
    CHECK(entry->text == "\xc3\xa9/");
    CHECK(codec::parse_log_entry("{").has_error());
    CHECK(codec::parse_log_entry("{}").has_error());
}
