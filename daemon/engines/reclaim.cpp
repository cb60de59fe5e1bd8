#include "daemon/engines/reclaim.hpp"

#include "common/base/paths.hpp"
#include "common/job/container.hpp"
#include "daemon/engines/container.hpp"
#include "daemon/engines/finding.hpp"
#include "daemon/engines/sweep.hpp"

#include <unistd.h>

namespace cicd::engines {
namespace {

Value bound(const std::string& source, const std::string& target, bool read_only) {
    return Object{{"Type", "bind"}, {"Source", source}, {"Target", target}, {"ReadOnly", read_only}};
}

Object reclaimer(const std::filesystem::path& state, const std::filesystem::path& folder, const std::string& image, bool rootless) {
    // Of a rootless engine, its containers' root is we ourselves.
    const auto user = std::to_string(rootless ? 0 : ::geteuid()), group = std::to_string(rootless ? 0 : ::getegid());
    Array rights;
    for (const char* right : {"CHOWN", "DAC_OVERRIDE", "FOWNER"}) rights.emplace_back(right);
    Object host{{"Mounts", Array{bound(folder.string(), job::container_workspace, false),
                                 bound(sibling_program("cicd-runner").string(), job::container_init, true)}},
                {"NetworkMode", "none"}, {"CapDrop", Array{Value("ALL")}}, {"CapAdd", std::move(rights)}, {"Init", false}};
    return Object{{"Image", image}, {"User", "0:0"}, {"NetworkDisabled", true},
                  {"Entrypoint", Array{Value(job::container_init)}},
                  {"Cmd", Array{Value("own"), Value(job::container_workspace), Value(user), Value(group)}},
                  {"Labels", Object{{label_job, "reclaim"}, {label_state, state.string()}}},
                  {"HostConfig", std::move(host)}};
}

Result<void> reclaim_by(Engine& engine, const std::filesystem::path& state, const std::filesystem::path& folder) {
    // Its program needs nothing of an image, so that any will do.
    CICD_TRY(const auto images, engine.ask("GET", "/images/json"));
    if (!images.body.is_array() || images.body.as_array().empty() || !images.body.as_array().front()["Id"].is_string())
        return unavailable("ENGINE_003", engine.name() + " has no image any more by which " + folder.string() + " could be cleared");
    const bool rootless = describe(engine).find("rootless") != std::string::npos;
    CICD_TRY(const auto made, engine.ask("POST", "/containers/create", reclaimer(state, folder, images.body.as_array().front()["Id"].as_string(), rootless)));
    const auto& id = made.body["Id"];
    if (!made.ok() || !id.is_string()) return unavailable("ENGINE_003", made.complaint());
    const auto at = "/containers/" + id.as_string();
    const auto started = engine.ask("POST", at + "/start");
    const auto ended = started && started->ok() ? engine.ask("POST", at + "/wait") : started;
    CICD_CHECK(remove_container(engine, id.as_string()));
    if (!ended) return ended.error();
    const auto& code = ended->body["StatusCode"];
    if (ended->ok() && code.is_number() && code.as_number() == 0) return {};
    return unavailable("ENGINE_003", ended->complaint());
}

}  // namespace

Result<void> reclaim(const std::filesystem::path& state, const std::filesystem::path& folder) {
    if (::geteuid() == 0) return {};
    Result<void> last = unavailable("ENGINE_001", "no engine was used here");
    for (const auto& socket : remembered_engines(state)) {
        auto engine = start_served(socket);
        last = engine ? reclaim_by(*engine, state, folder) : Result<void>(engine.error());
        if (last) return {};
    }
    return last;
}

}  // namespace cicd::engines
