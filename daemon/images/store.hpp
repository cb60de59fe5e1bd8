#pragma once

#include "common/contract/requests.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/images/layer.hpp"
#include "daemon/images/reference.hpp"
#include "daemon/os/fd.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Images that lie unpacked on this machine, once for each digest. Everything here blocks.
///   images/<64 digits>/rootfs      its files, all of this daemon's user
///   images/<64 digits>/image.json  what it is; its folder's mtime: last used
///   images/names/<name>            the digest that it stands for
/// An image appears by rename, whole and durable. Whoever uses one holds a shared flock on its folder.
namespace cicd::images {

/// What to say of an image that is not on this machine, with what to do about it.
Error not_here(const Reference& reference);

class Store {
public:
    explicit Store(std::filesystem::path folder, UnpackLimits limits = {}) : folder_(std::move(folder)), limits_(limits) {}

    /// Unpacks it where it is not there yet, and gives it the name. An empty name: it is found by its digest only. `source` says
    /// where it is from; empty: the path.
    Result<contract::Image> import(const contract::ImportImage& request, const std::string& source = {});
    /// From a path inside a tree that `fill` writes into a folder; found by its digest only.
    Result<contract::Image> import_from_tree(const Reference& reference,
                                             const std::function<Result<void>(const std::filesystem::path&)>& fill);
    /// From its registry, by skopeo, whose progress goes to `tell` line by line. `stop` is asked often. A pinned reference
    /// gives exactly that image; its name stands for it from now on.
    Result<contract::Image> pull(const Reference& reference, const std::function<void(std::string_view)>& tell,
                                 const std::function<bool()>& stop);
    /// By name, or by digest. Fails (not_found, IMAGE_001).
    Result<contract::Image> show(const std::string& name) const;
    [[nodiscard]] std::vector<contract::Image> list() const;
    /// Takes the name away, and the image where that was its last and no job uses it.
    Result<void> remove(const std::string& name);

    /// The digest that the reference stands for here; nothing where it is not here.
    [[nodiscard]] std::optional<std::string> find(const Reference& reference) const;

    /// While it lives, the image stays.
    struct Use {
        model::RootImage root;
        os::Fd lock;
    };
    /// As a job's root: with the user that the image names, or `user` ("name", "id", "name:group", "id:id").
    Result<std::shared_ptr<const Use>> use(const std::string& digest, const std::string& user) const;

    /// What a crash left half-made, and images without a name that nobody used for a week.
    void sweep() const;

private:
    [[nodiscard]] std::filesystem::path place(const std::string& digest) const;
    [[nodiscard]] std::filesystem::path name_file(const std::string& name) const;
    Result<contract::Image> import_as(const contract::ImportImage& request, const std::string& source);
    Result<contract::Image> unpack(const class Layout& layout, const std::string& name, const std::string& source);
    Result<void> give_name(const std::string& name, const std::string& digest) const;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> names() const;
    [[nodiscard]] Result<contract::Image> read(const std::string& digest) const;

    std::filesystem::path folder_;
    UnpackLimits limits_;
    std::mutex making_;  ///< one image at a time: the second who wants the same finds it made
};

}  // namespace cicd::images
