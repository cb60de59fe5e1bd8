#pragma once

#include "common/base/result.hpp"
#include "daemon/store/store.hpp"

#include <array>
#include <string>
#include <string_view>

/// XChaCha20-Poly1305 with what a secret is as associated data: a value that was moved to another name, scope or version
/// does not open.
namespace cicd::secrets {

/// Gone from memory when it is.
class Key {
public:
    static constexpr std::size_t size = 32;
    static Key random();
    explicit Key(std::string_view bytes);
    Key(const Key& other) = default;
    Key& operator=(const Key& other) = default;
    ~Key();

    [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), size}; }
    /// Names the key without telling anything of it.
    [[nodiscard]] std::string id() const;
    /// Of a text that nobody may find by trying: 32 hexadecimal digits.
    [[nodiscard]] std::string fingerprint(std::string_view text) const;

private:
    Key() = default;
    std::array<unsigned char, size> bytes_{};
};

/// Overwrites what it holds.
void wipe(std::string& text);

store::SealedSecret seal(model::Secret facts, std::string_view value, const Key& key);
/// SECRET_004 where it was changed, or is not of this key.
Result<std::string> unseal(const store::SealedSecret& secret, const Key& key);

}  // namespace cicd::secrets
