#include "daemon/images/layout.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "daemon/images/digest.hpp"
#include "daemon/os/inner_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>

namespace cicd::images {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_document = 8 << 20, most_layers = 512;
constexpr int deepest_index = 3;

Error broken(const std::string& why) { return invalid("IMAGE_003", "the image is damaged: " + why, "get or build it again"); }

std::string text(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

const Array& list(const Value& value) {
    static const Array none;
    return value.is_array() ? value.as_array() : none;
}

/// As images name this machine's kind.
std::string architecture() {
    utsname machine{};
    ::uname(&machine);
    const std::string name = machine.machine;
    return name == "x86_64" ? "amd64" : name == "aarch64" ? "arm64" : name;
}

bool fits(const Value& descriptor) {
    const auto& platform = descriptor["platform"];
    if (!platform.is_object()) return true;
    return text(platform["os"]) == "linux" && text(platform["architecture"]) == architecture();
}

bool is_index(const std::string& media_type) {
    return media_type.find("image.index") != std::string::npos || media_type.find("manifest.list") != std::string::npos;
}

std::string digits(const std::string& digest) { return digest.substr(digest.find(':') + 1); }

/// The one that is meant: with that tag, and for this machine.
Result<Value> choose(const Value& index, const std::string& tag) {
    std::vector<Value> found;
    std::vector<std::string> tags;
    for (const auto& each : list(index["manifests"])) {
        const auto name = text(each["annotations"]["org.opencontainers.image.ref.name"]);
        if (!name.empty()) tags.push_back(name);
        if (!tag.empty() && name != tag && !name.ends_with(":" + tag)) continue;
        if (fits(each)) found.push_back(each);
    }
    if (found.size() == 1 || (!found.empty() && tag.empty() && tags.empty())) return found.front();
    const auto there = tags.empty() ? std::string() : ": " + to_valid_utf8(join(tags, ", "));
    if (found.empty())
        return invalid("IMAGE_003", "there is no image" + (tag.empty() ? "" : " '" + tag + "'") + " for linux/" + architecture() + " in it" + there);
    return invalid("IMAGE_003", "there are several images in it" + there, "name one: PATH:TAG");
}

}  // namespace

Result<std::string> digest_for_this_machine(const std::string& manifest) {
    CICD_TRY(const auto value, codec::parse_json(manifest));
    if (!value["manifests"].is_array()) return digest_of(manifest);
    CICD_TRY(const auto chosen, choose(value, ""));
    const auto digest = text(chosen["digest"]);
    if (!is_digest(digest)) return broken("its list names no sha256 digest");
    return digest;
}

Result<Layout> Layout::open(const fs::path& folder, const std::string& tag, std::map<std::string, std::string> links) {
    Layout layout;
    layout.folder_ = os::Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!layout.folder_) return os::last_error("cannot open " + folder.string());
    layout.links_ = std::move(links);
    // `docker save` writes both since version 25; the layout has the digests.
    const auto has = [&](const char* file) { return static_cast<bool>(os::open_in_root(layout.folder_.get(), file, O_PATH)); };
    if (!has("index.json") && !has("manifest.json"))
        return invalid("IMAGE_003", "it is no image: there is neither an index.json (OCI) nor a manifest.json (docker save) in it");
    CICD_CHECK(has("version") ? layout.read_skopeo() : has("index.json") ? layout.read_oci(tag) : layout.read_docker());
    if (layout.layers_.size() > most_layers) return broken("it has more than " + std::to_string(most_layers) + " layers");
    return layout;
}

Result<Layout> Layout::of_root(os::Fd archive) {
    Layout layout;
    CICD_TRY(layout.digest_, file_digest(archive.get()));
    layout.root_ = std::move(archive);
    layout.layers_.push_back({"root", layout.digest_, ""});
    return layout;
}

Result<void> Layout::read_oci(const std::string& tag) {
    CICD_TRY(auto index, read_json("index.json"));
    CICD_TRY(auto chosen, choose(index, tag));
    for (int depth = 0; is_index(text(chosen["mediaType"])); ++depth) {
        if (depth == deepest_index) return broken("its indexes lie in each other too deep");
        CICD_TRY(const auto inner, read_blob(text(chosen["digest"])));
        CICD_TRY(index, codec::parse_json(inner));
        CICD_TRY(chosen, choose(index, ""));
    }
    CICD_TRY(const auto manifest, read_blob(text(chosen["digest"])));
    return read_manifest(manifest);
}

