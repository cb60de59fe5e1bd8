#include "daemon/engines/images.hpp"

#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/codec/json.hpp"
#include "daemon/engines/tar.hpp"
#include "daemon/os/files.hpp"

#include <algorithm>
#include <chrono>
#include <map>

namespace cicd::engines {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* imported = "localhost/cicd-image";
constexpr auto between_lines = std::chrono::seconds(3);

struct Name {
    std::string name, tag, digest;
    explicit Name(const std::string& text) : name(text) {
        if (const auto at = name.rfind('@'); at != std::string::npos) {
            digest = name.substr(at + 1);
            name.resize(at);
        }
        const auto slash = name.rfind('/');
        const auto colon = name.rfind(':');
        if (colon == std::string::npos || (slash != std::string::npos && colon < slash)) return;
        tag = name.substr(colon + 1);
        name.resize(colon);
    }
    [[nodiscard]] std::string tagged() const { return tag.empty() ? name : name + ":" + tag; }
    [[nodiscard]] bool has_registry() const {
        const auto first = name.substr(0, name.find('/'));
        return first.size() < name.size() && (first.find_first_of(".:") != std::string::npos || first == "localhost");
    }
    [[nodiscard]] bool is_path() const { return tagged().starts_with("oci:") || tagged().starts_with("docker-archive:"); }
    /// How the engine may know it.
    [[nodiscard]] std::vector<std::string> forms() const {
        if (digest.empty()) {
            if (has_registry()) return {tagged()};
            // What was built or loaded here without a registry's name; Podman looks for docker.io's only.
            return {tagged(), "localhost/" + tagged()};
        }
        std::vector<std::string> list{std::string(imported) + ":" + digest.substr(digest.find(':') + 1), digest};
        if (!is_path()) list.insert(list.begin(), name + "@" + digest);
        return list;
    }
};

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

std::string base64_url(std::string_view bytes) {
    constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t three = 0;
        const auto count = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? letters[three >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

std::string login_header(const Name& name, const std::string& login) {
    const auto colon = login.find(':');
    const auto server = name.has_registry() ? name.name.substr(0, name.name.find('/')) : "https://index.docker.io/v1/";
    return base64_url(codec::to_json(Object{{"username", login.substr(0, colon)},
                                            {"password", colon == std::string::npos ? "" : login.substr(colon + 1)},
                                            {"serveraddress", server}}));
}

Error not_pulled(const std::string& image, const Engine& engine, const Error& why) {
    auto error = unavailable("IMAGE_006", "the image " + image + " cannot be had from its registry: " + why.message);
    const auto said = to_lower(why.message);
    const auto says = [&](const char* words) { return said.find(words) != std::string::npos; };
    if (says("unauthorized") || says("denied") || says("authentication required") || says("no basic auth"))
        error.hint = "give a secret that holds 'user:password': image: {name: …, credentials: SECRET}";
    else if (says("not found") || says("manifest unknown") || says("no such image"))
        error.hint = "look at its name and tag";
    else
        error.hint = "see that this machine reaches it, or bring the image: cicdctl image import, or " +
                     std::string(engine.facts().kind == Facts::Kind::podman ? "podman" : "docker") + " load";
    return error;
}

/// Of many lines a second, those that somebody would read.
class Progress {
public:
    explicit Progress(const Tell& tell) : tell_(tell) {}
    void take(const Value& line) {
        const auto id = text_of(line["id"]);
        const auto& detail = line["progressDetail"];
        if (detail["current"].is_number() && detail["total"].is_number() && detail["total"].as_number() > 0 && parts_.size() < 1000)
            parts_[id] = {detail["current"].as_number(), detail["total"].as_number()};
        const auto now = Clock::now();
        if (parts_.empty() || now - told_ < between_lines) return;
        told_ = now;
        double done = 0, all = 0;
        for (const auto& [part, bytes] : parts_) done += bytes.first, all += bytes.second;
        tell_("  " + humanize_size(static_cast<std::uint64_t>(done)) + " of " + humanize_size(static_cast<std::uint64_t>(all)));
    }

private:
    const Tell& tell_;
    std::map<std::string, std::pair<double, double>> parts_;
    Clock::time_point told_ = Clock::now();
};

Result<void> pull(Engine& engine, const Name& name, const std::string& login, const Tell& tell) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!login.empty()) headers.emplace_back("X-Registry-Auth", login_header(name, login));
    const auto tag = !name.digest.empty() ? name.digest : name.tag.empty() ? "latest" : name.tag;
    Progress progress(tell);
    return engine.stream("POST", "/images/create?fromImage=" + encoded(name.name) + "&tag=" + encoded(tag),
                         [&](const Value& line) { return progress.take(line), true; }, headers);
}

/// A whole root as an image of one layer, by the digest that it has here.
Result<void> import(Engine& engine, const model::RootImage& files, const Tell& tell) {
    const auto hold = os::hold_directory(std::filesystem::path(files.path).parent_path());
    if (!hold) return unavailable("JOB_003", "the image is gone: " + files.name, "import it again: cicdctl image import");
    tell("giving the image " + files.name + " to " + engine.name());
    const auto tag = files.digest.substr(files.digest.find(':') + 1);
    // Podman takes the name from `repo` alone.
    std::string target = "/images/create?fromSrc=-&repo=" +
                         (engine.facts().kind == Facts::Kind::podman ? encoded(std::string(imported) + ":" + tag) : encoded(imported) + "&tag=" + encoded(tag));
    for (const auto& [name, value] : files.env) {
        // Docker reads it as a Dockerfile's line; Podman takes what is between the quotes as it is.
        std::string quoted;
        for (const char c : value) {
            if (engine.facts().kind == Facts::Kind::docker && (c == '"' || c == '\\' || c == '$')) quoted += '\\';
            if (c != '\n') quoted += c;
        }
        target += "&changes=" + encoded("ENV " + name + "=\"" + quoted + "\"");
    }
    if (files.user != 0) target += "&changes=" + encoded("USER " + std::to_string(files.user) + ":" + std::to_string(files.group));
    CICD_TRY(auto tar, Tar::of(files.path));
    auto done = engine.stream("POST", target, [](const Value&) { return true; }, {{"Content-Type", "application/x-tar"}}, [&] { return tar.read(); });
    if (!done) return std::move(done.error()).within("the image " + files.name + " could not be given to " + engine.name());
    return {};
}

}  // namespace

