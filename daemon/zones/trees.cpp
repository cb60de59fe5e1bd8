#include "daemon/zones/trees.hpp"

#include "common/base/text.hpp"
#include "common/job/file.hpp"
#include "daemon/os/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace cicd::zones {
namespace {

namespace fs = std::filesystem;

/// Below this, a tree is made whole: that takes a millisecond or two, and one layer is simpler than two.
constexpr std::uint64_t small = 200;
/// More changes than this part of the tree beneath, and it is made whole again.
constexpr std::uint64_t part = 8;

/// What was not written out when the power went may be there in name only: a tree counts in the boot that made it.
const std::string& this_boot() {
    static const std::string boot = [] {
        const auto text = job::read_whole("/proc/sys/kernel/random/boot_id", 100);
        return text && *text ? std::string(trim(**text)) : std::string("unknown");
    }();
    return boot;
}

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

Result<void> make_folder(const fs::path& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (!failure) return {};
    return unavailable("ZONE_001", "cannot create " + path.string() + ": " + failure.message(),
                       "free space or make the state directory writable");
}

Result<Trees::Facts> Trees::read_facts(const std::string& tree) const {
    CICD_TRY(const auto text, job::read_whole(folder_ / tree / "facts", 1 << 16));
    if (!text) return not_found("SOURCE_004", "no tree " + tree);
    Facts facts;
    for (const auto& line : split(*text, '\n')) {
        const auto space = line.find(' ');
        if (space == std::string_view::npos) continue;
        const auto name = line.substr(0, space);
        const auto value = line.substr(space + 1);
        if (name == "boot") facts.boot = value;
        else if (name == "repository") facts.repository = value;
        else if (name == "base") facts.base = value;
        else if (name == "files") facts.files = number(value);
        else if (name == "bytes") facts.bytes = number(value);
    }
    return facts;
}

bool Trees::has(const std::string& key) const { return ::access((folder_ / key / "facts").c_str(), F_OK) == 0; }

std::shared_ptr<const Trees::Use> Trees::hold(const std::string& tree, bool layered) {
    const std::lock_guard lock(mutex_);
    auto& known = used_[tree];
    auto use = known.lock();
    if (!use) {
        auto made = std::make_shared<Use>();
        for (std::string at = tree; !at.empty();) {
            made->locks.push_back(os::hold_directory(folder_ / at));
            const auto facts = made->locks.back() ? read_facts(at) : Result<Facts>(not_found("SOURCE_004", "gone"));
            if (!facts || facts->boot != this_boot()) return nullptr;
            made->layers.push_back((folder_ / at / "files").string());
            at = facts->base;
        }
        known = use = std::move(made);
    }
    if (!layered && use->layers.size() > 1) return nullptr;
    for (const auto& layer : use->layers)
        (void)::utimensat(AT_FDCWD, (fs::path(layer).parent_path() / "facts").c_str(), nullptr, 0);
    return use;
}

Result<std::shared_ptr<const Trees::Use>> Trees::use(const model::Source& source, git::Sources& sources, bool layered) {
    return use_made(source.tree, layered, [&](const fs::path& files) -> Result<Facts> {
        CICD_TRY(auto facts, fill(source, sources, files, layered));
        const std::lock_guard guard(mutex_);
        if (facts.base.empty() && facts.files > 0) latest_[source.repository] = source.tree;
        return facts;
    });
}

Result<std::shared_ptr<const Trees::Use>> Trees::use(const std::string& key, const std::function<Result<git::Extent>(const fs::path&)>& fill) {
    return use_made(key, false, [&](const fs::path& files) -> Result<Facts> {
        CICD_TRY(const auto made, fill(files));
        return Facts{this_boot(), {}, {}, made.files, made.bytes};
    });
}

Result<std::shared_ptr<const Trees::Use>> Trees::use_made(const std::string& key, bool layered, const Fill& fill) {
    if (auto use = hold(key, layered)) return use;
    const std::lock_guard lock(making_);
    // Each turn finds the tree or makes it; it can vanish in between only by somebody's hand.
    for (int turn = 0; turn < 3; ++turn) {
        if (auto use = hold(key, layered)) return use;
        CICD_CHECK(make(key, fill));
    }
    return unavailable("ZONE_001", "the files of " + key + " do not stay in " + folder_.string());
}

Result<void> Trees::make(const std::string& key, const Fill& fill) {
    const auto path = folder_ / key;
    // From another boot, above a tree that is gone, or in layers where a whole one is asked for.
    if (fs::exists(path)) (void)os::retire_directory(path);
    CICD_CHECK(make_folder(folder_));
    CICD_TRY(const auto held, os::make_held_directory(folder_, ".new-"));  // else trim_trees takes it for a leftover
    const auto& temporary = held.path;
    const auto fails = [&](Error error) {
        (void)os::remove_all(temporary);
        return error;
    };
    const fs::path files = temporary / "files";
    CICD_CHECK(make_folder(files));
    const auto facts = fill(files);
    if (!facts) return fails(facts.error());
    const std::string text = "boot " + facts->boot + "\nrepository " + facts->repository + "\nbase " + facts->base +
                             "\nfiles " + std::to_string(facts->files) + "\nbytes " + std::to_string(facts->bytes) + "\n";
    if (const auto written = job::write_atomically(temporary / "facts", text); !written)
        return fails(written.error());
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const auto error = os::last_error("cannot rename to " + path.string());
        if (!fs::exists(path)) return fails(error);
        (void)os::remove_all(temporary);  // somebody else was faster
    }
    return {};
}