/// `skopeo copy … dir:FOLDER`: the registry's own manifest, and each part under its digits.
Result<void> Layout::read_skopeo() {
    blobs_.clear();
    CICD_TRY(const auto manifest, read_text("manifest.json"));
    return read_manifest(manifest);
}

Result<void> Layout::read_manifest(const std::string& bytes) {
    digest_ = digest_of(bytes);
    CICD_TRY(const auto manifest, codec::parse_json(bytes));
    CICD_TRY(const auto config, read_blob(text(manifest["config"]["digest"])));
    CICD_CHECK(read_config(config));
    for (const auto& each : list(manifest["layers"])) {
        const auto sum = text(each["digest"]);
        if (!is_digest(sum)) return broken("a layer has no sha256 digest");
        if (text(each["mediaType"]).find("encrypted") != std::string::npos)
            return invalid("IMAGE_003", "the image's layers are encrypted");
        layers_.push_back({blobs_ + digits(sum), sum, ""});
    }
    return {};
}

Result<void> Layout::read_docker() {
    CICD_TRY(const auto manifest, read_json("manifest.json"));
    const auto& images = list(manifest);
    if (images.size() != 1) return invalid("IMAGE_003", "there are " + std::to_string(images.size()) + " images in it", "save one alone");
    CICD_TRY(const auto config, read_text(text(images.front()["Config"])));
    digest_ = digest_of(config);
    CICD_CHECK(read_config(config));
    const auto& files = list(images.front()["Layers"]);
    if (!diff_ids_.empty() && diff_ids_.size() != files.size()) return broken("its layers and their sums are not as many");
    for (std::size_t i = 0; i < files.size(); ++i)
        layers_.push_back({text(files[i]), "", i < diff_ids_.size() ? diff_ids_[i] : ""});
    return {};
}

Result<void> Layout::read_config(const std::string& bytes) {
    CICD_TRY(const auto document, codec::parse_json(bytes));
    const auto made_for = text(document["architecture"]);
    if (!made_for.empty() && made_for != architecture())
        return invalid("IMAGE_003", "the image is for " + to_valid_utf8(made_for) + ", and this machine is " + architecture());
    config_ = document["config"];
    for (const auto& id : list(document["rootfs"]["diff_ids"])) diff_ids_.push_back(text(id));
    return {};
}

std::string Layout::followed(const std::string& file) const {
    const auto link = links_.find(file);
    if (link == links_.end()) return file;
    return (fs::path(file).parent_path() / link->second).lexically_normal().string();
}

Result<os::Fd> Layout::open_file(const std::string& file) const {
    if (root_) return os::Fd(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 3));
    auto opened = os::open_in_root(folder_.get(), followed(file), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat facts {};
    if (file.empty() || !opened || ::fstat(opened.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return broken("its part '" + to_valid_utf8(file.substr(0, 200)) + "' is missing");
    return opened;
}

Result<std::string> Layout::read_text(const std::string& file) const {
    CICD_CHECK(open_file(file));
    auto bytes = os::read_in_root(folder_.get(), followed(file), largest_document);
    if (bytes.empty()) return broken("its part '" + to_valid_utf8(file.substr(0, 200)) + "' is empty or too large");
    return bytes;
}

Result<Value> Layout::read_json(const std::string& file) const {
    CICD_TRY(const auto bytes, read_text(file));
    auto value = codec::parse_json(bytes);
    if (!value) return broken(file + ": " + value.error().message);
    return value;
}

Result<std::string> Layout::read_blob(const std::string& digest) const {
    if (!is_digest(digest)) return broken("'" + to_valid_utf8(digest.substr(0, 100)) + "' is no sha256 digest");
    CICD_TRY(auto bytes, read_text(blobs_ + digits(digest)));
    if (digest_of(bytes) != digest) return broken("the part " + digest + " is another one");
    return bytes;
}

}  // namespace cicd::images
