#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "daemon/images/layer.hpp"
#include "daemon/os/fd.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cicd::images {

struct Layer {
    std::string file;     ///< below the layout's folder
    std::string digest;   ///< of the file; empty: not known
    std::string diff_id;  ///< of the tar in it; empty: not known
};

/// Of a manifest as a registry has it: its digest, or in a list of them the digest of the one for this machine.
Result<std::string> digest_for_this_machine(const std::string& manifest);

/// An image as it lies in a folder: an OCI image layout, skopeo's `dir`, or the parts of what `docker save` writes.
class Layout {
public:
    /// `tag` chooses among several images; empty: there is to be one.
    static Result<Layout> open(const std::filesystem::path& folder, const std::string& tag = {},
                               std::map<std::string, std::string> links = {});

    /// The files of a root, as `docker export` and mmdebstrap write them: one layer, with nothing said about it.
    static Result<Layout> of_root(os::Fd archive);

    /// Of the manifest; where an archive has none, of the configuration, as `docker images` shows it; of a root's archive.
    [[nodiscard]] const std::string& digest() const { return digest_; }
    /// The image's `config`: Env, User, Entrypoint, Cmd, WorkingDir.
    [[nodiscard]] const Value& config() const { return config_; }
    [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
    [[nodiscard]] Result<os::Fd> open_file(const std::string& file) const;

private:
    Result<void> read_oci(const std::string& tag);
    Result<void> read_skopeo();
    Result<void> read_manifest(const std::string& bytes);
    Result<void> read_docker();
    Result<void> read_config(const std::string& text);
    [[nodiscard]] Result<std::string> read_text(const std::string& file) const;
    [[nodiscard]] Result<Value> read_json(const std::string& file) const;
    [[nodiscard]] Result<std::string> read_blob(const std::string& digest) const;
    [[nodiscard]] std::string followed(const std::string& file) const;

    os::Fd folder_, root_;
    std::string blobs_ = "blobs/sha256/";
    std::map<std::string, std::string> links_;
    std::string digest_;
    Value config_;
    std::vector<std::string> diff_ids_;
    std::vector<Layer> layers_;
};

}  // namespace cicd::images
