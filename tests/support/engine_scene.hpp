#pragma once

#include "tests/support/engine.hpp"
#include "tests/support/image.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace cicd::test {

/// A user whose configuration names an engine of the test's own, which has the image localhost/box:1.
struct EngineScene {
    explicit EngineScene(std::vector<std::pair<std::string, std::string>> files, TestEngine::Kind kind = TestEngine::Kind::podman)
        : repository(std::move(files)), engine(kind) {
        write_file(world.config() / "config.yaml", "engine: " + engine.socket() + "\n");
        engine.give_image("localhost/box:1", busybox_layer());
        before = engine.list();
    }
    Outcome run(std::vector<std::string> more = {}) {
        more.insert(more.begin(), "run");
        return world.cicdctl(more, world.in(repository.path()));
    }
    Value job(const std::string& id = "job-1") { return world.json({"show", id}); }
    std::string logs(const std::string& id = "job-1", std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"logs", id});
        return world.cicdctl(more).out;
    }
    bool is_clean() {
        return eventually([&] { return engine.list() == before; });
    }
    GitRepository repository;
    World world;
    TestEngine engine;
    std::vector<std::string> before;
};

/// Whether a test has to be left out, which is told.
inline bool has_no_podman() {
    const auto why = why_no_podman();
    if (!why.empty()) MESSAGE("skipped: " << why);
    return !why.empty();
}

}  // namespace cicd::test
