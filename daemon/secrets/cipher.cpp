#include "daemon/secrets/cipher.hpp"

#include "common/base/text.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace cicd::secrets {
namespace {

static_assert(Key::size == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
constexpr std::string_view format = "cicd secret 1";
constexpr std::string_view id_purpose = "cicd secrets key id", fingerprint_purpose = "cicd request fingerprint";

void start() {
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used");
}

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

std::string hex_of_hash(std::string_view key, std::string_view purpose, std::string_view text, std::size_t size) {
    start();
    crypto_generichash_state state;
    std::array<unsigned char, crypto_generichash_BYTES_MAX> hash{};
    crypto_generichash_init(&state, raw(key), key.size(), size);
    crypto_generichash_update(&state, raw(purpose), purpose.size());
    crypto_generichash_update(&state, raw(text), text.size());
    crypto_generichash_final(&state, hash.data(), size);
    std::string hex(size * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), hash.data(), size);
    hex.pop_back();
    return hex;
}

/// What the value belongs to. Lengths stand before texts, so that no two secrets have the same.
std::string identity(const store::SealedSecret& secret) {
    const auto& facts = secret.facts;
    const auto name = to_lower(facts.name), version = std::to_string(facts.version);
    std::string data;
    for (const std::string_view part : {format, std::string_view(name), std::string_view(facts.scope.project),
                                        std::string_view(facts.scope.environment), std::string_view(facts.scope.branch),
                                        std::string_view(version), std::string_view(secret.key)}) {
        data += std::to_string(part.size()) + ":";
        data += part;
    }
    return data;
}

}  // namespace

Key Key::random() {
    start();
    Key key;
    randombytes_buf(key.bytes_.data(), size);
    return key;
}

Key::Key(std::string_view bytes) {
    if (bytes.size() != size) throw std::logic_error("a key has 32 bytes");
    std::memcpy(bytes_.data(), bytes.data(), size);
}

Key::~Key() {
    sodium_memzero(bytes_.data(), size);
}

std::string Key::id() const {
    return hex_of_hash(bytes(), id_purpose, {}, 16).substr(0, 16);
}
std::string Key::fingerprint(std::string_view text) const {
    return hex_of_hash(bytes(), fingerprint_purpose, text, 16);
}

void wipe(std::string& text) {
    sodium_memzero(text.data(), text.size());
    text.clear();
}

store::SealedSecret seal(model::Secret facts, std::string_view value, const Key& key) {
    start();
    store::SealedSecret secret;
    secret.facts = std::move(facts);
    secret.key = key.id();
    secret.nonce.resize(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    randombytes_buf(secret.nonce.data(), secret.nonce.size());
    secret.sealed.resize(value.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
    const auto bound = identity(secret);
    crypto_aead_xchacha20poly1305_ietf_encrypt(raw(secret.sealed), nullptr, raw(value), value.size(), raw(bound),
                                               bound.size(), nullptr, raw(secret.nonce), raw(key.bytes()));
    return secret;
}

Result<std::string> unseal(const store::SealedSecret& secret, const Key& key) {
    start();
    constexpr std::size_t overhead = crypto_aead_xchacha20poly1305_ietf_ABYTES;
    const auto broken = unavailable(
        "SECRET_004", "the stored value of secret '" + secret.facts.name + "' cannot be opened: it was changed",
        "set it again: cicdctl secret set " + secret.facts.name);
    if (secret.sealed.size() < overhead || secret.nonce.size() != crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
        return broken;
    std::string value(secret.sealed.size() - overhead, '\0');
    const auto bound = identity(secret);
    const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(raw(value), nullptr, nullptr, raw(secret.sealed),
                                                                  secret.sealed.size(), raw(bound), bound.size(),
                                                                  raw(secret.nonce), raw(key.bytes()));
    if (failed != 0) return broken;
    return value;
}

}  // namespace cicd::secrets
