#include "daemon/secrets/keys.hpp"

#include "common/base/text.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/files.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace cicd::secrets {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "secrets.key";
constexpr const char* next_name = "secrets.key.next";
constexpr const char* credential_name = "cicd-secrets-key";

Error unusable(const fs::path& file, const std::string& why, const std::string& hint) {
    return unavailable("SECRET_003", "the key of the secrets cannot be used: " + file.string() + " " + why, hint);
}

Result<Key> parse(std::string text, const fs::path& file) {
    std::array<unsigned char, Key::size> bytes{};
    std::size_t size = 0;
    const auto digits = trim(text);
    const char* end = nullptr;
    const bool good =
        sodium_hex2bin(bytes.data(), bytes.size(), digits.data(), digits.size(), nullptr, &size, &end) == 0 &&
        size == bytes.size() && end == digits.data() + digits.size();
    Key key({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    sodium_memzero(bytes.data(), bytes.size());
    wipe(text);
    if (!good) return unusable(file, "does not hold 64 hexadecimal digits", "put it back from a backup");
    return key;
}

/// `ours`: the file is the daemon's own and must be nobody else's.
Result<std::optional<Key>> read_key(const fs::path& file, bool ours) {
    const os::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd && errno == ENOENT) return std::optional<Key>();
    if (!fd)
        return unusable(file, std::string("cannot be opened: ") + std::strerror(errno),
                        "it must be a file of the daemon's user");
    struct stat facts {};
    if (::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return unusable(file, "is no regular file", "remove it");
    if (ours && (facts.st_mode & 077) != 0)
        return unusable(file, "can be read by others",
                        "if nobody has read it: chmod 600 " + file.string() +
                            "; else also 'cicdctl secret rekey' and new values for the secrets");
    if (ours && facts.st_uid != ::geteuid())
        return unusable(file, "belongs to another user", "chown it to the daemon's user");
    std::string text(256, '\0');
    const ssize_t n = ::read(fd.get(), text.data(), text.size());
    if (n < 0) return unusable(file, "cannot be read", "check the disk");
    text.resize(static_cast<std::size_t>(n));
    CICD_TRY(auto key, parse(std::move(text), file));
    return std::optional<Key>(std::move(key));
}

/// Durable, and never in the place of one that is there.
Result<void> write_key(const fs::path& file, const Key& key) {
    std::array<char, Key::size * 2 + 1> hex{};
    sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(key.bytes().data()), Key::size);
    hex.back() = '\n';
    const auto temporary = file.parent_path() / (".new-" + file.filename().string());
    (void)::unlink(temporary.c_str());  // of a daemon that was killed here
    {
        const os::Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!fd) return os::last_error("cannot create " + temporary.string());
        const bool written =
            ::write(fd.get(), hex.data(), hex.size()) == static_cast<ssize_t>(hex.size()) && ::fsync(fd.get()) == 0;
        sodium_memzero(hex.data(), hex.size());
        if (!written) return os::last_error("cannot write " + temporary.string());
    }
    // A link, unlike a rename, refuses where the name is taken.
    const bool placed = ::link(temporary.c_str(), file.c_str()) == 0;
    const auto failure = os::last_error("cannot create " + file.string());
    (void)::unlink(temporary.c_str());
    if (!placed) return failure;
    return os::sync_directory(file.parent_path());
}

}  // namespace

Result<Keys> Keys::read(const fs::path& folder, const fs::path& credentials) {
    Keys keys;
    keys.folder_ = folder;
    if (!credentials.empty()) {
        CICD_TRY(auto given, read_key(credentials / credential_name, false));
        keys.given_ = given.has_value();
        if (given) keys.keys_.push_back(std::move(*given));
    }
    CICD_TRY(auto kept, read_key(folder / file_name, true));
    if (kept) keys.keys_.push_back(std::move(*kept));
    CICD_TRY(auto next, read_key(folder / next_name, true));
    keys.changing_ = next.has_value();
    if (next) keys.keys_.push_back(std::move(*next));
    return keys;
}

Result<const Key*> Keys::find(const std::string& id) const {
    for (const auto& key : keys_)
        if (key.id() == id) return &key;
    return unavailable("SECRET_003", "the secrets were encrypted with another key (" + id + ") than the daemon has",
                       "put that key back as " + (folder_ / file_name).string() +
                           ", from a backup, or remove the secrets and set them again");
}

Result<void> Keys::make_first() {
    if (const auto failure = os::make_private_directory(folder_))
        return unavailable("SECRET_003", "cannot create " + folder_.string() + ": " + failure.message());
    auto key = Key::random();
    CICD_CHECK(write_key(folder_ / file_name, key));
    CICD_CHECK(os::sync_directory(folder_.parent_path()));
    keys_.push_back(std::move(key));
    return {};
}

Result<void> Keys::begin_change() {
    auto key = Key::random();
    CICD_CHECK(write_key(folder_ / next_name, key));
    keys_.insert(keys_.begin(), std::move(key));
    changing_ = true;
    return {};
}

Result<void> Keys::finish_change() {
    if (::rename((folder_ / next_name).c_str(), (folder_ / file_name).c_str()) != 0)
        return os::last_error("cannot rename the new key of the secrets");
    keys_.resize(1, keys_.front());
    changing_ = false;
    return os::sync_directory(folder_);
}

Result<void> Keys::settle(const std::vector<std::string>& used) {
    if (!changing_ || given_) return {};
    const auto next = keys_.back();
    if (std::find(used.begin(), used.end(), next.id()) != used.end()) {
        keys_ = {next};
        return finish_change();
    }
    if (::unlink((folder_ / next_name).c_str()) != 0) return os::last_error("cannot remove a key that was never used");
    keys_.pop_back();
    changing_ = false;
    return {};
}

}  // namespace cicd::secrets
