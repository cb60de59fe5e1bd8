#include "daemon/secrets/vault.hpp"

#include "common/base/text.hpp"
#include "daemon/secrets/scope.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdlib>
#include <map>

namespace cicd::secrets {
namespace {

std::filesystem::path credentials_directory() {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    return folder ? folder : "";
}

Error no_such(const std::string& name, const model::SecretPlace& place) {
    auto where = place.environment.empty() ? std::string() : " in environment '" + place.environment + "'";
    return not_found("SECRET_001", "secret '" + name + "' does not exist any more for this job" + where,
                     "set it again: cicdctl secret set " + name);
}

}  // namespace

Vault::Vault(store::Store& store, std::filesystem::path state_directory, const Clock& clock)
    : store_(store), folder_(std::move(state_directory) / "keys"), clock_(clock) {}

Result<Keys*> Vault::keys() {
    if (keys_) return &*keys_;
    // From here on this process holds what must not be in a core file, nor be read by the user's other processes.
    ::prctl(PR_SET_DUMPABLE, 0);
    CICD_TRY(auto read, Keys::read(folder_, credentials_directory()));
    CICD_TRY(const auto sealed, store_.sealed_secrets({}));
    std::vector<std::string> used;
    for (const auto& secret : sealed) used.push_back(secret.key);
    CICD_CHECK(read.settle(used));
    // A key that was lost must not be followed by another one, under which half of the secrets would be.
    for (const auto& id : used) CICD_CHECK(read.find(id));
    keys_.emplace(std::move(read));
    return &*keys_;
}

Result<const Key*> Vault::key_to_seal() {
    CICD_TRY(auto* all, keys());
    if (!all->current()) CICD_CHECK(all->make_first());
    return all->current();
}

Result<model::Secret> Vault::set(const contract::SaveSecret& request, const std::string& user) {
    CICD_CHECK(check_name(request.name));
    CICD_CHECK(check_scope(request.scope));
    if (request.value.empty())
        return invalid("SECRET_002", "the value of secret '" + request.name + "' is empty",
                       "to remove it: cicdctl secret rm " + request.name);
    if (request.value.size() > largest_value)
        return invalid("SECRET_002", "the value of secret '" + request.name + "' is larger than 64 KiB");
    if (request.value.find('\0') != std::string::npos)
        return invalid("SECRET_002", "the value of secret '" + request.name + "' holds a NUL byte",
                       "encode it, with base64 for example");
    const std::lock_guard lock(mutex_);
    CICD_TRY(const auto* key, key_to_seal());
    CICD_TRY(const auto old, store_.sealed_secrets({request.name}));
    model::Secret facts;
    facts.created_time = clock_.now();
    facts.created_by = user;
    for (const auto& other : old)
        if (other.facts.scope == request.scope) {
            facts = other.facts;
            ++facts.version;
        }
    facts.name = request.name;
    facts.scope = request.scope;
    facts.updated_time = clock_.now();
    facts.updated_by = user;
    facts.rotate_by = request.rotate_by;
    const auto sealed = seal(facts, request.value, *key);
    CICD_CHECK(store_.save_secret(sealed));
    return facts;
}

Result<void> Vault::remove(const std::string& name, const model::SecretScope& scope, const std::string& user) {
    return store_.remove_secret(name, scope, user, clock_.now());
}

Result<int> Vault::rekey(const std::string& user) {
    const std::lock_guard lock(mutex_);
    CICD_TRY(auto* all, keys());
    if (!all->current()) return 0;
    const auto count = reseal(*all, user);
    if (!count) keys_.reset();  // read again, with whichever key is in use now
    return count;
}

Result<int> Vault::reseal(Keys& all, const std::string& user) {
    CICD_TRY(auto sealed, store_.sealed_secrets({}));
    if (!all.is_given()) CICD_CHECK(all.begin_change());
    for (auto& secret : sealed) {
        CICD_TRY(const auto* old, all.find(secret.key));
        CICD_TRY(auto value, unseal(secret, *old));
        secret = seal(secret.facts, value, *all.current());
        wipe(value);
    }
    CICD_CHECK(store_.reseal_secrets(sealed, user, clock_.now()));
    if (!all.is_given()) CICD_CHECK(all.finish_change());
    return static_cast<int>(sealed.size());
}

Result<std::vector<model::KnownSecret>> Vault::known(const model::SecretPlace& place) {
    CICD_TRY(const auto all, store_.secrets());
    std::vector<model::KnownSecret> found;
    for (const auto& secret : all)
        if (fits(secret.scope, place, true)) found.push_back({secret.name, secret.scope.environment});
    return found;
}

Result<model::Texts> Vault::versions(const std::vector<std::string>& names, const model::SecretPlace& place) {
    const bool wants_all = std::find(names.begin(), names.end(), model::all_secrets) != names.end();
    CICD_TRY(const auto known, store_.secrets());
    std::map<std::string, const model::Secret*> nearest;
    for (const auto& secret : known) {
        const auto same = [&](const std::string& name) { return to_lower(name) == to_lower(secret.name); };
        if (!fits(secret.scope, place) || (!wants_all && std::none_of(names.begin(), names.end(), same))) continue;
        auto& best = nearest[to_lower(secret.name)];
        if (!best || is_nearer(secret.scope, best->scope)) best = &secret;
    }
    model::Texts versions;
    // One that was removed and set again counts anew, at another time.
    for (const auto& [name, secret] : nearest)
        versions.emplace_back(name, secret->scope.project + "|" + secret->scope.environment + "|" + secret->scope.branch + "|" +
                                        std::to_string(secret->version) + "|" + std::to_string(secret->updated_time.time_since_epoch().count()));
    return versions;
}

Result<Object> Vault::values(const std::vector<std::string>& names, const model::SecretPlace& place,
                             const std::string& job, Missing missing) {
    const bool all = std::find(names.begin(), names.end(), model::all_secrets) != names.end();
    const std::lock_guard lock(mutex_);
    CICD_TRY(const auto sealed, store_.sealed_secrets(all ? std::vector<std::string>{} : names));
    std::map<std::string, const store::SealedSecret*> nearest;
    for (const auto& secret : sealed) {
        if (!fits(secret.facts.scope, place)) continue;
        auto& best = nearest[to_lower(secret.facts.name)];
        if (!best || is_nearer(secret.facts.scope, best->facts.scope)) best = &secret;
    }
    Object values;
    for (const auto& name : names) {
        if (name == model::all_secrets || nearest.contains(to_lower(name))) continue;
        if (missing == Missing::refused) return no_such(name, place);
        values.set(name, "");
    }
    std::vector<model::Secret> given;
    for (const auto& [name, secret] : nearest) {
        CICD_TRY(auto* ring, keys());
        CICD_TRY(const auto* key, ring->find(secret->key));
        CICD_TRY(auto value, unseal(*secret, *key));
        values.set(secret->facts.name, std::move(value));
        given.push_back(secret->facts);
    }
    CICD_CHECK(store_.note_secrets_used(given, job, clock_.now()));
    return values;
}

Result<std::string> Vault::fingerprint(const std::string& text) {
    const std::lock_guard lock(mutex_);
    CICD_TRY(const auto* key, key_to_seal());
    return key->fingerprint(text);
}

}  // namespace cicd::secrets
