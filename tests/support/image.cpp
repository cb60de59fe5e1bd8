#include "tests/support/image.hpp"

#include "tests/support/world.hpp"

#include <sodium/crypto_hash_sha256.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <sstream>

namespace cicd::test {
namespace {

namespace fs = std::filesystem;

std::string machine() {
    utsname facts{};
    ::uname(&facts);
    const std::string name = facts.machine;
    return name == "x86_64" ? "amd64" : name == "aarch64" ? "arm64" : name;
}

/// As Debian names it, for libraries.
std::string machine_folder() {
    utsname facts{};
    ::uname(&facts);
    return std::string(facts.machine) + "-linux-gnu";
}

std::string config_json(const ImageParts& parts) {
    std::string ids;
    for (const auto& layer : parts.layers) ids += (ids.empty() ? "\"" : ",\"") + sha256(layer) + "\"";
    return R"({"architecture":")" + machine() + R"(","os":"linux","config":)" + parts.config +
           R"(,"rootfs":{"type":"layers","diff_ids":[)" + ids + "]}}";
}

std::string descriptor(const std::string& type, const std::string& bytes, const std::string& more = {}) {
    return R"({"mediaType":"application/vnd.oci.image.)" + type + R"(","digest":")" + sha256(bytes) + R"(","size":)" +
           std::to_string(bytes.size()) + more + "}";
}

struct Layout {
    std::map<std::string, std::string> files;
    std::string digest;
};

Layout oci_layout(const ImageParts& parts) {
    Layout layout;
    const auto blob = [&](const std::string& bytes) { layout.files["blobs/sha256/" + sha256(bytes).substr(7)] = bytes; };
    const auto config = config_json(parts);
    std::string layers;
    for (const auto& layer : parts.layers) {
        layers += (layers.empty() ? "" : ",") + descriptor("layer.v1.tar", layer);
        blob(layer);
    }
    const auto manifest = R"({"schemaVersion":2,"config":)" + descriptor("config.v1+json", config) + R"(,"layers":[)" + layers + "]}";
    const auto name = parts.tag.empty() ? "" : R"(,"annotations":{"org.opencontainers.image.ref.name":")" + parts.tag + "\"}";
    blob(config);
    blob(manifest);
    layout.files["index.json"] = R"({"schemaVersion":2,"manifests":[)" + descriptor("manifest.v1+json", manifest, name) + "]}";
    layout.files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
    layout.digest = sha256(manifest);
    return layout;
}

}  // namespace

