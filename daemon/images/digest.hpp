#pragma once

#include <sodium/crypto_hash_sha256.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace cicd::images {

class Sha256 {
public:
    Sha256() { crypto_hash_sha256_init(&state_); }
    void add(const void* data, std::size_t size) {
        crypto_hash_sha256_update(&state_, static_cast<const unsigned char*>(data), size);
    }
    /// "sha256:" and 64 hexadecimal digits; once.
    std::string finish();

private:
    crypto_hash_sha256_state state_;
};

std::string digest_of(std::string_view bytes);
/// Whether it is written as the only kind of digest that is taken.
bool is_digest(std::string_view text);

}  // namespace cicd::images
