#include "daemon/engines/sweep.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "daemon/engines/container.hpp"
#include "daemon/engines/finding.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

namespace cicd::engines {
namespace {

constexpr const char* image_age = "168h";

std::vector<std::string> remembered(const std::filesystem::path& file) {
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    std::vector<std::string> sockets;
    for (const auto& line : split(text, '\n'))
        if (line.starts_with('/')) sockets.push_back(line);
    return sockets;
}

/// Actions' images have no name, and their layers are a cache: those made long ago go, where nothing uses them.
void prune_images(Engine& engine, const std::filesystem::path& state) {
    const auto filter = codec::to_json(Object{{"dangling", Array{"true"}},
                                              {"label", Array{std::string(label_state) + "=" + state.string(), std::string(label_action) + "=true"}},
                                              {"until", Array{image_age}}});
    (void)engine.ask("POST", "/images/prune?filters=" + encoded(filter));
}

int sweep_engine(Engine& engine, const std::filesystem::path& state, const std::function<bool(const std::string&)>& is_wanted) {
    const auto filter = codec::to_json(Object{{"label", Array{std::string(label_state) + "=" + state.string()}}});
    const auto list = engine.ask("GET", "/containers/json?all=true&filters=" + encoded(filter));
    if (!list || !list->body.is_array()) return 0;
    engine.answer_within(std::chrono::seconds(60));
    int removed = 0;
    const auto sweep = [&](bool services) {
        for (const auto& container : list->body.as_array()) {
            const auto &labels = container["Labels"], &id = container["Id"], &job = labels[label_job], &owner = labels[label_state];
            // The filter is the engine's; what is removed is to be ours for certain.
            if (!id.is_string() || !job.is_string() || !owner.is_string() || owner.as_string() != state.string()) continue;
            if (labels[label_service].is_string() != services || is_wanted(job.as_string())) continue;
            if (remove_container(engine, id.as_string())) ++removed;
        }
    };
    sweep(true);  // a container whose network others use does not go before them
    sweep(false);
    prune_images(engine, state);
    const auto volumes = engine.ask("GET", "/volumes?filters=" + encoded(filter));
    if (!volumes || !volumes->body["Volumes"].is_array()) return removed;
    for (const auto& volume : volumes->body["Volumes"].as_array()) {
        const auto &labels = volume["Labels"], &name = volume["Name"], &job = labels[label_job], &owner = labels[label_state];
        if (!name.is_string() || !job.is_string() || !owner.is_string() || owner.as_string() != state.string() || is_wanted(job.as_string())) continue;
        (void)remove_volume(engine, name.as_string());
    }
    return removed;
}

}  // namespace

Result<void> remember_engine(const std::filesystem::path& state, const std::string& socket) {
    const auto file = state / "engines";
    const auto known = [&] {
        const auto all = remembered(file);
        return std::find(all.begin(), all.end(), socket) != all.end();
    };
    if (known()) return {};
    const os::Fd turn(::open((state / "engines.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!turn) return os::last_error("cannot note the container engine in " + state.string());
    while (::flock(turn.get(), LOCK_EX) != 0 && errno == EINTR) {}
    if (known()) return {};
    auto all = remembered(file);
    all.push_back(socket);
    return os::write_durably(file, join(all, "\n") + "\n", 0600);
}

std::vector<std::string> remembered_engines(const std::filesystem::path& state) { return remembered(state / "engines"); }

int sweep_containers(const std::filesystem::path& state, const std::function<bool(const std::string& job)>& is_wanted) {
    int removed = 0;
    for (const auto& socket : remembered(state / "engines")) {
        auto engine = Engine::connect(socket);
        // Podman's containers are there also while nobody serves them.
        if (!engine) engine = start_served(socket);
        if (engine) removed += sweep_engine(*engine, state, is_wanted);
    }
    return removed;
}

}  // namespace cicd::engines
