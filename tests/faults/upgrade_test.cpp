#include "tests/faults/mounts.hpp"

using namespace cicd;
using namespace cicd::test;

namespace {

/// Makes the state file one of the schema before the newest, with all that fits into it.
const std::string downgrade = R"py(
import os, re, sqlite3, sys
path, header = sys.argv[1:]
blocks = re.findall(r'R"sql\((.*?)\)sql"', open(header).read(), re.S)
new = sqlite3.connect(path)
assert new.execute('PRAGMA user_version').fetchone()[0] == len(blocks), 'the newest schema is not the last migration'
old = sqlite3.connect(path + '.old', isolation_level=None)
for block in blocks[:-1]:
    old.executescript(block)
old.execute('PRAGMA user_version = %d' % (len(blocks) - 1))
tables = [row[0] for row in old.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%_counts'")]
for table in tables:
    columns = [row[1] for row in old.execute('PRAGMA table_info(%s)' % table)]
    marks = ','.join('?' * len(columns))
    for row in new.execute('SELECT %s FROM %s' % (','.join(columns), table)):
        old.execute('INSERT INTO %s (%s) VALUES (%s)' % (table, ','.join(columns), marks), row)
old.close()
new.close()
for suffix in ('', '-wal', '-shm'):
    if os.path.exists(path + suffix):
        os.remove(path + suffix)
os.rename(path + '.old', path)
print(len(blocks))
)py";

}  // namespace

TEST_CASE("a daemon of a newer schema takes over from the older one while a job runs") {
    World world;
    GitRepository waiting{{".cicd.yaml", waiting_pipeline(world) + "  - {name: two, commands: ['echo next']}\n"}},
        quick{{".cicd.yaml", quick_pipeline}};
    REQUIRE(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
    const auto id = start_waiting(world, waiting);
    world.kill_daemon();
    const auto header = std::string(CICD_SOURCE_DIR) + "/daemon/store/migrations.hpp";
    const auto older = run({"python3", "-c", downgrade, (world.state() / "state.db").string(), header});
    INFO(older.err);
    REQUIRE(older.code == 0);

    world.start_daemon();
    CHECK(status_of(world, id) == "running");
    CHECK(status_of(world, "run-1") == "success");
    let_go(world);
    CHECK(world.cicdctl({"watch", id}).code == 0);
    CHECK(world.cicdctl({"logs", id}).out.find("after") != std::string::npos);
    const auto version = run({"python3", "-c", "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version').fetchone()[0])",
                              (world.state() / "state.db").string()});
    CHECK(version.out == older.out);
    CHECK(world.cicdctl({"run"}, world.in(quick.path())).code == 0);
}

TEST_CASE("SIGTERM ends the daemon while its jobs run on, and the next one collects them") {
    World world;
    GitRepository waiting{{".cicd.yaml", waiting_pipeline(world)}};
    const auto id = start_waiting(world, waiting);
    const int first = world.daemon_pid();
    REQUIRE(::kill(first, SIGTERM) == 0);
    // The job cannot end before it is let go, so the daemon has not waited for it.
    REQUIRE(eventually([&] { return !is_alive(first); }, std::chrono::seconds(10)));
    CHECK(!std::filesystem::exists(world.socket()));
    let_go(world);
    world.start_daemon();
    CHECK(world.cicdctl({"watch", id}).code == 0);
    CHECK(world.cicdctl({"logs", id}).out == "[one] before\n[one] after\n");
}