Result<Trees::Facts> Trees::fill(const model::Source& source, git::Sources& sources, const fs::path& files, bool layered) {
    Facts facts{this_boot(), source.repository, {}, 0, 0};
    if (const auto base = layered ? latest_whole(source.repository) : std::string(); !base.empty() && base != source.tree) {
        const auto below = read_facts(base);
        if (below && below->files > small) {
            CICD_TRY(const auto changes, sources.checkout_changes(source, base, files, below->files / part));
            if (changes) {
                facts.base = base;
                facts.files = changes->files;
                facts.bytes = changes->bytes;
                return facts;
            }
        }
    }
    CICD_TRY(const auto whole, sources.checkout(source, files));
    facts.files = whole.files;
    facts.bytes = whole.bytes;
    return facts;
}

/// The tree of the repository that was last made whole, also by a daemon before this one.
std::string Trees::latest_whole(const std::string& repository) {
    const std::lock_guard lock(mutex_);
    auto& known = latest_[repository];
    if (!known.empty()) {
        if (const auto facts = read_facts(known); facts && facts->boot == this_boot()) return known;
        known.clear();
    }
    fs::file_time_type newest = fs::file_time_type::min();
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
        const auto name = entry.path().filename().string();
        const auto facts = name.starts_with('.') ? Result<Facts>(not_found("SOURCE_004", "")) : read_facts(name);
        if (!facts || facts->repository != repository || !facts->base.empty() || facts->boot != this_boot()) continue;
        const auto used = fs::last_write_time(entry.path() / "facts", ignored);
        if (used > newest) newest = used, known = name;
    }
    return known;
}

namespace {

struct Kept {
    fs::path path;
    timespec used{};
    std::uint64_t bytes = 0;
    std::string base;
};

std::uint64_t bytes_of(const fs::path& tree, std::string& base) {
    const auto text = job::read_whole(tree / "facts", 1 << 16);
    std::uint64_t bytes = 0;
    if (text && *text)
        for (const auto& line : split(**text, '\n')) {
            if (line.starts_with("bytes ")) bytes = number(line.substr(6));
            if (line.starts_with("base ")) base = line.substr(5);
        }
    return bytes;
}

}  // namespace

Result<std::uint64_t> trim_trees(const fs::path& state, std::uint64_t bytes, std::size_t count) {
    std::vector<Kept> kept;
    std::uint64_t total = 0, removed = 0;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(state / "trees", failure)) {
        if (entry.path().filename().string().starts_with('.')) {
            CICD_CHECK(os::retire_directory(entry.path()));
            continue;
        }
        Kept tree{entry.path(), {}, 0, {}};
        struct stat facts {};
        if (::stat((entry.path() / "facts").c_str(), &facts) == 0) tree.used = facts.st_mtim;
        tree.bytes = bytes_of(entry.path(), tree.base);
        total += tree.bytes;
        kept.push_back(std::move(tree));
    }
    std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) {
        return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
    });
    // What lies above a tree that goes is of no use, but in the way of nobody: it goes in its own turn, or is made anew.
    std::size_t left = kept.size();
    for (const auto& tree : kept) {
        if (total <= bytes && left <= count) break;
        CICD_TRY(const bool gone, os::retire_directory(tree.path));
        if (!gone) continue;
        total -= tree.bytes;
        removed += tree.bytes;
        --left;
    }
    return removed;
}

}  // namespace cicd::zones
