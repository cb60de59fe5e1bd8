#pragma once

#include "common/base/result.hpp"
#include "common/model/pipeline.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace cicd::scheduler {

/// What the machine gives to jobs.
struct Capacity {
    int slots = 1;
    double cpu = 1;
    std::uint64_t memory = 0;
    bool operator==(const Capacity&) const = default;
};

/// What a job takes for as long as it runs: one slot, and what it declares.
struct Demand {
    double cpu = 0;
    std::uint64_t memory = 0;
};
Demand demand_of(const model::Resources& resources);

/// Places in order: priority, then the run that came first, then the order in which jobs became ready.
struct Turn {
    model::Priority priority = model::Priority::normal;
    std::int64_t run = 0;
    std::uint64_t sequence = 0;
    auto operator<=>(const Turn&) const = default;
};

/// Who may start next. A job that waits for memory or cores holds back everybody behind it who would take some of the
/// same, and nobody else: nothing starves, and no slot idles for another's sake. Every operation is O(log n).
template <class Item>
class Places {
public:
    explicit Places(Capacity capacity) : capacity_(capacity) {}

    [[nodiscard]] const Capacity& capacity() const { return capacity_; }
    void resize(Capacity capacity) { capacity_ = capacity; }
    [[nodiscard]] bool could_ever_fit(const Demand& demand) const {
        return demand.cpu <= capacity_.cpu && demand.memory <= capacity_.memory;
    }

    void wait(Turn turn, const Demand& demand, Item item) { queues_[kind(demand)].emplace(turn, Entry{demand, item}); }
    void leave(Turn turn, const Demand& demand) { queues_[kind(demand)].erase(turn); }
    void take(const Demand& demand) { used_ = {used_.slots + 1, used_.cpu + demand.cpu, used_.memory + demand.memory}; }
    void give_back(const Demand& demand) {
        used_ = {used_.slots - 1, used_.slots == 1 ? 0 : used_.cpu - demand.cpu, used_.memory - demand.memory};
    }
    [[nodiscard]] int used_slots() const { return used_.slots; }
    [[nodiscard]] const Capacity& used() const { return used_; }

    /// The next item that fits, taken out of the queue, its place taken; nothing when nobody fits.
    std::optional<Item> next() {
        if (used_.slots >= capacity_.slots) return std::nullopt;
        bool cpu_blocked = false, memory_blocked = false;
        while (true) {
            Queue* first = nullptr;
            for (std::size_t k = 0; k < queues_.size(); ++k) {
                if (queues_[k].empty() || ((k & 1) && cpu_blocked) || ((k & 2) && memory_blocked)) continue;
                if (!first || queues_[k].begin()->first < first->begin()->first) first = &queues_[k];
            }
            if (!first) return std::nullopt;
            const Entry entry = first->begin()->second;
            const bool cpu_fits = used_.cpu + entry.demand.cpu <= capacity_.cpu + 1e-9;
            const bool memory_fits = used_.memory + entry.demand.memory <= capacity_.memory;
            if ((entry.demand.cpu == 0 || cpu_fits) && (entry.demand.memory == 0 || memory_fits)) {
                first->erase(first->begin());
                take(entry.demand);
                return entry.item;
            }
            cpu_blocked |= entry.demand.cpu > 0;
            memory_blocked |= entry.demand.memory > 0;
        }
    }

private:
    struct Entry {
        Demand demand;
        Item item;
    };
    using Queue = std::map<Turn, Entry>;
    static std::size_t kind(const Demand& demand) { return (demand.cpu > 0 ? 1U : 0U) | (demand.memory > 0 ? 2U : 0U); }

    Capacity capacity_;
    Capacity used_{0, 0, 0};
    std::array<Queue, 4> queues_;
};

}  // namespace cicd::scheduler
