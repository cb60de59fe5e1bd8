#include "daemon/images/store.hpp"

#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "daemon/images/digest.hpp"
#include "daemon/images/layout.hpp"
#include "daemon/images/registry.hpp"
#include "daemon/images/user.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/inner_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <thread>

namespace cicd::images {
namespace {

namespace fs = std::filesystem;

constexpr auto kept_without_name = std::chrono::hours(24 * 7);
constexpr std::size_t largest_facts = 1 << 20;

Error no_such_image(const std::string& name) {
    return not_found("IMAGE_001", "there is no image '" + to_valid_utf8(name.substr(0, 300)) + "' on this machine",
                     can_pull() ? "see 'cicdctl image list'; 'cicdctl image import NAME PATH' takes a layout or an archive"
                                : "'cicdctl image import NAME PATH' takes a layout or an archive; with skopeo installed, "
                                  "images come from their registries");
}

std::vector<std::string> strings(const Value& value) {
    std::vector<std::string> list;
    if (value.is_array())
        for (const auto& each : value.as_array())
            if (each.is_string()) list.push_back(each.as_string());
    return list;
}

std::string text(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

/// What the image's maker says about it, in our words.
void take_config(const Value& config, contract::Image& image) {
    for (const auto& entry : strings(config["Env"]))
        if (const auto equals = entry.find('='); equals != std::string::npos && equals > 0)
            image.env.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    image.user = text(config["User"]);
    image.working_directory = text(config["WorkingDir"]);
    image.entrypoint = strings(config["Entrypoint"]);
    image.command = strings(config["Cmd"]);
}

/// A folder that goes with this, unless it was given its name. Locked, so that nobody takes it for a leftover.
class Draft {
public:
    static Result<Draft> make(const fs::path& folder) {
        CICD_TRY(auto made, os::make_held_directory(folder, ".new-"));
        return Draft(std::move(made));
    }
    ~Draft() {
        if (!held_.path.empty()) (void)os::remove_all(held_.path);
    }
    Draft(Draft&& other) noexcept : held_(std::exchange(other.held_, {})) {}
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;
    [[nodiscard]] const fs::path& path() const { return held_.path; }
    Result<void> become(const fs::path& name) {
        if (::rename(held_.path.c_str(), name.c_str()) != 0) return os::last_error("cannot put the image at " + name.string());
        held_.path.clear();
        return os::sync_directory(name.parent_path());
    }

private:
    explicit Draft(os::HeldDirectory held) : held_(std::move(held)) {}
    os::HeldDirectory held_;
};

/// The runner of a job that has just ended holds it for some milliseconds more.
Result<bool> retire_patiently(const fs::path& image) {
    for (int attempt = 0;; ++attempt) {
        auto gone = os::retire_directory(image);
        if (!gone || *gone || attempt == 40) return gone;
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
}

Result<void> make_folders(const fs::path& folder) {
    const auto names = folder / "names";
    if (const auto failure = os::make_private_directory(names))
        return unavailable("CICD_503", "cannot create " + names.string() + ": " + failure.message());
    return {};
}

}  // namespace

Error not_here(const Reference& reference) { return no_such_image(reference.text()); }

fs::path Store::place(const std::string& digest) const { return folder_ / digest.substr(digest.find(':') + 1); }

/// Slashes are no part of a file's name; a percent sign is no part of an image's.
fs::path Store::name_file(const std::string& name) const {
    std::string file;
    for (const char c : name) file += c == '/' ? std::string("%2F") : std::string(1, c);
    return folder_ / "names" / file;
}

Result<contract::Image> Store::import(const contract::ImportImage& request, const std::string& source) {
    CICD_TRY(const auto reference, parse_reference(request.name));
    if (reference.kind != Reference::Kind::name || !reference.digest.empty())
        return invalid("IMAGE_002", "'" + request.name + "' is no name for an image", "such as tool or tool:1.2");
    return import_as(request, source.empty() ? request.path : source);
}

Result<contract::Image> Store::import_from_tree(const Reference& reference,
                                                const std::function<Result<void>(const fs::path&)>& fill) {
    CICD_CHECK(make_folders(folder_));
    CICD_TRY(const auto tree, Draft::make(folder_));
    CICD_CHECK(fill(tree.path()));
    const os::Fd root(::open(tree.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto place = os::open_in_root(root.get(), reference.name, O_PATH);
    if (!place)
        return not_found("IMAGE_001", "there is no '" + to_valid_utf8(reference.name) + "' in the repository at this revision",
                         "files that git ignores are not part of the source");
    return import_as({"", "/proc/self/fd/" + std::to_string(place.get()), ""}, reference.text());
}

Result<contract::Image> Store::pull(const Reference& reference, const std::function<void(std::string_view)>& tell,
                                    const std::function<bool()>& stop) {
    CICD_CHECK(make_folders(folder_));
    CICD_TRY(const auto copy, Draft::make(folder_));
    CICD_CHECK(fetch_image(reference, copy.path(), tell, stop));
    CICD_TRY(auto image, import_as({reference.name, copy.path().string(), ""}, "docker://" + reference.name));
    if (!reference.digest.empty() && image.digest != reference.digest)
        return invalid("IMAGE_003", "the registry gave " + image.digest + " for " + reference.text());
    return image;
}

Result<contract::Image> Store::import_as(const contract::ImportImage& request, const std::string& source) {
    const std::lock_guard lock(making_);
    CICD_CHECK(make_folders(folder_));
    std::error_code ignored;
    if (fs::is_directory(request.path, ignored)) {
        CICD_TRY(const auto layout, Layout::open(request.path, request.tag));
        return unpack(layout, request.name, source);
    }
    os::Fd archive(::open(request.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat facts {};
    if (!archive) return not_found("IMAGE_001", os::last_error("cannot open " + request.path).message);
    if (::fstat(archive.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return invalid("IMAGE_003", request.path + " is neither a file nor a folder");
    CICD_TRY(const auto kind, look_into(archive.get()));
    if (kind == ArchiveKind::neither)
        return invalid("IMAGE_003", "it is no image: neither an index.json (OCI), a manifest.json (docker save) nor a root's /bin or /usr is in it");
    if (kind == ArchiveKind::root) {
        CICD_TRY(const auto layout, Layout::of_root(std::move(archive)));
        return unpack(layout, request.name, source);
    }
    CICD_TRY(const auto parts, Draft::make(folder_));
    const os::Fd folder(::open(parts.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return os::last_error("cannot create a folder in " + folder_.string());
    std::map<std::string, std::string> links;
    CICD_CHECK(spread_archive(archive.get(), folder.get(), limits_,
                              [&](std::string name, std::string target) { links[std::move(name)] = std::move(target); }));
    CICD_TRY(const auto layout, Layout::open(parts.path(), request.tag, std::move(links)));
    return unpack(layout, request.name, source);
}

Result<contract::Image> Store::unpack(const Layout& layout, const std::string& name, const std::string& source) {
    if (!read(layout.digest())) {
        CICD_TRY(auto draft, Draft::make(folder_));
        const auto rootfs = draft.path() / "rootfs";
        if (::mkdir(rootfs.c_str(), 0755) != 0) return os::last_error("cannot create a folder in " + folder_.string());
        os::Fd root(::open(rootfs.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        const os::Fd disk(::dup(root.get()));
        TreeWriter tree(std::move(root));
        Unpacked used;
        for (const auto& layer : layout.layers()) {
            CICD_TRY(const auto file, layout.open_file(layer.file));
            CICD_CHECK(apply_layer(file.get(), tree, limits_, used, layer.digest, layer.diff_id));
        }
        contract::Image image;
        image.digest = layout.digest();
        image.source = source;
        image.created_time = SystemClock().now();
        image.bytes = static_cast<std::int64_t>(used.bytes);
        image.files = static_cast<std::int64_t>(used.files);
        image.skipped = static_cast<std::int64_t>(used.skipped);
        take_config(layout.config(), image);
        CICD_CHECK(os::write_durably(draft.path() / "image.json", codec::to_json(codec::encode(image)), 0600));
        (void)::chmod(draft.path().c_str(), 0755);
        // Hundreds of files at once, rather than one by one.
        if (::syncfs(disk.get()) != 0) return os::last_error("cannot write the image to the disk");
        CICD_CHECK(draft.become(place(image.digest)));
    }
    if (!name.empty()) CICD_CHECK(give_name(name, layout.digest()));
    return show(layout.digest());
}

Result<void> Store::give_name(const std::string& name, const std::string& digest) const {
    CICD_TRY(const auto reference, parse_reference(name));
    return os::write_durably(name_file(reference.name), digest + "\n", 0600);
}

std::vector<std::pair<std::string, std::string>> Store::names() const {
    std::vector<std::pair<std::string, std::string>> list;
    std::error_code ignored;
    const os::Fd folder(::open((folder_ / "names").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const auto& entry : fs::directory_iterator(folder_ / "names", ignored)) {
        auto name = entry.path().filename().string();
        const auto digest = os::read_in_root(folder.get(), name, 100);
        for (auto at = name.find("%2F"); at != std::string::npos; at = name.find("%2F")) name.replace(at, 3, "/");
        if (parse_reference(name) && is_digest(trim(digest))) list.emplace_back(std::move(name), std::string(trim(digest)));
    }
    std::sort(list.begin(), list.end());
    return list;
}

Result<contract::Image> Store::read(const std::string& digest) const {
    const os::Fd folder(::open(place(digest).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!is_digest(digest) || !folder) return no_such_image(digest);
    const auto bytes = os::read_in_root(folder.get(), "image.json", largest_facts);
    CICD_TRY(const auto value, codec::parse_json(bytes));
    return codec::decode<contract::Image>(value);
}

std::optional<std::string> Store::find(const Reference& reference) const {
    std::string digest = reference.digest;
    if (digest.empty() && reference.kind == Reference::Kind::name) {
        const os::Fd folder(::open((folder_ / "names").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder) digest = trim(os::read_in_root(folder.get(), name_file(reference.name).filename().string(), 100));
    }
    if (!is_digest(digest) || ::access((place(digest) / "image.json").c_str(), R_OK) != 0) return std::nullopt;
    return digest;
}

Result<contract::Image> Store::show(const std::string& name) const {
    std::optional<std::string> digest;
    if (is_digest(name)) {
        digest = name;
    } else {
        CICD_TRY(const auto reference, parse_reference(name));
        digest = find(reference);
    }
    if (!digest) return no_such_image(name);
    CICD_TRY(auto image, read(*digest));
    for (auto& [each, points_to] : names())
        if (points_to == *digest) image.names.push_back(each);
    return image;
}

std::vector<contract::Image> Store::list() const {
    std::vector<contract::Image> images;
    std::error_code ignored;
    const auto named = names();
    for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
        const auto digest = "sha256:" + entry.path().filename().string();
        if (!is_digest(digest)) continue;
        auto image = read(digest);
        if (!image) continue;
        for (const auto& [name, points_to] : named)
            if (points_to == digest) image->names.push_back(name);
        images.push_back(std::move(*image));
    }
    std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) {
        return std::pair(a.names, a.digest) < std::pair(b.names, b.digest);
    });
    return images;
}

Result<void> Store::remove(const std::string& name) {
    const std::lock_guard lock(making_);
    CICD_TRY(const auto image, show(name));
    if (is_digest(name) && image.names.size() > 1)
        return conflict("IMAGE_005", "the image has several names: " + join(image.names, ", "), "remove these one by one");
    if (image.names.size() < 2) {
        // First, so that an image in use keeps its last name.
        CICD_TRY(const bool gone, retire_patiently(place(image.digest)));
        if (!gone) return conflict("IMAGE_005", "the image '" + name + "' is in use by a job", "wait for it: cicdctl ps");
    }
    if (image.names.empty()) return {};
    CICD_TRY(const auto reference, parse_reference(is_digest(name) ? image.names.front() : name));
    if (::unlink(name_file(reference.name).c_str()) != 0) return os::last_error("cannot remove the name " + reference.name);
    return os::sync_directory(folder_ / "names");
}

Result<std::shared_ptr<const Store::Use>> Store::use(const std::string& digest, const std::string& user) const {
    auto lock = os::hold_directory(place(digest));
    if (!lock) return no_such_image(digest);
    CICD_TRY(const auto image, read(digest));
    auto made = std::make_shared<Use>();
    made->root.digest = digest;
    made->root.path = (place(digest) / "rootfs").string();
    made->root.env = image.env;
    const auto rootfs = os::open_in_root(lock.get(), "rootfs", O_PATH | O_DIRECTORY);
    if (!rootfs) return invalid("IMAGE_003", "the image " + digest + " has lost its files", "import it again");
    CICD_CHECK(find_user(rootfs.get(), user.empty() ? image.user : user, made->root));
    (void)::utimensat(AT_FDCWD, place(digest).c_str(), nullptr, 0);  // last used: now
    made->lock = std::move(lock);
    return std::shared_ptr<const Use>(std::move(made));
}

void Store::sweep() const {
    const auto named = names();
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
        const auto name = entry.path().filename().string();
        const auto digest = "sha256:" + name;
        const bool leftover = name.starts_with(".new-") || name.starts_with(".gone-");
        const bool has_name = std::any_of(named.begin(), named.end(), [&](const auto& each) { return each.second == digest; });
        const auto age = fs::file_time_type::clock::now() - fs::last_write_time(entry.path(), ignored);
        if (leftover || (is_digest(digest) && !has_name && age > kept_without_name)) (void)os::retire_directory(entry.path());
    }
}

}  // namespace cicd::images
