#pragma once

#include "common/job/job_directory.hpp"
#include "daemon/store/store.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

/// A state directory with runs in it, as a daemon leaves them.
namespace cicd::test {

namespace fs = std::filesystem;

inline constexpr Timestamp noon{Milliseconds(1'795'262'400'000)};
constexpr auto day = std::chrono::hours(24);

class FakeClock final : public Clock {
public:
    Timestamp time = noon;
    [[nodiscard]] Timestamp now() const override { return time; }
};

inline void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}
inline std::string read(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class StateFolder {
public:
    StateFolder() {
        std::string pattern = (fs::temp_directory_path() / "cicd-upkeep-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~StateFolder() { fs::remove_all(path); }
    StateFolder(const StateFolder&) = delete;
    StateFolder& operator=(const StateFolder&) = delete;

    std::unique_ptr<store::Store> open() const {
        auto store = store::Store::open(path / "state.db");
        REQUIRE_MESSAGE(store.has_value(), (store ? std::string() : store.error().message));
        return std::move(*store);
    }
    [[nodiscard]] fs::path job(const JobId& id) const { return path / "jobs" / id.str() / "1"; }

    fs::path path;
};

/// A run of one job; `ended` long ago or, where it is not given, still at it. Its log holds `log`.
inline model::Run add_run(const StateFolder& folder, store::Store& store, std::optional<Timestamp> ended,
                          const std::string& log = "hello\n") {
    store::NewRun added;
    auto& run = added.run;
    run.id = store.next_run_id();
    run.number = std::stoll(run.id.str().substr(4));
    run.pipeline = "build";
    run.triggered_by = "ada";
    run.created_time = run.start_time = ended.value_or(noon);
    run.end_time = ended;
    run.state = ended ? model::RunState::success : model::RunState::running;
    run.stages = {{"one", ended ? model::StageState::success : model::StageState::running, {}, {}, ""}};
    model::JobRun job;
    job.id = store.next_job_id();
    job.run = run.id;
    job.key = job.name = job.stage = "one";
    job.state = ended ? model::JobState::success : model::JobState::running;
    job.outputs = Object{};
    run.jobs.push_back(job);
    added.plan.pipeline = "build";
    added.definition = "name: build\n";
    store::Changes changes;
    changes.new_runs.push_back(added);
    REQUIRE(store.apply(changes).has_value());
    const auto attempt = folder.job(job.id);
    write(attempt / "spec.json", "{}");
    write(attempt / "journal", "");
    write(attempt / "log", log);
    if (ended) write(attempt / "exit", "{}");
    return run;
}

}  // namespace cicd::test
