#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Images made of nothing, so that no registry and no engine is needed.
namespace cicd::test {

/// A tar (ustar), entry by entry.
class Tar {
public:
    Tar& folder(std::string_view path, int mode = 0755) { return add(path, '5', {}, {}, mode); }
    Tar& file(std::string_view path, std::string_view text, int mode = 0644) { return add(path, '0', text, {}, mode); }
    Tar& link(std::string_view path, std::string_view target) { return add(path, '2', {}, target, 0777); }
    Tar& hard_link(std::string_view path, std::string_view to) { return add(path, '1', {}, to, 0644); }
    Tar& device(std::string_view path) { return add(path, '3', {}, {}, 0666); }
    [[nodiscard]] std::string bytes() const { return bytes_ + std::string(1024, '\0'); }

private:
    Tar& add(std::string_view path, char kind, std::string_view text, std::string_view target, int mode);
    std::string bytes_;
};

/// "sha256:…"
std::string sha256(std::string_view bytes);

struct ImageParts {
    std::vector<std::string> layers;  ///< tars
    std::string config = "{}";        ///< JSON: Env, User, …
    std::string tag;                  ///< in an OCI layout's index
};
/// Each gives the digest by which the image will be known.
std::string write_oci_layout(const std::filesystem::path& folder, const ImageParts& parts);
std::string write_docker_archive(const std::filesystem::path& file, const ImageParts& parts);
std::string write_oci_archive(const std::filesystem::path& file, const ImageParts& parts);

/// A layer with programs of this machine at their own paths, and the libraries that they need. Empty where one is missing.
/// `folders` come along whole, with what programs in them (plug-ins, say) need.
std::string program_layer(const std::vector<std::filesystem::path>& programs, const std::vector<std::filesystem::path>& folders = {});
/// Where Debian's packages lie unpacked that examples/install-packages does not install, because they would start servers.
std::filesystem::path unpacked_packages();
/// A program of PATH, or of those. Empty where it is in neither.
std::string packaged_program(const std::string& name);
/// The layer of a PostgreSQL server and its clients, installed or unpacked, and the configuration of an image that finds them.
/// Nothing where there is none.
struct PostgreSql {
    std::string layer, config;
};
std::optional<PostgreSql> postgresql();

/// A layer with a shell and the usual tools: Debian's busybox-static. Empty where that is not installed.
std::string busybox_layer();
bool has_busybox();
/// Why no job can run in an image of that here; empty: it can.
std::string why_not_in_an_image();

}  // namespace cicd::test
