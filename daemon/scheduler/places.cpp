#include "daemon/scheduler/places.hpp"

#include "common/base/time.hpp"
#include "common/base/value.hpp"

#include <limits>
#include <tuple>

namespace cicd::scheduler {

namespace {
constexpr double tiny = 1e-9;  // sums of fractions of cores
}

Demand demand_of(const model::Resources& resources) {
    return {resources.cpu.value_or(0), resources.memory.value_or(0), resources.gpu.value_or(0)};
}

std::string never_fits(const Demand& demand, const Capacity& capacity) {
    const auto told = [](const std::string& asked, const std::string& there, const char* key) {
        return "asks for " + asked + ", but there " + there + " here; lower resources." + key;
    };
    if (demand.cpu > capacity.cpu + tiny)
        return told(number_text(demand.cpu) + " cores", "are " + number_text(capacity.cpu), "cpu");
    if (demand.memory > capacity.memory)
        return told(format_size(demand.memory) + " of memory", "is " + format_size(capacity.memory), "memory");
    if (demand.gpu > capacity.gpu)
        return told(std::to_string(demand.gpu) + (demand.gpu == 1 ? " GPU" : " GPUs"),
                    (capacity.gpu == 1 ? "is " : "are ") + std::to_string(capacity.gpu), "gpu");
    return {};
}

/// Who is first in a line, and what that is to be compared by with the first of other lines.
struct Places::Head {
    const Waiting* entry;
    std::uint64_t reserved;  // since when; those without stand behind
    Rank pipeline, user;
    auto key() const { return std::tie(entry->turn.priority, reserved, pipeline, user, entry->turn); }
};

unsigned Places::kind(const Demand& demand) {
    return (demand.cpu > 0 ? 1U : 0U) | (demand.memory > 0 ? 2U : 0U) | (demand.gpu > 0 ? 4U : 0U);
}

unsigned Places::line_of(const Turn& turn, const Demand& demand) {
    return static_cast<unsigned>(turn.priority) * kinds + kind(demand);
}

int Places::account(const std::string& key, int parent) {
    const auto [found, added] = by_key_.try_emplace({parent, key}, 0);
    if (added) {
        if (free_accounts_.empty()) {
            found->second = static_cast<int>(accounts_.size());
            accounts_.emplace_back();
        } else {
            found->second = free_accounts_.back();
            free_accounts_.pop_back();
        }
        auto& made = accounts_[found->second] = {};
        made.parent = parent;
        made.served = ++clock_;
        made.key = key;
    }
    ++accounts_[found->second].claims;
    return found->second;
}

Claim Places::join(const std::string& pipeline, const std::string& user) {
    const int parent = account(pipeline, -1);
    return {parent, account(user, parent)};
}

void Places::part(Claim claim) {
    for (const int index : {claim.user, claim.pipeline}) {
        auto& account = accounts_[index];
        if (--account.claims > 0) continue;
        by_key_.erase({account.parent, account.key});
        free_accounts_.push_back(index);
    }
}

/// Its places become more or fewer: it moves in every line where it has somebody waiting.
void Places::settle(int index, int change) {
    auto& account = accounts_[index];
    const auto before = rank(index);
    account.held += change;
    if (change > 0) account.served = ++clock_;
    const auto after = rank(index);
    for (std::uint32_t rest = account.lines; rest != 0; rest &= rest - 1) {
        auto& line = lines_[static_cast<unsigned>(__builtin_ctz(rest))];
        auto& ranks = account.parent < 0 ? line.pipelines : line.benches.at(account.parent).users;
        auto node = ranks.extract(before);
        node.value() = after;
        ranks.insert(std::move(node));
    }
}

void Places::take(const Demand& demand, Claim claim) {
    used_ = {used_.slots + 1, used_.cpu + demand.cpu, used_.memory + demand.memory, used_.gpu + demand.gpu};
    settle(claim.pipeline, 1);
    settle(claim.user, 1);
}

void Places::give_back(const Demand& demand, Claim claim) {
    used_ = {used_.slots - 1, used_.slots == 1 ? 0 : used_.cpu - demand.cpu, used_.memory - demand.memory,
             used_.gpu - demand.gpu};
    settle(claim.pipeline, -1);
    settle(claim.user, -1);
}

void Places::wait(Turn turn, const Demand& demand, Claim claim, JobRef job) {
    const auto index = line_of(turn, demand);
    auto& line = lines_[index];
    const std::uint32_t bit = 1U << index;
    busy_ |= bit;
    if (!(accounts_[claim.pipeline].lines & bit)) line.pipelines.insert(rank(claim.pipeline));
    auto& bench = line.benches[claim.pipeline];
    if (!(accounts_[claim.user].lines & bit)) bench.users.insert(rank(claim.user));
    accounts_[claim.pipeline].lines |= bit;
    accounts_[claim.user].lines |= bit;
    bench.queues[claim.user].emplace(turn, Waiting{turn, demand, claim, job});
    ++waiting_;
}

/// Takes one out of its user's queue; empty queues and benches go with it.
void Places::erase(unsigned index, const Waiting& entry) {
    auto& line = lines_[index];
    const auto claim = entry.claim;
    const std::uint32_t bit = 1U << index;
    auto& bench = line.benches.at(claim.pipeline);
    auto& queue = bench.queues.at(claim.user);
    queue.erase(Turn(entry.turn));
    if (!queue.empty()) return;
    bench.queues.erase(claim.user);
    bench.users.erase(rank(claim.user));
    accounts_[claim.user].lines &= ~bit;
    if (!bench.queues.empty()) return;
    line.benches.erase(claim.pipeline);
    line.pipelines.erase(rank(claim.pipeline));
    accounts_[claim.pipeline].lines &= ~bit;
}

void Places::leave(Turn turn, const Demand& demand, Claim claim) {
    const auto index = line_of(turn, demand);
    auto& line = lines_[index];
    if (line.reserved && line.reserved->second.turn == turn)
        line.reserved.reset();
    else
        erase(index, Waiting{turn, demand, claim, {}});
    --waiting_;
    if (!line.reserved && line.benches.empty()) busy_ &= ~(1U << index);
}

std::optional<Places::Head> Places::head(unsigned index) const {
    const auto& line = lines_[index];
    if (line.reserved) return Head{&line.reserved->second, line.reserved->first, {}, {}};
    if (line.pipelines.empty()) return std::nullopt;
    const auto& pipeline = *line.pipelines.begin();
    const auto& bench = line.benches.at(pipeline.account);
    const auto& user = *bench.users.begin();
    const auto& entry = bench.queues.at(user.account).begin()->second;
    return Head{&entry, std::numeric_limits<std::uint64_t>::max(), pipeline, user};
}

/// The first of all who want nothing of what is blocked.
std::optional<Places::Head> Places::first(unsigned blocked) const {
    std::optional<Head> best;
    for (std::uint32_t rest = busy_; rest != 0; rest &= rest - 1) {
        const auto index = static_cast<unsigned>(__builtin_ctz(rest));
        if (index % kinds & blocked) continue;
        if (best && static_cast<unsigned>(best->entry->turn.priority) < index / kinds) break;
        const auto other = head(index);
        if (other && (!best || other->key() < best->key())) best = other;
    }
    return best;
}

unsigned Places::short_of(const Demand& demand) const {
    unsigned missing = used_.slots >= capacity_.slots ? 8U : 0U;
    if (demand.cpu > 0 && used_.cpu + demand.cpu > capacity_.cpu + tiny) missing |= 1U;
    if (demand.memory > 0 && used_.memory + demand.memory > capacity_.memory) missing |= 2U;
    if (demand.gpu > 0 && used_.gpu + demand.gpu > capacity_.gpu) missing |= 4U;
    return missing;
}

std::optional<JobRef> Places::next() {
    if (used_.slots >= capacity_.slots) return std::nullopt;
    for (unsigned blocked = 0;;) {
        const auto best = first(blocked);
        if (!best) return std::nullopt;
        const Waiting entry = *best->entry;
        const auto index = line_of(entry.turn, entry.demand);
        if (short_of(entry.demand) == 0) {
            leave(entry.turn, entry.demand, entry.claim);
            take(entry.demand, entry.claim);
            return entry.job;
        }
        blocked |= kind(entry.demand);
        if (lines_[index].reserved) continue;
        erase(index, entry);
        lines_[index].reserved.emplace(++clock_, entry);
        lines_[index].reserved->second.reserved = true;
    }
}

std::vector<Places::Waiting> Places::order() const {
    std::vector<Waiting> all;
    all.reserve(static_cast<std::size_t>(waiting_));
    Places rest = *this;
    while (const auto best = rest.first(0)) {
        all.push_back(*best->entry);
        rest.leave(all.back().turn, all.back().demand, all.back().claim);
        rest.take(all.back().demand, all.back().claim);
    }
    return all;
}

}  // namespace cicd::scheduler
