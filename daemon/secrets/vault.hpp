#pragma once

#include "common/base/value.hpp"
#include "common/contract/requests.hpp"
#include "common/model/secret.hpp"
#include "daemon/secrets/keys.hpp"
#include "daemon/store/store.hpp"

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cicd::secrets {

constexpr std::size_t largest_value = 64 * 1024;

/// The secrets of a daemon. Every call blocks and is thread-safe. A value goes in by `set` and out by `values`, and is in
/// no error's text.
class Vault {
public:
    /// `store` outlives it. Reads the key only when one is needed.
    Vault(store::Store& store, std::filesystem::path state_directory, const Clock& clock);

    Result<model::Secret> set(const contract::SaveSecret& request, const std::string& user);
    Result<std::vector<model::Secret>> list() { return store_.secrets(); }
    Result<void> remove(const std::string& name, const model::SecretScope& scope, const std::string& user);
    Result<std::vector<model::SecretEvent>> history(const std::string& name, int limit) { return store_.secret_events(name, limit); }
    /// Seals all values with a new key; gives how many.
    Result<int> rekey(const std::string& user);

    /// What jobs of a run may have.
    Result<std::vector<model::KnownSecret>> known(const model::SecretPlace& place);
    /// The values that a job is given, as an object. `names` may hold model::all_secrets; of any other name there must be
    /// one (SECRET_001), or it is empty. Notes the use.
    enum class Missing { refused, empty };
    Result<Object> values(const std::vector<std::string>& names, const model::SecretPlace& place, const std::string& job,
                          Missing missing = Missing::refused);

    /// What tells the values that `values` would give from earlier ones, by name. Reads no key and notes no use.
    Result<model::Texts> versions(const std::vector<std::string>& names, const model::SecretPlace& place);

    /// Of a request that holds a value, for what is kept on disk: without the key nobody can find the value by trying.
    Result<std::string> fingerprint(const std::string& text);

private:
    /// With a lock on `mutex_`.
    Result<Keys*> keys();
    Result<const Key*> key_to_seal();
    Result<int> reseal(Keys& all, const std::string& user);

    store::Store& store_;
    std::filesystem::path folder_;
    const Clock& clock_;
    std::mutex mutex_;
    std::optional<Keys> keys_;
};

}  // namespace cicd::secrets
