#include "daemon/store/store.hpp"

#include "daemon/store/migrations.hpp"
#include "daemon/store/state.hpp"

#include <algorithm>
#include <random>

namespace cicd::store {

namespace {

constexpr std::size_t idle_readers = 4;

Result<void> migrate(Connection& connection, const std::filesystem::path& file) {
    const auto newest = static_cast<std::int64_t>(migrations.size());
    auto transaction = writing(connection);  // two daemons that start at once must not both migrate
    const auto version = pragma(connection, "user_version");
    if (version > newest)
        return unavailable("STATE_005",
                           file.string() + " has schema version " + std::to_string(version) +
                               ", this program knows versions up to " + std::to_string(newest),
                           "it was written by a newer cicdd: start that one");
    for (auto done = version; done < newest; ++done)
        connection.database().exec(std::string(migrations[static_cast<std::size_t>(done)]));
    if (version < newest) connection.database().exec("PRAGMA user_version = " + std::to_string(newest));
    transaction.commit();
    return {};
}

/// Fresh for every opening, so that what an earlier daemon left under way is told from our own.
std::string fresh_owner() {
    std::random_device source;
    std::string text;
    for (int i = 0; i < 4; ++i) text += std::to_string(source()) + ".";
    return text;
}

}  // namespace

std::int64_t pragma(Connection& connection, const std::string& name) {
    auto query = connection.query("PRAGMA " + name);
    return query.next() ? query.number(0) : 0;
}

Readers::Lease Readers::lend() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            return {*this, std::move(connection)};
        }
    }
    return {*this, std::make_unique<Connection>(file_, SQLite::OPEN_READONLY)};
}

Readers::Lease::~Lease() {
    const std::lock_guard lock(readers_.mutex_);
    if (readers_.idle_.size() < idle_readers) readers_.idle_.push_back(std::move(connection_));
}

namespace {
/// A statement is done, and its change durable, only at its end.
std::int64_t reserve(Connection& writer, const Sequence& sequence) {
    auto query = writer.query(
        "INSERT INTO ids VALUES (?1, ?2 + ?3) ON CONFLICT DO UPDATE SET next = max(next, ?2) + ?3 RETURNING next");
    query.with(sequence.kind, sequence.next, id_block);
    query.next();
    const auto end = query.number(0);
    while (query.next()) {
    }
    return end;
}
}  // namespace

void Store::State::begin(Sequence& sequence) {
    auto query = writer.query("SELECT max(coalesce((SELECT next FROM ids WHERE kind = ?), 1), 1 + coalesce((SELECT max(number) "
                              "FROM " + sequence.kind + "s), 0))");
    query.with(sequence.kind);
    query.next();
    sequence.next = sequence.end = query.number(0);
}

/// A block is durable before its first number is used, so a crash leaves gaps but never repeats a number. Where the
/// disk does not take it, the number is given all the same: whatever is to use it cannot become durable either.
std::int64_t Store::State::take(Sequence& sequence) {
    {
        const std::lock_guard ids_lock(ids_mutex);
        if (sequence.next < sequence.end) return sequence.next++;
    }
    const std::lock_guard lock(mutex);
    const std::lock_guard ids_lock(ids_mutex);
    if (sequence.next >= sequence.end) {
        try {
            sequence.end = reserve(writer, sequence);
            sequence.next = std::max(sequence.next, sequence.end - id_block);
        } catch (const SQLite::Exception&) {
            return sequence.next++;
        }
    }
    return sequence.next++;
}

std::vector<std::pair<Sequence*, std::int64_t>> Store::State::reserve_ahead() {
    std::vector<std::pair<Sequence*, std::int64_t>> ends;
    const std::lock_guard ids_lock(ids_mutex);
    for (auto* sequence : {&run_ids, &job_ids})
        if (sequence->end > 1 && sequence->end - sequence->next < id_block / 2)
            ends.emplace_back(sequence, reserve(writer, *sequence));
    return ends;
}

/// What an orderly end leaves unused is used by the next start, so that people see numbers without gaps.
void Store::State::give_back(Sequence& sequence) noexcept {
    if (sequence.next == sequence.end) return;
    try {
        const std::lock_guard lock(mutex);
        auto query = writer.query("UPDATE ids SET next = ?1 WHERE kind = ?2 AND next = ?3");
        query.with(sequence.next, sequence.kind, sequence.end);
        while (query.next()) {
        }
        sequence.end = sequence.next;
    } catch (const std::exception&) {
        return;  // the gap stays, which only looks odd
    }
}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& file) {
    return guarded("open " + file.string(), [&]() -> Result<std::unique_ptr<Store>> {
        // Whoever closes the file last removes its log: where one is left, a daemon ended in the middle of its work.
        std::error_code none;
        const bool closed_well = std::filesystem::file_size(file.string() + "-wal", none) == static_cast<std::uintmax_t>(-1);
        auto state = std::make_unique<State>(file);
        state->writer.database().exec("PRAGMA journal_mode = WAL");
        CICD_CHECK(check_at_start(*state, closed_well));
        CICD_CHECK(migrate(state->writer, file));
        for (auto* sequence : {&state->run_ids, &state->job_ids, &state->pipeline_ids}) state->begin(*sequence);
        state->owner = fresh_owner();
        return std::unique_ptr<Store>(new Store(std::move(state)));
    });
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() {
    for (auto* sequence : {&state_->run_ids, &state_->job_ids, &state_->pipeline_ids}) state_->give_back(*sequence);
}

std::uint64_t Store::version() const { return state_->mutex.version(); }

RunId Store::next_run_id() { return id_of<RunTag>(state_->take(state_->run_ids)); }
JobId Store::next_job_id() { return id_of<JobTag>(state_->take(state_->job_ids)); }
PipelineId Store::next_pipeline_id() { return id_of<PipelineTag>(state_->take(state_->pipeline_ids)); }

}  // namespace cicd::store
