#include "daemon/images/registry.hpp"

#include "common/base/text.hpp"
#include "daemon/images/layout.hpp"
#include "daemon/images/program.hpp"

#include <chrono>

namespace cicd::images {
namespace {

constexpr auto inspect_limit = std::chrono::seconds(30);
constexpr auto copy_limit = std::chrono::hours(2);

Result<Ended> skopeo(std::vector<std::string> arguments, std::chrono::steady_clock::duration limit,
                     const std::function<void(std::string_view)>& tell, const std::function<bool()>& stop) {
    arguments.insert(arguments.begin(), "skopeo");
    CICD_TRY(auto ended, run_program(std::move(arguments), {.limit = limit, .tell_out = tell, .stop = stop}));
    if (!ended.killed) return ended;
    return unavailable("IMAGE_006", stop && stop() ? "the pull was stopped" : "the registry did not answer in time", "try again later");
}

/// What skopeo writes is for people with its log: the last line says it.
Error refused(const Reference& reference, const std::string& said) {
    const auto lines = split(trim(said), '\n');
    auto why = lines.empty() ? std::string() : to_valid_utf8(lines.back());
    // time="…" level=fatal msg="…"
    if (const auto message = why.find("msg=\""); message != std::string::npos && why.ends_with('"'))
        why = why.substr(message + 5, why.size() - message - 6);
    for (auto at = why.find("\\\""); at != std::string::npos; at = why.find("\\\"")) why.erase(at, 1);
    return unavailable("IMAGE_006", "the image " + reference.text() + " cannot be had from its registry: " + why,
                       "see what `skopeo inspect docker://" + reference.name + "` says; 'cicdctl image import' takes archives");
}

/// Without a tag where there is a digest: skopeo takes one of them.
std::string address(const Reference& reference) {
    if (reference.digest.empty()) return "docker://" + reference.name;
    return "docker://" + reference.name.substr(0, reference.name.rfind(':')) + "@" + reference.digest;
}

}  // namespace

bool can_pull() { return !find_program("skopeo").empty(); }

Result<std::string> ask_registry(const Reference& reference) {
    CICD_TRY(const auto ended, skopeo({"inspect", "--raw", address(reference)}, inspect_limit, nullptr, nullptr));
    if (ended.status != 0) return refused(reference, ended.err);
    return digest_for_this_machine(ended.out);
}

Result<void> fetch_image(const Reference& reference, const std::filesystem::path& folder,
                         const std::function<void(std::string_view)>& tell, const std::function<bool()>& stop) {
    CICD_TRY(const auto ended, skopeo({"copy", address(reference), "dir:" + folder.string()}, copy_limit, tell, stop));
    if (ended.status != 0) return refused(reference, ended.err);
    return {};
}

}  // namespace cicd::images
