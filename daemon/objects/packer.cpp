#include "daemon/objects/packer.hpp"

#include <utility>

namespace cicd::objects {

Result<void> Packer::added(Entry& entry, std::size_t begin, std::size_t size) {
    pack_.resize(begin + size);
    hash_.add(std::string_view(pack_).substr(begin));
    entry.size = size;
    entry.digest = hash_.finish();
    entry.pack = static_cast<int>(manifest_.packs.size());
    entry.offset = begin;
    open_ = true;
    return pack_.size() >= pack_size ? close() : Result<void>{};
}

Result<void> Packer::close() {
    if (!std::exchange(open_, false)) return {};
    CICD_TRY(const auto stored, store_.put(pack_, durability_));
    manifest_.packs.push_back({stored.digest, stored.size});
    pack_.clear();
    return {};
}

}  // namespace cicd::objects
