#pragma once

#include "daemon/secrets/cipher.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The master key: `keys/secrets.key` of the state directory (64 hexadecimal digits, 0600), or the systemd credential
/// `cicd-secrets-key`, which comes first. All calls block.
namespace cicd::secrets {

class Keys {
public:
    /// `credentials`: systemd's $CREDENTIALS_DIRECTORY, or empty. Makes nothing.
    static Result<Keys> read(const std::filesystem::path& folder, const std::filesystem::path& credentials);

    /// What new values are sealed with; nothing yet where no key was ever made.
    [[nodiscard]] const Key* current() const { return keys_.empty() ? nullptr : &keys_.front(); }
    /// SECRET_003 where that key is not here.
    [[nodiscard]] Result<const Key*> find(const std::string& id) const;
    /// Whether it is systemd that holds the current one.
    [[nodiscard]] bool is_given() const { return given_; }

    /// The first key of all, durable before it is used.
    Result<void> make_first();
    /// Takes a new key into use in two steps, so that a crash between them leaves every value readable.
    Result<void> begin_change();
    Result<void> finish_change();

    /// A daemon ended between the two steps; `used` are the ids of the keys that values are sealed with.
    Result<void> settle(const std::vector<std::string>& used);

private:
    std::filesystem::path folder_;
    std::vector<Key> keys_;  ///< the current one first
    bool given_ = false, changing_ = false;
};

}  // namespace cicd::secrets
