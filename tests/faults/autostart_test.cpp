#include "tests/faults/mounts.hpp"

using namespace cicd;
using namespace cicd::test;

TEST_CASE("twenty clients that find no daemon start one between them, and all are served") {
    World world;
    GitRepository repository{{".cicd.yaml", quick_pipeline}};
    std::vector<std::unique_ptr<Background>> clients;
    for (int i = 0; i < 20; ++i)
        clients.push_back(i % 2 == 0 ? world.start_cicdctl({"run", "--detach"}, world.in(repository.path()))
                                     : world.start_cicdctl({"ps", "-a"}));
    for (auto& client : clients) {
        const auto outcome = client->wait();
        INFO(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
    }
    const auto daemons = [&] {
        int count = 0;
        for (const int pid : processes_with_argument(world.state().string())) {
            const auto line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
            if (line.substr(0, line.find('\0')).ends_with("/cicdd")) ++count;
        }
        return count;
    };
    // A child of the daemon that is about to become a runner looks like another for a moment.
    CHECK(eventually([&] { return daemons() == 1; }));
    const auto runs = world.json({"ps", "-a"});
    CHECK((runs.is_array() ? runs : runs["data"]).as_array().size() == 10);
}
