#pragma once

#include "daemon/store/store.hpp"

#include <doctest/doctest.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

/// State files in folders of their own, and runs to put into them.
namespace cicd::test {

using store::Changes;
using store::Store;


class Directory {
public:
    Directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "cicd-store-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] std::filesystem::path file() const { return path_ / "state.db"; }

private:
    std::filesystem::path path_;
};

inline constexpr Timestamp noon{Milliseconds(1'795'262'400'000)};

inline std::unique_ptr<Store> opened(const Directory& directory) {
    auto store = Store::open(directory.file());
    REQUIRE_MESSAGE(store.has_value(), (store ? std::string() : store.error().message));
    return std::move(*store);
}

inline store::NewRun new_run(Store& store, int jobs = 2) {
    store::NewRun added;
    auto& run = added.run;
    run.id = store.next_run_id();
    run.number = std::stoll(run.id.str().substr(4));
    run.pipeline = "build";
    run.pipeline_version = 3;
    run.state = model::RunState::queued;
    run.triggered_by = "ada";
    run.event.type = model::TriggerType::push;
    run.event.branch = "main";
    run.source.repository = "/src/app";
    run.source.branch = "main";
    run.source.commit = "c0ffee";
    run.created_time = noon;
    run.stages = {{"test", model::StageState::pending, {}, {}, ""}, {"check", model::StageState::pending, {}, {}, ""}};
    for (int i = 0; i < jobs; ++i) {
        model::JobRun job;
        job.id = store.next_job_id();
        job.run = run.id;
        job.key = "test.unit" + std::to_string(i);
        job.name = "unit" + std::to_string(i);
        job.stage = "test";
        job.created_time = noon;
        job.outputs = Object{{"version", "1.2"}};
        job.steps.push_back({0, "one", "make", model::StepState::pending, {}, {}, {}, {}, "", {}});
        run.jobs.push_back(job);
    }
    added.plan.pipeline = "build";
    added.plan.params = Object{{"level", 3}};
    added.definition = "name: build\n";
    return added;
}

inline model::RunEvent event_of(const RunId& run, std::int64_t seq) {
    model::RunEvent event;
    event.seq = seq;
    event.run = run;
    event.time = noon;
    event.type = "run.state";
    event.state = "running";
    return event;
}

inline std::string plan_of(const Directory& directory, const std::string& sql) {
    SQLite::Database database(directory.file().string(), SQLite::OPEN_READONLY);
    SQLite::Statement query(database, "EXPLAIN QUERY PLAN " + sql);
    std::string text;
    while (query.executeStep()) text += query.getColumn(3).getString() + "\n";
    return text;
}

}  // namespace cicd::test
