#include "common/job/job_directory.hpp"
#include "common/job/log_writer.hpp"
#include "common/job/runner_files.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace cicd;

namespace {

struct Directory {
    job::Paths paths;
    Directory() {
        char name[] = "/tmp/cicd-job-XXXXXX";
        paths.root = ::mkdtemp(name);
    }
    ~Directory() { std::filesystem::remove_all(paths.root); }
};

constexpr auto out = model::LogStream::out;
constexpr auto err = model::LogStream::err;

std::vector<std::string> texts(const std::vector<job::LogLine>& lines) {
    std::vector<std::string> list;
    for (const auto& line : lines) list.push_back(line.text);
    return list;
}

}  // namespace

TEST_CASE("a log that is not there yet has no lines") {
    Directory directory;
    job::LogReader reader(directory.paths);
    CHECK(*reader.line_count() == 0);
    CHECK(reader.read(0, 10)->empty());
}

TEST_CASE("lines come back by number, with step, stream and time, while the log grows") {
    Directory directory;
    auto writer = job::LogWriter::open(directory.paths);
    REQUIRE(writer.has_value());
    job::LogReader reader(directory.paths);
    REQUIRE(writer->write_lines(0, out, 1000, "he", "llo\nworld\n").has_value());
    CHECK(*reader.line_count() == 2);
    REQUIRE(writer->write_lines(1, err, 2000, "", "\n").has_value());
    REQUIRE(writer->write_lines(1, out, 3000, "", "last\n").has_value());

    const auto lines = reader.read(0, 100);
    REQUIRE(lines.has_value());
    CHECK(texts(*lines) == std::vector<std::string>{"hello", "world", "", "last"});
    CHECK((*lines)[2].number == 2);
    CHECK((*lines)[2].record.step == 1);
    CHECK((*lines)[2].record.stream == static_cast<std::uint8_t>(err));
    CHECK((*lines)[2].record.time_us == 2000);
    CHECK(texts(*reader.read(1, 2)) == std::vector<std::string>{"world", ""});
    CHECK(reader.read(4, 1)->empty());
}

TEST_CASE("bytes of the next line do not reach into the last line that has a record") {
    Directory directory;
    auto writer = job::LogWriter::open(directory.paths);
    REQUIRE(writer->write_lines(0, out, 1, "", "one\n").has_value());
    REQUIRE(writer->write_piece(0, err, 2, "half", false).has_value());
    // What a reader sees between the writer's two writes: bytes without their records.
    std::ofstream(directory.paths.log(), std::ios::app) << "two\nthree\n";
    job::LogReader reader(directory.paths);
    const auto lines = reader.read(0, 10);
    CHECK(texts(*lines) == std::vector<std::string>{"one", "half"});
    CHECK((*lines)[1].record.flags == job::log_partial);
}

