#include "daemon/images/reference.hpp"

#include "common/base/text.hpp"
#include "daemon/images/digest.hpp"

#include <algorithm>
#include <filesystem>

namespace cicd::images {
namespace {

constexpr std::size_t longest = 255;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Error refused(const std::string& text, const std::string& why) {
    return invalid("IMAGE_002", "'" + to_valid_utf8(text.substr(0, 300)) + "' is no image: " + why,
                   "such as debian:bookworm, registry.example.com/team/tool:1.2, or a name of 'cicdctl image list'");
}

/// As the distribution's grammar: parts of small letters and digits, divided by one of . _ - and by slashes; a registry
/// with a port comes first.
bool is_name(std::string_view name) {
    if (name.empty() || !is_plain(name.back()) || !is_plain(name.front())) return false;
    const auto first = name.substr(0, name.find('/'));
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool port = name[i] == ':' && i < first.size() && first.size() < name.size();
        if (!is_plain(name[i]) && !port && std::string_view("._-/").find(name[i]) == std::string_view::npos) return false;
        if (name[i] == '/' && (name[i + 1] == '/' || !is_plain(name[i + 1]))) return false;
    }
    return true;
}

bool is_tag(std::string_view tag) {
    return !tag.empty() && tag.size() <= 128 && tag.front() != '.' && tag.front() != '-' &&
           std::all_of(tag.begin(), tag.end(), [](char c) {
               return is_plain(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
           });
}

/// Below the repository's root, whatever it says.
bool is_inside(const std::string& path) {
    const auto normal = std::filesystem::path(path).lexically_normal();
    return !path.empty() && !normal.is_absolute() && *normal.begin() != ".." && normal != "." && path.find('\0') == std::string::npos;
}

}  // namespace

std::string Reference::text() const {
    const char* prefix = kind == Kind::oci ? "oci:" : kind == Kind::docker_archive ? "docker-archive:" : "";
    return prefix + name + (digest.empty() ? "" : "@" + digest);
}

Result<Reference> parse_reference(const std::string& text) {
    Reference reference;
    reference.name = text;
    if (text.size() > longest + 72) return refused(text, "it is too long");
    if (const auto at = reference.name.rfind('@'); at != std::string::npos) {
        reference.digest = reference.name.substr(at + 1);
        reference.name.resize(at);
        if (!is_digest(reference.digest)) return refused(text, "what follows '@' is no sha256:… of 64 digits");
    }
    for (const auto& [prefix, kind] : {std::pair{std::string_view("oci:"), Reference::Kind::oci},
                                       std::pair{std::string_view("docker-archive:"), Reference::Kind::docker_archive}}) {
        if (!reference.name.starts_with(prefix)) continue;
        reference.kind = kind;
        reference.name.erase(0, prefix.size());
        if (!is_inside(reference.name)) return refused(text, "the path is not inside the repository");
        return reference;
    }
    const auto slash = reference.name.rfind('/');
    const auto colon = reference.name.rfind(':');
    const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
    const auto tag = tagged ? reference.name.substr(colon + 1) : "latest";
    if (tagged) reference.name.resize(colon);
    if (!is_name(reference.name) || reference.name.size() > longest) return refused(text, "the name is not one");
    if (!is_tag(tag)) return refused(text, "the tag '" + to_valid_utf8(tag) + "' is not one");
    reference.name += ":" + tag;
    return reference;
}

}  // namespace cicd::images
