#include "daemon/runner/hash_files.hpp"

#include "common/base/glob.hpp"
#include "daemon/os/fd.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sodium/crypto_hash_sha256.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

namespace cicd::runner {
namespace {

using Digest = std::array<unsigned char, crypto_hash_sha256_BYTES>;

/// Walks with open directories: whatever a background process swaps meanwhile, nothing outside the root is read.
class Walk {
public:
    explicit Walk(std::span<const std::string> patterns) : patterns_(patterns) {}

    Result<void> folder(int parent, const char* name, const std::string& prefix) {
        os::Fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(fd ? ::fdopendir(fd.get()) : nullptr, ::closedir);
        if (!entries) return {};
        const int here = fd.release();
        while (const dirent* entry = ::readdir(entries.get())) {
            const std::string child = entry->d_name;
            if (child == "." || child == "..") continue;
            const auto path = prefix + child;
            if (entry->d_type == DT_DIR) {
                CICD_CHECK(folder(here, child.c_str(), path + "/"));
            } else if (entry->d_type == DT_REG) {
                CICD_TRY(const bool wanted, selected(path));
                if (wanted) CICD_CHECK(hash(here, child.c_str(), path));
            }
        }
        return {};
    }

    std::vector<std::pair<std::string, Digest>> found;

private:
    Result<bool> selected(const std::string& path) const {
        bool in = false;
        for (std::string_view pattern : patterns_) {
            const bool exclude = pattern.starts_with('!');
            if (exclude) pattern.remove_prefix(1);
            if (pattern.starts_with("./")) pattern.remove_prefix(2);
            CICD_TRY(const bool match, glob_match(pattern, path));
            if (match) in = !exclude;
        }
        return in;
    }

    Result<void> hash(int parent, const char* name, const std::string& path) {
        const os::Fd file(::openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        struct stat facts {};
        if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
            return invalid("JOB_002", "hashFiles: cannot read " + path);
        crypto_hash_sha256_state state;
        crypto_hash_sha256_init(&state);
        std::vector<unsigned char> buffer(1 << 16);
        for (;;) {
            const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return os::last_error("hashFiles: cannot read " + path);
            if (n == 0) break;
            crypto_hash_sha256_update(&state, buffer.data(), static_cast<unsigned long long>(n));
        }
        Digest digest;
        crypto_hash_sha256_final(&state, digest.data());
        found.emplace_back(path, digest);
        return {};
    }

    std::span<const std::string> patterns_;
};

}  // namespace

Result<std::string> hash_files(const std::filesystem::path& root, std::span<const std::string> patterns) {
    Walk walk(patterns);
    CICD_CHECK(walk.folder(AT_FDCWD, root.c_str(), ""));
    if (walk.found.empty()) return std::string();
    std::sort(walk.found.begin(), walk.found.end());
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (const auto& [path, digest] : walk.found) crypto_hash_sha256_update(&state, digest.data(), digest.size());
    Digest digest;
    crypto_hash_sha256_final(&state, digest.data());
    std::string hex;
    for (const unsigned char byte : digest) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

}  // namespace cicd::runner
