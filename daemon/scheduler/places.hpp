#pragma once

#include "common/base/result.hpp"
#include "common/model/pipeline.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cicd::scheduler {

struct RunNode;

/// A job of an active run; `index` -1 stands for the run itself.
struct JobRef {
    RunNode* run = nullptr;
    int index = 0;
    bool operator==(const JobRef&) const = default;
};

/// What the machine gives to jobs.
struct Capacity {
    int slots = 1;
    double cpu = 1;
    std::uint64_t memory = 0;
    int gpu = 0;
    bool operator==(const Capacity&) const = default;
};

/// What a job takes for as long as it runs: one slot, and what it declares.
struct Demand {
    double cpu = 0;
    std::uint64_t memory = 0;
    int gpu = 0;
    bool operator==(const Demand&) const = default;
};
Demand demand_of(const model::Resources& resources);
/// "asks for 64 cores, but there are 8 here; lower resources.cpu". Empty: it fits into the empty machine.
std::string never_fits(const Demand& demand, const Capacity& capacity);

/// Where a job stands among the jobs of its pipeline's user: the run that came first, then the order in which jobs
/// became ready.
struct Turn {
    model::Priority priority = model::Priority::normal;
    std::int64_t run = 0;
    std::uint64_t sequence = 0;
    auto operator<=>(const Turn&) const = default;
};

/// Who asks for places: a user, in a pipeline. Held by a run for as long as it is active.
struct Claim {
    int pipeline = -1, user = -1;
};

/// Who may start next.
///
/// Higher priorities go first. Within a priority the pipeline that holds the fewest places goes next, or of those the
/// one that was served longest ago; within the pipeline the user, by the same rule; then the earlier run, then first
/// come. So pipelines share the machine evenly, however many jobs each of them has waiting.
///
/// Whose turn it is but who does not fit keeps the turn: everybody behind who would take some of the same waits, and
/// nobody else. Nothing starves, and no slot idles for another's sake. Every operation is O(log n).
class Places {
public:
    explicit Places(Capacity capacity) : capacity_(capacity) {}

    [[nodiscard]] const Capacity& capacity() const { return capacity_; }
    void resize(Capacity capacity) { capacity_ = capacity; }

    /// Each `join` is to be matched by a `part`, after all places are given back and nobody waits any more.
    Claim join(const std::string& pipeline, const std::string& user);
    void part(Claim claim);

    void wait(Turn turn, const Demand& demand, Claim claim, JobRef job);
    void leave(Turn turn, const Demand& demand, Claim claim);
    void take(const Demand& demand, Claim claim);
    void give_back(const Demand& demand, Claim claim);
    /// The next job that fits, taken out of the queue, its place taken; nothing when nobody fits.
    std::optional<JobRef> next();

    [[nodiscard]] const Capacity& used() const { return used_; }
    [[nodiscard]] int used_slots() const { return used_.slots; }
    [[nodiscard]] std::int64_t waiting() const { return waiting_; }
    [[nodiscard]] int held(int account) const { return accounts_[account].held; }
    /// Bits of what is short for this demand as things stand: slots 8, cpu 1, memory 2, gpu 4.
    [[nodiscard]] unsigned short_of(const Demand& demand) const;

    struct Waiting {
        Turn turn;
        Demand demand;
        Claim claim;
        JobRef job;
        bool reserved = false;  ///< its turn has come and what it needs is kept for it
    };
    /// Everybody who waits, in the order in which they would be served if there was room for all. O(n log n).
    [[nodiscard]] std::vector<Waiting> order() const;

private:
    struct Account {
        int parent = -1;  ///< of a user: the pipeline
        int held = 0;
        std::uint64_t served = 0;  ///< when it last got a place; a newcomer stands behind all who were there
        int claims = 0;
        std::uint32_t lines = 0;  ///< where it has somebody waiting
        std::string key;
    };
    struct Rank {
        int held = 0;
        std::uint64_t served = 0;
        int account = 0;
        auto operator<=>(const Rank&) const = default;
    };
    using Queue = std::map<Turn, Waiting>;
    struct Bench {  ///< of a pipeline
        std::set<Rank> users;
        std::map<int, Queue> queues;  ///< by user
    };
    struct Line {  ///< those of a priority who want the same kinds of things
        std::set<Rank> pipelines;
        std::map<int, Bench> benches;
        std::optional<std::pair<std::uint64_t, Waiting>> reserved;  ///< and since when
    };
    static constexpr unsigned kinds = 8, lines = 4 * kinds;

    struct Head;
    static unsigned kind(const Demand& demand);
    static unsigned line_of(const Turn& turn, const Demand& demand);
    [[nodiscard]] Rank rank(int account) const { return {accounts_[account].held, accounts_[account].served, account}; }
    int account(const std::string& key, int parent);
    void settle(int account, int change);
    [[nodiscard]] std::optional<Head> head(unsigned line) const;
    [[nodiscard]] std::optional<Head> first(unsigned blocked) const;
    void erase(unsigned line, const Waiting& entry);

    Capacity capacity_;
    Capacity used_{0, 0, 0, 0};
    std::array<Line, lines> lines_;
    std::uint32_t busy_ = 0;  ///< lines where somebody waits
    std::vector<Account> accounts_;
    std::vector<int> free_accounts_;
    std::map<std::pair<int, std::string>, int> by_key_;
    std::uint64_t clock_ = 0;
    std::int64_t waiting_ = 0;
};

}  // namespace cicd::scheduler
