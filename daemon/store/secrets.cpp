#include "daemon/store/state.hpp"

#include <algorithm>

/// Secrets: here they are bytes that only daemon/secrets can read.
namespace cicd::store {

namespace {

constexpr auto uses_kept = std::chrono::hours(24 * 90);

const std::string facts_columns =
    "name, project, environment, branch, version, created, created_by, updated, updated_by, rotate_by, used, used_by";

model::Secret facts_of(Query& row) {
    model::Secret secret;
    secret.name = row.text(0);
    secret.scope = {row.text(1), row.text(2), row.text(3)};
    secret.version = static_cast<int>(row.number(4));
    secret.created_time = row.time(5).value_or(Timestamp());
    secret.created_by = row.text(6);
    secret.updated_time = row.time(7).value_or(Timestamp());
    secret.updated_by = row.text(8);
    secret.rotate_by = row.time(9);
    secret.last_used_time = row.time(10);
    secret.last_used_by = row.text(11);
    return secret;
}

void note(Connection& to, const model::Secret& secret, const std::string& action, const std::string& user,
          Timestamp now) {
    to.query(
          "INSERT INTO secret_events (time, action, name, project, environment, branch, version, user) VALUES "
          "(?,?,?,?,?,?,?,?)")
        .with(now, action, secret.name, secret.scope.project, secret.scope.environment, secret.scope.branch,
              secret.version, user)
        .run();
}

}  // namespace

Result<std::vector<model::Secret>> Store::secrets() {
    return guarded("read the secrets", [&]() -> Result<std::vector<model::Secret>> {
        auto reader = state_->readers.lend();
        auto row =
            reader->query("SELECT " + facts_columns + " FROM secrets ORDER BY name, project, environment, branch");
        std::vector<model::Secret> list;
        while (row.next()) list.push_back(facts_of(row));
        return list;
    });
}

Result<std::vector<SealedSecret>> Store::sealed_secrets(const std::vector<std::string>& names) {
    return guarded("read the secrets", [&]() -> Result<std::vector<SealedSecret>> {
        auto reader = state_->readers.lend();
        std::string sql = "SELECT " + facts_columns + ", key, nonce, sealed FROM secrets";
        for (std::size_t i = 0; i < names.size(); ++i) sql += i == 0 ? " WHERE name IN (?" : ",?";
        if (!names.empty()) sql += ")";
        auto row = reader->query(sql + " ORDER BY name, project, environment, branch");
        for (const auto& name : names) row.bind(name);
        std::vector<SealedSecret> list;
        while (row.next()) list.push_back({facts_of(row), row.text(12), row.bytes(13), row.bytes(14)});
        return list;
    });
}

Result<void> Store::save_secret(const SealedSecret& secret) {
    return guarded("store the secret", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        const auto& facts = secret.facts;
        state_->writer
            .query(
                "INSERT INTO secrets (name, project, environment, branch, version, key, nonce, sealed, created, "
                "created_by, "
                "updated, updated_by, rotate_by, used_by) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,'') "
                "ON CONFLICT (name, project, environment, branch) DO UPDATE SET name = ?1, version = ?5, key = ?6, "
                "nonce = ?7, sealed = ?8, updated = ?11, updated_by = ?12, rotate_by = ?13")
            .with(facts.name, facts.scope.project, facts.scope.environment, facts.scope.branch, facts.version,
                  secret.key, Blob{secret.nonce}, Blob{secret.sealed}, facts.created_time, facts.created_by,
                  facts.updated_time, facts.updated_by, facts.rotate_by)
            .run();
        note(state_->writer, facts, "set", facts.updated_by, facts.updated_time);
        transaction.commit();
        return {};
    });
}

Result<void> Store::remove_secret(const std::string& name, const model::SecretScope& scope, const std::string& user,
                                  Timestamp now) {
    return guarded("remove the secret", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        model::Secret gone;
        {
            auto row = state_->writer.query("SELECT " + facts_columns +
                                            " FROM secrets WHERE name = ? AND project = ? AND "
                                            "environment = ? AND branch = ?");
            if (!row.with(name, scope.project, scope.environment, scope.branch).next())
                return not_found("SECRET_001", "there is no secret '" + name + "' of that scope",
                                 "see them all: cicdctl secret list");
            gone = facts_of(row);
        }
        state_->writer.query("DELETE FROM secrets WHERE name = ? AND project = ? AND environment = ? AND branch = ?")
            .with(name, scope.project, scope.environment, scope.branch)
            .run();
        note(state_->writer, gone, "removed", user, now);
        transaction.commit();
        return {};
    });
}

Result<void> Store::reseal_secrets(const std::vector<SealedSecret>& secrets, const std::string& user, Timestamp now) {
    return guarded("store the secrets", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        for (const auto& [facts, key, nonce, sealed] : secrets) {
            state_->writer
                .query(
                    "UPDATE secrets SET key = ?, nonce = ?, sealed = ? WHERE name = ? AND project = ? AND environment "
                    "= ? "
                    "AND branch = ? AND version = ?")
                .with(key, Blob{nonce}, Blob{sealed}, facts.name, facts.scope.project, facts.scope.environment,
                      facts.scope.branch, facts.version)
                .run();
            note(state_->writer, facts, "rekeyed", user, now);
        }
        transaction.commit();
        return {};
    });
}

Result<void> Store::note_secrets_used(const std::vector<model::Secret>& secrets, const std::string& job,
                                      Timestamp now) {
    return guarded("note the use of secrets", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        state_->writer.query("DELETE FROM secret_events WHERE action = 'used' AND time < ?")
            .with(now - uses_kept)
            .run();
        for (const auto& secret : secrets) {
            state_->writer
                .query(
                    "UPDATE secrets SET used = ?, used_by = ? WHERE name = ? AND project = ? AND environment = ? AND "
                    "branch = ?")
                .with(now, job, secret.name, secret.scope.project, secret.scope.environment, secret.scope.branch)
                .run();
            note(state_->writer, secret, "used", job, now);
        }
        transaction.commit();
        return {};
    });
}

Result<std::vector<model::SecretEvent>> Store::secret_events(const std::string& name, int limit) {
    return guarded("read the secrets' history", [&]() -> Result<std::vector<model::SecretEvent>> {
        auto reader = state_->readers.lend();
        auto row = reader->query(
            "SELECT time, action, name, project, environment, branch, version, user FROM secret_events "
            "WHERE ?1 = '' OR name = ?1 ORDER BY number DESC LIMIT ?2");
        row.with(name, limit);
        std::vector<model::SecretEvent> list;
        while (row.next())
            list.push_back({row.time(0).value_or(Timestamp()),
                            row.text(1),
                            row.text(2),
                            {row.text(3), row.text(4), row.text(5)},
                            static_cast<int>(row.number(6)),
                            row.text(7)});
        return list;
    });
}

}  // namespace cicd::store
