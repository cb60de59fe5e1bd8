#include "daemon/store/state.hpp"

/// Requests that came with an Idempotency-Key.
namespace cicd::store {

namespace {

constexpr auto kept = std::chrono::hours(24);

/// While it is there, a commit does not wait for the disk: what it notes is made durable by the next one that does, and
/// until then nobody was told anything that depends on it.
class Relaxed {
public:
    explicit Relaxed(Connection& connection) : connection_(connection) {
        connection_.database().exec("PRAGMA synchronous = NORMAL");
    }
    ~Relaxed() { connection_.database().tryExec("PRAGMA synchronous = FULL"); }
    Relaxed(const Relaxed&) = delete;
    Relaxed& operator=(const Relaxed&) = delete;

private:
    Connection& connection_;
};

Result<Claim> known_claim(Query& row, const RequestKey& request, const std::string& owner) {
    if (row.text(0) != request.hash)
        return conflict("CICD_409", "the Idempotency-Key '" + request.key + "' came before with another request",
                        "give every request a key of its own");
    Claim claim;
    if (!row.is_null(2)) claim.run = id_of<RunTag>(row.number(2));
    if (!row.is_null(3)) {
        claim.state = Claim::State::answered;
        claim.answer = {static_cast<int>(row.number(3)), row.text(4)};
    } else if (row.text(1) == owner) {
        claim.state = Claim::State::under_way;
    } else if (claim.run) {
        claim.state = Claim::State::accepted;
    }
    return claim;
}

bool accepted(Connection& connection, const RequestKey& request) {
    auto row = connection.query("SELECT run FROM requests WHERE user = ? AND key = ?");
    return row.with(request.user, request.key).next() && !row.is_null(0);
}

}  // namespace

Result<Claim> Store::claim(const RequestKey& request, Timestamp now) {
    return guarded("note the request's key", [&]() -> Result<Claim> {
        const std::lock_guard lock(state_->mutex);
        const Relaxed relaxed(state_->writer);
        auto transaction = writing(state_->writer);
        state_->writer.query("DELETE FROM requests WHERE created < ?").with(now - kept).run();
        Claim claim;
        {
            auto row = state_->writer.query(
                "SELECT hash, owner, run, status, body FROM requests WHERE user = ? AND key = ?");
            if (row.with(request.user, request.key).next()) {
                CICD_TRY(claim, known_claim(row, request, state_->owner));
            }
        }
        if (claim.state == Claim::State::ours)
            // Also where a daemon before this one ended without having accepted anything: its claim is void.
            state_->writer
                .query("INSERT INTO requests VALUES (?,?,?,?,NULL,NULL,'',?) ON CONFLICT DO UPDATE SET owner = excluded.owner, "
                       "created = excluded.created")
                .with(request.user, request.key, request.hash, state_->owner, now)
                .run();
        transaction.commit();
        return claim;
    });
}

Result<void> Store::answer(const RequestKey& request, const Answer& answer) {
    return guarded("keep the answer", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        // The run that came of it is durable, and tells the same.
        std::optional<Relaxed> relaxed;
        if (answer.status == 202 && accepted(state_->writer, request)) relaxed.emplace(state_->writer);
        state_->writer.query("UPDATE requests SET status = ?, body = ? WHERE user = ? AND key = ?")
            .with(answer.status, answer.body, request.user, request.key)
            .run();
        return {};
    });
}

Result<void> Store::release(const RequestKey& request) {
    return guarded("forget the request's key", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        state_->writer.query("DELETE FROM requests WHERE user = ? AND key = ? AND status IS NULL AND run IS NULL")
            .with(request.user, request.key)
            .run();
        return {};
    });
}

}  // namespace cicd::store