TEST_CASE("a line of a MiB without a newline is kept in pieces, the end of the output is no partial line") {
    Directory directory;
    auto writer = job::LogWriter::open(directory.paths);
    const std::string large(1 << 20, 'x');
    REQUIRE(writer->write_piece(3, out, 1, large, true).has_value());
    job::LogReader reader(directory.paths);
    const auto lines = reader.read(0, 100, 4 << 20);
    std::string all;
    for (const auto& line : *lines) all += line.text;
    CHECK(all == large);
    CHECK(lines->front().record.flags == job::log_partial);
    CHECK(lines->back().record.flags == 0);
    CHECK(reader.read(0, 100, 100'000)->size() == 1);
}

TEST_CASE("bytes are kept as written, whatever they are") {
    Directory directory;
    auto writer = job::LogWriter::open(directory.paths);
    const std::string odd("\xff\xfe\0\x1b[31m\r\n", 10);
    REQUIRE(writer->write_lines(0, out, 1, "", odd).has_value());
    CHECK(job::LogReader(directory.paths).read(0, 1)->front().text == odd.substr(0, odd.size() - 1));
}

TEST_CASE("the journal is read from an offset on, a half-written last entry stays unread") {
    Directory directory;
    auto writer = job::JournalWriter::open(directory.paths);
    REQUIRE(writer.has_value());
    model::JournalEntry entry;
    entry.type = model::JournalType::step_ended;
    entry.step = 2;
    entry.name = "build";
    entry.state = model::StepState::failed;
    entry.exit_code = 3;
    entry.end_reason = model::EndReason::exit;
    entry.usage.cpu_ms = 17;
    REQUIRE(writer->append(entry).has_value());
    std::uint64_t offset = 0;
    auto entries = job::read_journal(directory.paths, offset);
    REQUIRE(entries.has_value());
    REQUIRE(entries->size() == 1);
    CHECK(entries->front() == entry);

    std::ofstream(directory.paths.journal(), std::ios::app) << "{\"type\":\"not";
    const auto before = offset;
    CHECK(job::read_journal(directory.paths, offset)->empty());
    CHECK(offset == before);
}

TEST_CASE("spec, exit and cancel come back as they were written") {
    Directory directory;
    CHECK(job::read_spec(directory.paths).error().kind == ErrorKind::not_found);
    CHECK(!job::read_exit(directory.paths)->has_value());
    CHECK(!job::read_cancel(directory.paths));

    model::JobSpec spec;
    spec.job = JobId("job-7");
    spec.run = RunId("run-3");
    spec.key = "test.unit";
    spec.workspace = "/w";
    spec.env = {{{"A", "1"}}, {{"B", "${{ env.A }}"}}};
    spec.timeout = Milliseconds(1500);
    spec.contexts = Object{{"params", Object{{"x", 1}}}};
    model::Step step;
    step.run = "make";
    step.condition = "always()";
    spec.steps = {step};
    REQUIRE(job::write_spec(directory.paths, spec).has_value());
    const auto spec_back = job::read_spec(directory.paths);
    REQUIRE(spec_back.has_value());
    CHECK(*spec_back == spec);

    model::JobExit exit;
    exit.state = model::JobState::failed;
    exit.exit_code = 2;
    exit.end_reason = model::EndReason::exit;
    exit.outputs = Object{{"version", "1.2"}};
    REQUIRE(job::write_exit(directory.paths, exit).has_value());
    CHECK(**job::read_exit(directory.paths) == exit);

    REQUIRE(job::write_cancel(directory.paths, model::EndReason::superseded, "a newer run started").has_value());
    CHECK(job::read_cancel(directory.paths)->reason == model::EndReason::superseded);
    CHECK(job::read_cancel(directory.paths)->message == "a newer run started");
}

TEST_CASE("a spec that cannot be read says which file and why") {
    Directory directory;
    std::ofstream(directory.paths.spec()) << "{\"version\": 1,";
    const auto spec = job::read_spec(directory.paths);
    REQUIRE(!spec.has_value());
    CHECK(spec.error().message.find("spec.json") != std::string::npos);
}

TEST_CASE("a runner is alive by its lock, and a job directory is used once") {
    Directory directory;
    CHECK(job::runner_status(directory.paths).liveness == job::RunnerLiveness::not_started);
    {
        const auto lock = job::RunnerLock::take(directory.paths);
        REQUIRE(lock.has_value());
        CHECK(job::runner_status(directory.paths).liveness == job::RunnerLiveness::alive);
        CHECK(job::runner_status(directory.paths).pid == ::getpid());
        CHECK(job::RunnerLock::take(directory.paths).error().kind == ErrorKind::conflict);
    }
    CHECK(job::runner_status(directory.paths).liveness == job::RunnerLiveness::dead);
    const auto again = job::RunnerLock::take(directory.paths);
    REQUIRE(!again.has_value());
    CHECK(again.error().message.find("has been run before") != std::string::npos);
}

TEST_CASE("a runner that is under way has the lock from who starts it") {
    const Directory directory;
    {
        auto given = job::lock_for_runner(directory.paths);
        REQUIRE(given.has_value());
        const auto status = job::runner_status(directory.paths);
        CHECK(status.liveness == job::RunnerLiveness::alive);
        CHECK(status.pid == 0);
        CHECK(job::lock_for_runner(directory.paths).error().kind == ErrorKind::conflict);
        const auto lock = job::RunnerLock::take(directory.paths, std::move(*given));
        REQUIRE(lock.has_value());
        CHECK(job::runner_status(directory.paths).pid == ::getpid());
    }
    CHECK(job::runner_status(directory.paths).liveness == job::RunnerLiveness::dead);
    const auto later = job::lock_for_runner(directory.paths);
    REQUIRE(later.has_value());
    ::unlink(directory.paths.pid().c_str());
    CHECK(job::runner_status(directory.paths).liveness == job::RunnerLiveness::alive);
}

TEST_CASE("a moment is found in a log without reading it") {
    const Directory directory;
    auto writer = *job::LogWriter::open(directory.paths);
    job::LogReader reader(directory.paths);
    CHECK(reader.first_line_since(0).value() == 0);
    for (std::uint64_t second = 0; second < 1000; ++second)
        REQUIRE(writer.write_lines(0, model::LogStream::out, second * 1'000'000, {}, "line " + std::to_string(second) + "\n").has_value());
    CHECK(reader.first_line_since(0).value() == 0);
    CHECK(reader.first_line_since(500'000'000).value() == 500);
    CHECK(reader.first_line_since(500'000'001).value() == 501);
    CHECK(reader.first_line_since(2'000'000'000).value() == 1000);
    CHECK(reader.offset_of(10).value() == 70);
    CHECK(reader.text(reader.offset_of(999).value(), 100).value() == "line 999\n");
    CHECK(reader.offset_of(1000).value() == reader.text_size().value());
}

TEST_CASE("lines that a power failure took from the log, but not from its index, are not there") {
    const Directory directory;
    auto writer = *job::LogWriter::open(directory.paths);
    REQUIRE(writer.write_lines(0, model::LogStream::out, 1, {}, "one\ntwo\nthree\n").has_value());
    std::filesystem::resize_file(directory.paths.log(), 6);
    job::LogReader reader(directory.paths);
    const auto lines = reader.read(0, 10);
    REQUIRE(lines.has_value());
    REQUIRE(lines->size() == 1);
    CHECK(lines->front().text == "one");
    CHECK(reader.read(1, 10)->empty());
}

TEST_CASE("an index that points backwards or out of the log ends the log there") {
    for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
        const Directory directory;
        auto writer = *job::LogWriter::open(directory.paths);
        REQUIRE(writer.write_lines(0, model::LogStream::out, 1, {}, "one\ntwo\nthree\nfour\n").has_value());
        {
            std::fstream index(directory.paths.index(), std::ios::in | std::ios::out | std::ios::binary);
            index.seekp(2 * sizeof(job::LogRecord));
            index.write(reinterpret_cast<const char*>(&wrong), sizeof wrong);
        }
        job::LogReader reader(directory.paths);
        const auto lines = reader.read(0, 10);
        REQUIRE(lines.has_value());
        REQUIRE(lines->size() == 1);  // where "two" ends is not known
        CHECK(lines->front().text == "one");
        CHECK(reader.read(2, 1).has_value());
    }
}

TEST_CASE("a batch is filled again and again") {
    const Directory directory;
    auto writer = *job::LogWriter::open(directory.paths);
    std::string text;
    for (int line = 0; line < 3000; ++line) text += std::string(static_cast<std::size_t>(line % 200), 'x') + "\n";
    REQUIRE(writer.write_lines(1, model::LogStream::err, 7, {}, text).has_value());
    job::LogReader reader(directory.paths);
    job::LogBatch batch;
    std::string again;
    std::uint64_t next = 0;
    for (; reader.read(next, 100, 4096, batch).has_value() && !batch.empty(); next += batch.size())
        for (std::size_t i = 0; i < batch.size(); ++i) again += std::string(batch.text(i)) + "\n";
    CHECK(next == 3000);
    CHECK(again == text);
}