Result<std::optional<FoundImage>> find_image(Engine& engine, const std::string& text) {
    const Name name(text);
    for (const auto& form : name.forms()) {
        CICD_TRY(const auto answer, engine.ask("GET", "/images/" + encoded(form) + "/json"));
        if (answer.status == 404 || answer.status == 400) continue;  // 400: no name that this engine knows
        const auto id = text_of(answer.body["Id"]);
        if (!answer.ok() || id.empty()) return unavailable("ENGINE_003", "the engine cannot tell about the image " + form + ": " + answer.complaint());
        FoundImage found{id, id.starts_with("sha256:") ? id : "sha256:" + id, answer.body["Config"]};
        const auto& digests = answer.body["RepoDigests"];
        if (digests.is_array())
            for (const auto& one : digests.as_array()) {
                const Name known(text_of(one));
                const bool same = known.name == name.name || known.name.ends_with("/" + name.name);
                if (same && known.digest.starts_with("sha256:")) found.digest = known.digest;
            }
        return std::optional(std::move(found));
    }
    return std::optional<FoundImage>();
}

Result<std::optional<std::string>> ask_registry(Engine& engine, const std::string& text) {
    const Name name(text);
    if (engine.facts().kind == Facts::Kind::podman) return std::optional<std::string>();
    CICD_TRY(const auto answer, engine.ask("GET", "/distribution/" + encoded(name.tagged()) + "/json"));
    if (!answer.ok()) return not_pulled(text, engine, unavailable("ENGINE_003", answer.complaint()));
    const auto digest = text_of(answer.body["Descriptor"]["digest"]);
    return digest.starts_with("sha256:") ? std::optional(digest) : std::nullopt;
}

PushParts push_parts(const std::string& tag, const std::string& login) {
    const Name name(tag);
    return {encoded(name.name), encoded(name.tag.empty() ? "latest" : name.tag), login.empty() ? base64_url("{}") : login_header(name, login)};
}

Result<FoundImage> provide_image(Engine& engine, const model::JobSpec& spec, const std::string& login, const Tell& tell) {
    const auto& image = *spec.image;
    const Name name(image.name);
    if (image.pull != "always" || !name.digest.empty()) {
        CICD_TRY(const auto here, find_image(engine, image.name));
        if (here) return *here;
    }
    if (spec.image_files) {
        CICD_CHECK(import(engine, *spec.image_files, tell));
    } else if (name.is_path() || image.pull == "never") {
        return unavailable("IMAGE_001", "the image " + image.name + " is not on this machine",
                           "bring it: cicdctl image import, or let it be pulled: image: {pull: missing}");
    } else {
        tell("pulling the image " + image.name + " with " + engine.name());
        if (auto pulled = pull(engine, name, login, tell); !pulled)
            return pulled.error().kind == ErrorKind::cancelled ? pulled.error() : not_pulled(image.name, engine, pulled.error());
    }
    const auto wanted = spec.image_files ? name.tagged() + "@" + spec.image_files->digest : image.name;
    CICD_TRY(const auto found, find_image(engine, wanted));
    if (!found) return unavailable("IMAGE_006", "the image " + image.name + " was fetched, but the engine does not know it under that name");
    if (!spec.image_files) tell("it is " + found->digest);
    return *found;
}

}  // namespace cicd::engines
