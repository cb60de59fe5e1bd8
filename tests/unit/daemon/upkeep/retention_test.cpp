#include "daemon/upkeep/retention.hpp"
#include "tests/unit/daemon/upkeep/fixture.hpp"

#include <fcntl.h>
#include <sys/stat.h>

using namespace cicd;
using namespace cicd::test;
using upkeep::Cleaner;
using upkeep::Policy;

namespace {

Policy nothing_goes() {
    Policy policy;
    policy.age.reset();
    policy.workspaces.reset();
    policy.mirrors.reset();
    return policy;
}

contract::CleanUpReport clean(const StateFolder& folder, store::Store& store, const Policy& policy, bool dry_run = false) {
    const FakeClock clock;
    Cleaner cleaner({store, folder.path, clock, {}}, policy);
    const auto report = cleaner.clean({dry_run});
    REQUIRE_MESSAGE(report.has_value(), (report ? std::string() : report.error().message));
    return *report;
}

void make_old(const fs::path& path, Timestamp time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

}  // namespace

TEST_CASE("runs go when they are old, with all that belongs to them; active ones stay whatever their age") {
    const StateFolder folder;
    auto store = folder.open();
    const auto old = add_run(folder, *store, noon - 91 * day);
    const auto young = add_run(folder, *store, noon - 89 * day);
    const auto active = add_run(folder, *store, std::nullopt);
    write(folder.path / "runs" / old.id.str() / "workspace" / "file", "x");
    const auto told = clean(folder, *store, Policy{}, true);
    CHECK(told.runs == 1);
    CHECK(store->run(old.id).has_value());
    const auto report = clean(folder, *store, Policy{});
    CHECK(report.runs == 1);
    CHECK(report.logs == 1);
    CHECK(report.bytes > 0);
    CHECK(report.bytes == told.bytes);
    CHECK(store->run(old.id).error().code == "RUN_001");
    CHECK(!fs::exists(folder.job(old.jobs[0].id).parent_path()));
    CHECK(!fs::exists(folder.path / "runs" / old.id.str()));
    CHECK(store->run(young.id).has_value());
    CHECK(fs::exists(folder.job(active.jobs[0].id) / "log"));
    CHECK(clean(folder, *store, Policy{}).runs == 0);
}

TEST_CASE("the newest runs stay, by count") {
    const StateFolder folder;
    auto store = folder.open();
    std::vector<model::Run> runs;
    for (int i = 0; i < 250; ++i) runs.push_back(add_run(folder, *store, noon - Milliseconds(i)));
    auto policy = nothing_goes();
    policy.runs = 10;
    CHECK(clean(folder, *store, policy).runs == 240);
    CHECK(store->run(runs[239].id).error().code == "RUN_001");
    CHECK(store->run(runs[240].id).has_value());
}

TEST_CASE("logs go by size, the oldest first, and their runs stay") {
    const StateFolder folder;
    auto store = folder.open();
    std::vector<model::Run> runs;
    for (int i = 0; i < 10; ++i) runs.push_back(add_run(folder, *store, noon - (20 - i) * day, std::string(100'000, 'x')));
    add_run(folder, *store, std::nullopt, std::string(100'000, 'x'));
    auto policy = nothing_goes();
    policy.size = 700'000;
    const auto report = clean(folder, *store, policy);
    CHECK(report.logs >= 5);
    CHECK(report.logs <= 7);
    CHECK(upkeep::bytes_below(folder.path / "jobs") <= 700'000);
    CHECK(!fs::exists(folder.job(runs[0].jobs[0].id)));
    CHECK(fs::exists(folder.job(runs[9].jobs[0].id)));
    CHECK(store->run(runs[0].id).has_value());
    policy.size = 0;
    const auto all = clean(folder, *store, policy);
    CHECK(all.notes.size() == 1);  // the active run's log stays, and that is told
    CHECK(all.logs + report.logs == 10);
}

TEST_CASE("logs may go earlier than their runs") {
    const StateFolder folder;
    auto store = folder.open();
    const auto run = add_run(folder, *store, noon - 8 * day);
    auto policy = nothing_goes();
    policy.logs = 7 * day;
    CHECK(clean(folder, *store, policy).logs == 1);
    CHECK(store->run(run.id).has_value());
    CHECK(clean(folder, *store, policy).logs == 0);
}

TEST_CASE("what a crash left behind goes: folders that belong to no run, and workspaces of what has ended") {
    const StateFolder folder;
    auto store = folder.open();
    const auto run = add_run(folder, *store, noon - 3 * day);
    write(folder.path / "jobs/job-77/1/log", "nobody's");
    write(folder.path / "jobs/job-78/1/log", "being made");
    make_old(folder.path / "jobs/job-77", noon - day);
    make_old(folder.path / "jobs/job-78", noon);
    const auto attempt = folder.job(run.jobs[0].id);
    write(attempt / "workspace/file", "x");
    make_old(attempt / "exit", noon - 2 * day);
    const auto report = clean(folder, *store, Policy{});
    CHECK(report.logs == 1);
    CHECK(report.workspaces == 1);
    CHECK(!fs::exists(folder.path / "jobs/job-77"));
    CHECK(fs::exists(folder.path / "jobs/job-78"));
    CHECK(!fs::exists(attempt / "workspace"));
    CHECK(fs::exists(attempt / "log"));
}

TEST_CASE("nothing goes for its age when the clock has jumped") {
    const StateFolder folder;
    auto store = folder.open();
    const auto run = add_run(folder, *store, noon - day);
    FakeClock clock;
    Cleaner cleaner({*store, folder.path, clock, {}}, Policy{});
    clock.time = noon + 365 * day;
    const auto report = cleaner.clean({});
    CHECK(report->runs == 0);
    CHECK(report->notes.front().find("clock") != std::string::npos);
    CHECK(store->run(run.id).has_value());
    clock.time = noon - 365 * day;
    CHECK(cleaner.clean({})->runs == 0);
    clock.time = noon;
    CHECK(cleaner.clean({})->notes.empty());
}

TEST_CASE("mirrors that nobody has used for long are put aside at the start and removed later") {
    const StateFolder folder;
    auto store = folder.open();
    for (const char* name : {"old.git", "new.git"}) write(folder.path / "repos" / name / "HEAD", "ref: refs/heads/main\n");
    make_old(folder.path / "repos/old.git/HEAD", noon - 100 * day);
    make_old(folder.path / "repos/old.git", noon - 100 * day);
    make_old(folder.path / "repos/new.git/HEAD", noon - day);
    make_old(folder.path / "repos/new.git", noon - 100 * day);
    upkeep::retire_mirrors(folder.path, 90 * day, noon);
    CHECK(!fs::exists(folder.path / "repos/old.git"));
    CHECK(fs::exists(folder.path / "repos/new.git"));
    CHECK(clean(folder, *store, Policy{}).mirrors == 1);
    CHECK(fs::is_empty(folder.path / "retired"));
}

TEST_CASE("a clean-up that is told to stop stops") {
    const StateFolder folder;
    auto store = folder.open();
    for (int i = 0; i < 150; ++i) add_run(folder, *store, noon - 100 * day);
    const FakeClock clock;
    Cleaner cleaner({*store, folder.path, clock, [] { return true; }}, Policy{});
    CHECK(cleaner.clean({})->runs == 0);
}
