#pragma once

#include "tests/support/world.hpp"

#include <memory>
#include <string>
#include <vector>

/// A real container engine of the test's own, whose images and containers lie in a folder of its own.
namespace cicd::test {

/// Why none can be had here; empty: it can.
std::string why_no_podman();
std::string why_no_docker();

class TestEngine {
public:
    enum class Kind { podman, docker };
    explicit TestEngine(Kind kind = Kind::podman);
    ~TestEngine();
    TestEngine(const TestEngine&) = delete;
    TestEngine& operator=(const TestEngine&) = delete;

    [[nodiscard]] std::string socket() const;  ///< "unix:///…"
    /// What else its programs need.
    [[nodiscard]] std::map<std::string, std::string> env() const;
    /// An image of one layer, under this name ("localhost/box:1").
    void give_image(const std::string& name, const std::string& layer) const;
    /// Its own command line program.
    Outcome command(std::vector<std::string> arguments) const;
    /// Every container, also ended ones; volumes; and networks that were made.
    [[nodiscard]] std::vector<std::string> list() const;
    [[nodiscard]] std::vector<std::string> containers() const;
    /// Containers can have a network of the engine's own, with a way out.
    [[nodiscard]] bool has_network() const;
    /// A registry without TLS: who serves is started anew.
    void trust(const std::string& registry);
    void stop();  ///< only who serves: containers go on
    void start();
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

private:
    [[nodiscard]] std::vector<std::string> program() const;
    TempDir folder_;
    Kind kind_;
    std::unique_ptr<Background> server_;
};

}  // namespace cicd::test