Tar& Tar::add(std::string_view path, char kind, std::string_view text, std::string_view target, int mode) {
    char header[512] = {};
    std::snprintf(header, 101, "%s", std::string(path).c_str());
    std::snprintf(header + 100, 8, "%07o", static_cast<unsigned>(mode));
    std::snprintf(header + 108, 8, "%07o", 0u);
    std::snprintf(header + 116, 8, "%07o", 0u);
    std::snprintf(header + 124, 12, "%011zo", text.size());
    std::snprintf(header + 136, 12, "%011o", 1'600'000'000u);
    header[156] = kind;
    std::snprintf(header + 157, 101, "%s", std::string(target).c_str());
    std::memcpy(header + 257, "ustar\00000", 8);
    std::memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    std::snprintf(header + 148, 8, "%06o", sum);
    bytes_.append(header, sizeof header).append(text);
    bytes_.append((512 - text.size() % 512) % 512, '\0');
    return *this;
}

std::string sha256(std::string_view bytes) {
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(sum, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    std::string text = "sha256:";
    for (const unsigned byte : sum) text += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    return text;
}

std::string write_oci_layout(const fs::path& folder, const ImageParts& parts) {
    const auto layout = oci_layout(parts);
    for (const auto& [name, bytes] : layout.files) write_file(folder / name, bytes);
    return layout.digest;
}

std::string write_oci_archive(const fs::path& file, const ImageParts& parts) {
    const auto layout = oci_layout(parts);
    Tar tar;
    for (const auto& [name, bytes] : layout.files) tar.file(name, bytes);
    write_file(file, tar.bytes());
    return layout.digest;
}

std::string write_docker_archive(const fs::path& file, const ImageParts& parts) {
    const auto config = config_json(parts);
    Tar tar;
    std::string layers;
    for (const auto& layer : parts.layers) {
        const auto name = sha256(layer).substr(7) + ".tar";
        tar.file(name, layer);
        layers += (layers.empty() ? "\"" : ",\"") + name + "\"";
    }
    tar.file(sha256(config).substr(7) + ".json", config);
    tar.file("manifest.json", R"([{"Config":")" + sha256(config).substr(7) + R"(.json","RepoTags":["t:1"],"Layers":[)" + layers + "]}]");
    write_file(file, tar.bytes());
    return sha256(config);
}

fs::path unpacked_packages() {
    if (const char* given = std::getenv("CICD_TEST_PACKAGES")) return given;
    const char* home = std::getenv("HOME");
    return fs::path(home ? home : "/root") / ".cache/cicd/test-packages";
}

std::string packaged_program(const std::string& name) {
    auto path = run({"sh", "-c", "command -v " + name}).out;
    path.erase(path.find_last_not_of('\n') + 1);
    for (const char* folder : {"usr/bin", "usr/sbin"})
        if (const auto unpacked = unpacked_packages() / folder / name; path.empty() && fs::exists(unpacked)) path = unpacked.string();
    return path;
}

namespace {

/// What the dynamic linker would load: path in the image → file here.
void add_libraries(const fs::path& program, std::map<std::string, fs::path>& files) {
    RunOptions options;
    const auto unpacked = (unpacked_packages() / "usr/lib").string();
    options.env["LD_LIBRARY_PATH"] = unpacked + "/" + machine_folder() + ":" + unpacked;
    std::istringstream lines(run({"ldd", program.string()}, options).out);
    for (std::string line; std::getline(lines, line);) {
        const auto begin = line.find('/'), end = line.find(" (0x");
        if (begin == std::string::npos || end == std::string::npos || end < begin) continue;
        const fs::path library = line.substr(begin, end - begin);
        const bool is_loader = line.find("=>") == std::string::npos;
        files[is_loader ? library.string() : "/usr/lib/" + library.filename().string()] = library;
    }
}

}  // namespace

std::string program_layer(const std::vector<fs::path>& programs, const std::vector<fs::path>& folders) {
    std::map<std::string, fs::path> files;
    const auto unpacked = unpacked_packages().string();
    const auto inner = [&](const fs::path& file) {
        return file.string().starts_with(unpacked) ? file.string().substr(unpacked.size()) : file.string();
    };
    const auto add = [&](const fs::path& file, bool is_program) {
        files[inner(file)] = fs::canonical(file);
        if (is_program) add_libraries(fs::canonical(file), files);
    };
    for (const auto& program : programs) {
        if (!fs::exists(program)) return {};
        add(program, true);
    }
    for (const auto& folder : folders)
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            if (entry.is_regular_file()) add(entry.path(), entry.path().extension() == ".so");
    Tar tar;
    std::set<fs::path> made;
    const std::function<void(const fs::path&)> make = [&](const fs::path& folder) {
        if (folder.empty() || folder == "/" || !made.insert(folder).second) return;
        make(folder.parent_path());
        tar.folder(folder.relative_path().string());
    };
    for (const auto& [path, file] : files) {
        make(fs::path(path).parent_path());
        tar.file(fs::path(path).relative_path().string(), read_file(file), 0755);
    }
    return tar.bytes();
}

bool has_busybox() { return fs::exists("/bin/busybox"); }

std::string why_not_in_an_image() {
    static const bool sanitized = is_sanitized("cicd-runner");
    if (!has_busybox()) return "busybox-static is not installed";
    return sanitized ? "a runner with a sanitizer in it needs libraries that an image does not have" : "";
}

std::optional<PostgreSql> postgresql() {
    const std::string root = fs::exists("/usr/lib/postgresql") ? "" : unpacked_packages().string();
    fs::path programs, shared;
    std::error_code none;
    for (const auto& version : fs::directory_iterator(root + "/usr/lib/postgresql", none)) {
        programs = version.path();
        shared = root + "/usr/share/postgresql/" + version.path().filename().string();
    }
    if (!fs::exists(programs / "bin/postgres") || !fs::exists(shared / "postgres.bki")) return std::nullopt;
    std::vector<fs::path> needed;
    for (const char* name : {"postgres", "initdb", "pg_isready", "psql"}) needed.push_back(programs / "bin" / name);
    const auto inside = programs.string().substr(root.size()) + "/bin";
    return PostgreSql{program_layer(needed, {shared, programs / "lib"}),
                      R"({"Env":["PATH=)" + inside + R"(:/usr/bin:/bin","LD_LIBRARY_PATH=/usr/lib"]})"};
}

std::string busybox_layer() {
    Tar tar;
    for (const char* folder : {"bin", "etc", "tmp", "root", "home"}) tar.folder(folder);
    tar.file("bin/busybox", read_file("/bin/busybox"), 0755);
    for (const char* name : {"sh", "cat", "ls", "id", "echo", "env", "touch", "rm", "mkdir", "test", "sleep", "true", "grep",
                             "readlink", "stat", "head", "wc", "pwd", "chmod", "hostname", "mount", "kill", "sed", "seq",
                             "dd", "find", "cp", "nc", "wget", "httpd", "date", "ip", "awk", "tr", "od"})
        tar.link(std::string("bin/") + name, "busybox");
    tar.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1234:5678:app:/home/app:/bin/sh\n");
    tar.file("etc/group", "root:x:0:\napp:x:5678:\n");
    tar.file("etc/image-file", "of the image\n");
    return tar.bytes();
}

}  // namespace cicd::test
