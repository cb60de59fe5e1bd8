#pragma once

#include "common/job/job_directory.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"
#include "tests/support/processes.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

/// The words that tests of the runner are written in: a job directory, the real cicd-runner, what it left behind.
namespace cicd::test {

inline model::Step run_step(std::string script, std::string id = {}) {
    model::Step step;
    step.run = std::move(script);
    step.id = std::move(id);
    return step;
}

inline bool eventually(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        ::poll(nullptr, 0, 2);
    }
    return true;
}

class TestJob {
public:
    explicit TestJob(std::vector<model::Step> steps = {}) {
        char name[] = "/tmp/cicd-run-XXXXXX";
        paths.root = ::mkdtemp(name);
        std::filesystem::create_directory(paths.workspace());
        spec.job = JobId("job-1");
        spec.run = RunId("run-1");
        spec.key = "build.main";
        spec.name = "main";
        spec.stage = "build";
        spec.workspace = paths.workspace().string();
        spec.steps = std::move(steps);
        spec.contexts = Object();
    }
    explicit TestJob(std::string script) : TestJob(std::vector{run_step(std::move(script))}) {}
    ~TestJob() {
        if (pid > 0) {
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
        (void)os::remove_all(paths.root);
    }
    TestJob(const TestJob&) = delete;
    TestJob& operator=(const TestJob&) = delete;

    void start(std::vector<std::string> env_additions = {}, std::vector<std::string> wrapper = {}) {
        REQUIRE(job::write_spec(paths, spec).has_value());
        os::SpawnOptions options;
        options.argv = std::move(wrapper);
        options.argv.insert(options.argv.end(), {CICD_BIN_DIR "/cicd-runner", paths.root.string()});
        options.env.emplace();
        for (char** entry = ::environ; *entry; ++entry) options.env->push_back(*entry);
        for (auto& entry : env_additions) options.env->insert(options.env->begin(), entry);
        if (!secrets.empty()) {
            const auto file = os::memory_file("secrets", secrets);
            options.argv.insert(options.argv.end(), {"--secrets-fd", "9"});
            options.fds = {{file->get(), 9}, {2, 2}};
            pid = *os::spawn(options);
            return;
        }
        options.fds = {{2, 2}};
        const auto started = os::spawn(options);
        REQUIRE(started.has_value());
        pid = *started;
    }
    /// Waits for the runner and gives what it wrote to `exit`.
    const model::JobExit& finish() {
        int status = 0;
        ::waitpid(pid, &status, 0);
        pid = 0;
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
        const auto found = job::read_exit(paths);
        REQUIRE(found.has_value());
        REQUIRE(found->has_value());
        exit = **found;
        return exit;
    }
    const model::JobExit& run() {
        start();
        return finish();
    }
    [[nodiscard]] bool system_says(const std::string& text) const {
        return log(model::LogStream::system).find(text) != std::string::npos;
    }
    void cancel(model::EndReason reason = model::EndReason::cancelled, const std::string& message = "enough") {
        REQUIRE(job::write_cancel(paths, reason, message).has_value());
        ::kill(pid, SIGTERM);
    }

    [[nodiscard]] std::vector<job::LogLine> lines() const {
        auto found = job::LogReader(paths).read(0, 1'000'000, 1 << 30);
        REQUIRE(found.has_value());
        return *found;
    }
    [[nodiscard]] std::string log(model::LogStream stream = model::LogStream::out) const {
        std::string text;
        for (const auto& line : lines())
            if (line.record.stream == static_cast<std::uint8_t>(stream)) text += line.text + "\n";
        return text;
    }
    [[nodiscard]] bool log_holds(const std::string& text) const { return log().find(text) != std::string::npos; }
    [[nodiscard]] std::vector<model::JournalEntry> journal() const {
        std::uint64_t offset = 0;
        return *job::read_journal(paths, offset);
    }

    job::Paths paths;
    model::JobSpec spec;
    model::JobExit exit;
    std::string secrets;
    int pid = 0;
};

}  // namespace cicd::test
