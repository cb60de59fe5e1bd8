#include "daemon/api/answer_cache.hpp"

namespace cicd::api {
namespace {

constexpr std::size_t most_bytes = 4 << 20;
constexpr std::size_t largest = 256 * 1024;
constexpr std::size_t overhead = 512;  // of an entry, roughly

std::size_t cost(const AnswerCache::Entry& entry) {
    return overhead + entry.target.size() + entry.response.body.size();
}

}  // namespace

const AnswerCache::Entry* AnswerCache::find(const std::string& target, std::uint64_t version) {
    const auto found = by_target_.find(target);
    if (found == by_target_.end()) return nullptr;
    const auto entry = found->second;
    if (entry->version != version) {
        drop(entry);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return &*entry;
}

void AnswerCache::put(Entry entry) {
    if (entry.response.body.size() > largest || entry.response.stream) return;
    if (const auto known = by_target_.find(entry.target); known != by_target_.end()) drop(known->second);
    bytes_ += cost(entry);
    entries_.push_front(std::move(entry));
    by_target_.emplace(entries_.front().target, entries_.begin());
    while (bytes_ > most_bytes) drop(std::prev(entries_.end()));
}

void AnswerCache::drop(std::list<Entry>::iterator entry) {
    bytes_ -= cost(*entry);
    by_target_.erase(entry->target);
    entries_.erase(entry);
}

}  // namespace cicd::api
