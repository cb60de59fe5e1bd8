#include "daemon/runner/etc_image.hpp"

#include "daemon/os/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace cicd::runner {
namespace {

namespace fs = std::filesystem;

// Everything else stays outside: keys, shadow, sudoers, …
constexpr std::array files{"ld.so.cache", "ld.so.conf", "localtime",  "timezone",       "nsswitch.conf",
                           "hosts",       "services",   "protocols",  "host.conf",      "gai.conf",
                           "mime.types",  "os-release", "gitconfig",  "debian_version", "ssl/openssl.cnf"};
constexpr std::array folders{"alternatives", "ssl/certs", "ca-certificates", "pki/tls/certs", "pki/ca-trust",
                             "ld.so.conf.d", "terminfo",  "perl",            "fonts",         "xdg",
                             "crypto-policies"};
constexpr std::array folder_prefixes{"java", "python"};

constexpr const char* passwd =
    "root:x:0:0:root:/root:/usr/sbin/nologin\nci:x:1000:1000:ci:/home/ci:/bin/bash\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
constexpr const char* group = "root:x:0:\nci:x:1000:\nnogroup:x:65534:\n";

constexpr off_t largest_copy = 1 << 20;

/// FNV-1a: names an image by what it was made of.
class Fingerprint {
public:
    void add(const void* data, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            hash_ = (hash_ ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3u;
    }
    void add(const char* name, const struct stat& facts) {
        add(name, std::strlen(name) + 1);
        const std::array<std::int64_t, 5> stamp{static_cast<std::int64_t>(facts.st_ino), facts.st_size,
                                                facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, facts.st_ctim.tv_nsec};
        add(stamp.data(), sizeof stamp);
    }
    [[nodiscard]] std::string text() const {
        std::string hex;
        for (int shift = 60; shift >= 0; shift -= 4) hex += "0123456789abcdef"[(hash_ >> shift) & 15];
        return hex;
    }

private:
    std::uint64_t hash_ = 0xcbf29ce484222325u;
};

struct Selection {
    std::vector<const char*> present;   ///< of `files`
    std::vector<std::string> mounted;   ///< folders
    std::string name;
};

/// A link is followed, wherever it leads. Only stat is asked, so that this costs microseconds.
Selection select() {
    Selection found;
    Fingerprint print;
    print.add(passwd, std::strlen(passwd));
    struct stat facts {};
    for (const char* name : files)
        if (::stat((std::string("/etc/") + name).c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
            facts.st_size <= largest_copy && ::access((std::string("/etc/") + name).c_str(), R_OK) == 0) {
            found.present.push_back(name);
            print.add(name, facts);
        }
    for (const char* name : folders)
        if (::stat((std::string("/etc/") + name).c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) found.mounted.emplace_back(name);
    const std::unique_ptr<DIR, int (*)(DIR*)> etc(::opendir("/etc"), ::closedir);
    while (const dirent* entry = etc ? ::readdir(etc.get()) : nullptr)
        for (const char* prefix : folder_prefixes)
            if (std::strncmp(entry->d_name, prefix, std::strlen(prefix)) == 0 &&
                ::stat((std::string("/etc/") + entry->d_name).c_str(), &facts) == 0 && S_ISDIR(facts.st_mode))
                found.mounted.emplace_back(entry->d_name);
    std::sort(found.mounted.begin(), found.mounted.end());
    for (const auto& name : found.mounted) print.add(name.c_str(), name.size() + 1);
    found.name = "etc-" + print.text();
    return found;
}

Result<void> make_folder(const fs::path& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (!failure) return {};
    return unavailable("JOB_003", "cannot create " + path.string() + ": " + failure.message());
}

Result<void> write_durable(const fs::path& path, std::string_view text) {
    CICD_CHECK(make_folder(path.parent_path()));
    const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fdatasync(file.get()) != 0)
        return os::last_error("cannot write " + path.string());
    return {};
}

Result<void> copy(const char* name, const fs::path& to) {
    const os::Fd file(::open((std::string("/etc/") + name).c_str(), O_RDONLY | O_CLOEXEC));
    std::string text(static_cast<std::size_t>(largest_copy), '\0');
    const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : -1;
    if (n < 0) return os::last_error(std::string("cannot read /etc/") + name);
    text.resize(static_cast<std::size_t>(n));
    return write_durable(to, text);
}

Result<void> fill(const fs::path& folder, const Selection& selection) {
    for (const char* name : selection.present) CICD_CHECK(copy(name, folder / name));
    for (const auto& name : selection.mounted) CICD_CHECK(make_folder(folder / name));
    const bool has_hosts = std::find(selection.present.begin(), selection.present.end(), std::string_view("hosts")) != selection.present.end();
    if (!has_hosts) CICD_CHECK(write_durable(folder / "hosts", "127.0.0.1 localhost\n::1 localhost\n"));
    CICD_CHECK(write_durable(folder / "passwd", passwd));
    CICD_CHECK(write_durable(folder / "group", group));
    if (::symlink((".." + resolver_file).c_str(), (folder / "resolv.conf").c_str()) != 0)
        return os::last_error("cannot link " + (folder / "resolv.conf").string());
    return {};
}

/// Images for a host that was are removed by whoever makes the next one; a job that still uses its image holds a lock.
void remove_others(const fs::path& cache, const std::string& keep) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(cache, ignored)) {
        const auto name = entry.path().filename().string();
        if ((!name.starts_with("etc-") && !name.starts_with(".gone-")) || name == keep) continue;
        (void)os::retire_directory(entry.path());
    }
}

}  // namespace

Result<EtcImage> etc_image(const fs::path& cache) {
    const auto selection = select();
    const auto path = cache / selection.name;
    for (int attempt = 0; attempt < 10; ++attempt) {
        if (auto lock = os::hold_directory(path)) return EtcImage{path, selection.mounted, std::move(lock)};
        CICD_CHECK(make_folder(cache));
        std::string temporary = (cache / "etc-new-XXXXXX").string();
        if (!::mkdtemp(temporary.data())) return os::last_error("cannot create a folder in " + cache.string());
        // Locked, so that another maker does not take it for a leftover.
        const auto lock = os::hold_directory(temporary);
        if (const auto filled = fill(temporary, selection); !filled) {
            (void)os::remove_all(temporary);
            if (::access(cache.c_str(), W_OK) != 0 || attempt == 9) return filled.error();
            continue;
        }
        (void)::chmod(temporary.c_str(), 0755);
        // Whoever comes first has made it; the others' work is dropped.
        if (::rename(temporary.c_str(), path.c_str()) != 0) (void)os::remove_all(temporary);
        remove_others(cache, selection.name);
    }
    return unavailable("JOB_003", "the sandbox's /etc could not be made in " + cache.string());
}

}  // namespace cicd::runner
