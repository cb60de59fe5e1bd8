#include "daemon/objects/packer.hpp"
#include "daemon/objects/tree.hpp"

#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "common/base/time.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <climits>
#include <cstring>
#include <map>

namespace cicd::objects {
namespace {

constexpr std::uint64_t largest_hole = 1 << 30;   ///< of what a sparse file only pretends to hold
constexpr std::size_t most_notes = 20;
constexpr std::size_t most_patterns = 64;

using Matches = std::uint64_t;  ///< a bit for each pattern

struct Pattern {
    FileGlob glob;
    std::string base;  ///< the folders before its first special character: nothing else needs to be looked at
    bool exclude = false;
};

Result<Pattern> read_pattern(std::string_view text, bool exclude) {
    if (text.starts_with('!')) {
        exclude = true;
        text.remove_prefix(1);
    }
    while (text.starts_with("./")) text.remove_prefix(2);
    while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
    if (text == ".") text = "**";
    const auto parts = split(text, '/');
    if (text.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end())
        return invalid("ARTIFACT_002", "'" + shown(text) + "' is not below the workspace", "paths are relative to the workspace");
    CICD_TRY(auto glob, FileGlob::compile(text));
    const auto special = text.find_first_of("*?[{\\");
    const auto slash = special == std::string_view::npos ? text.size() : text.rfind('/', special);
    return Pattern{std::move(glob), std::string(slash == std::string_view::npos ? "" : text.substr(0, slash)), exclude};
}

std::uint64_t allocated(const struct stat& facts) { return static_cast<std::uint64_t>(facts.st_blocks) * 512; }

class Save {
public:
    Save(const ObjectStore& store, const SaveOptions& options)
        : store_(store), options_(options), packer_(store, options.durability, manifest_) {}

    Result<void> select(const Selection& selection) {
        for (const auto& text : selection.paths) {
            CICD_TRY(auto pattern, read_pattern(text, false));
            patterns_.push_back(std::move(pattern));
        }
        for (const auto& text : selection.exclude) {
            CICD_TRY(auto pattern, read_pattern(text, true));
            patterns_.push_back(std::move(pattern));
        }
        if (patterns_.size() <= most_patterns) return {};
        return invalid("ARTIFACT_002", "there are more than " + std::to_string(most_patterns) + " paths", "use patterns that match more");
    }

    /// `above`: the patterns that match a folder on the way here, and so everything below it.
    Result<void> folder(const os::Fd& here, const os::Fd& layer, const std::string& prefix, Matches above, int depth) {
        if (depth > deepest) return refused(prefix, "is nested deeper than " + std::to_string(deepest) + " folders");
        CICD_TRY(const auto names, names_in(here, prefix));
        for (const auto& name : names) {
            const auto path = prefix + name;
            struct stat facts {};
            if (::fstatat(here.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
            const bool is_folder = S_ISDIR(facts.st_mode);
            const auto matches = above | matching(path, above);
            const bool in = is_wanted(matches);
            if (!in && !(is_folder && may_hold(path, matches))) continue;
            if (in && !options_.any_name && !is_plain_name(name))
                return refused(path, "has a name that not every system can show (control characters, a backslash, or no UTF-8)");
            if (path.size() >= PATH_MAX) return refused(path, "has too long a path");
            if (manifest_.entries.size() >= most_entries)
                return invalid("ARTIFACT_003", "there are more than " + std::to_string(most_entries) + " files and folders",
                               "select less, or pack them into one file before");
            CICD_CHECK(is_folder ? subfolder(here, layer, name, path, facts, matches, depth) : other(here, layer, name, path, facts));
        }
        return {};
    }

    Result<SavedTree> finish() {
        CICD_CHECK(packer_.close());
        SavedTree saved;
        saved.notes = std::move(notes_);
        if (left_out_ > saved.notes.size()) saved.notes.push_back("… and " + std::to_string(left_out_ - saved.notes.size()) + " more");
        saved.entries = manifest_.entries.size();
        if (saved.entries == 0) return saved;
        saved.size = manifest_.size();
        saved.files = manifest_.files();
        CICD_TRY(const auto stored, store_.put(to_text(manifest_), options_.durability));
        saved.digest = stored.digest;
        return saved;
    }

private:
    Error refused(const std::string& path, const std::string& why) const {
        return invalid("ARTIFACT_003", "'" + shown(path) + "' " + why, "leave it out by 'exclude'");
    }

    void leave_out(const std::string& path, const std::string& why) {
        ++left_out_;
        if (notes_.size() < most_notes) notes_.push_back("left out: '" + shown(path) + "' " + why);
    }

    /// Sorted, so that the same content is the same manifest.
    static Result<std::vector<std::string>> names_in(const os::Fd& here, const std::string& prefix) {
        std::vector<std::string> names;
        const int copy = ::openat(here.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
        if (!entries) return os::last_error("cannot read the folder '" + shown(prefix) + "'");
        while (const dirent* entry = ::readdir(entries.get())) {
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    [[nodiscard]] Matches matching(const std::string& path, Matches known) const {
        Matches found = 0;
        for (std::size_t i = 0; i < patterns_.size(); ++i)
            if ((known >> i & 1) == 0 && patterns_[i].glob.matches(path)) found |= Matches{1} << i;
        return found;
    }

    /// The last pattern that matches decides.
    [[nodiscard]] bool is_wanted(Matches matches) const {
        return matches != 0 && !patterns_[static_cast<std::size_t>(std::bit_width(matches)) - 1].exclude;
    }

    /// Whether something below may be chosen after all.
    [[nodiscard]] bool may_hold(const std::string& path, Matches matches) const {
        for (auto i = static_cast<std::size_t>(std::bit_width(matches)); i < patterns_.size(); ++i) {
            const auto& base = patterns_[i].base;
            if (patterns_[i].exclude) continue;
            if (base.empty() || (base.starts_with(path) && (base.size() == path.size() || base[path.size()] == '/')) ||
                (path.starts_with(base) && path[base.size()] == '/'))
                return true;
        }
        return false;
    }

    Result<void> subfolder(const os::Fd& here, const os::Fd& layer, const std::string& name, const std::string& path,
                           const struct stat& facts, Matches matches, int depth) {
        const os::Fd inner(::openat(here.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        const bool in = is_wanted(matches);
        if (!inner) {
            if (!in) return {};
            return os::last_error("cannot read the folder '" + shown(path) + "'");
        }
        if (in) {
            Entry entry;
            entry.kind = Entry::Kind::folder;
            entry.path = path;
            entry.mode = facts.st_mode & 0777;
            manifest_.entries.push_back(std::move(entry));
        }
        const os::Fd inner_layer(layer ? ::openat(layer.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1);
        return folder(inner, inner_layer, path + "/", matches, depth + 1);
    }

    Result<void> other(const os::Fd& here, const os::Fd& layer, const std::string& name, const std::string& path,
                       const struct stat& facts) {
        if (S_ISREG(facts.st_mode)) return file(here, layer, name, path);
        if (S_ISLNK(facts.st_mode)) return link(here, name, path), Result<void>{};
        leave_out(path, S_ISFIFO(facts.st_mode) ? "is a pipe" : S_ISSOCK(facts.st_mode) ? "is a socket" : "is a device");
        return {};
    }

    void link(const os::Fd& here, const std::string& name, const std::string& path) {
        char target[PATH_MAX];
        const ssize_t n = ::readlinkat(here.get(), name.c_str(), target, sizeof target);
        if (n < 0) return leave_out(path, std::string("cannot be read: ") + std::strerror(errno));
        Entry entry;
        entry.kind = Entry::Kind::link;
        entry.path = path;
        entry.mode = 0777;
        entry.target.assign(target, static_cast<std::size_t>(n));
        if (!stays_inside(path, entry.target)) return leave_out(path, "is a link that may lead out: to '" + shown(entry.target) + "'");
        manifest_.entries.push_back(std::move(entry));
    }

    Result<void> file(const os::Fd& here, const os::Fd& layer, const std::string& name, const std::string& path) {
        const os::Fd opened(::openat(here.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        struct stat facts {};
        if (!opened || ::fstat(opened.get(), &facts) != 0) return os::last_error("cannot read '" + shown(path) + "'");
        if (!S_ISREG(facts.st_mode)) return leave_out(path, "is no file any more"), Result<void>{};
        const auto size = static_cast<std::uint64_t>(facts.st_size);
        if (size > allocated(facts) + largest_hole)
            return refused(path, "is a sparse file: " + humanize_size(size) + " long, of which it holds " + humanize_size(allocated(facts)));
        Entry entry;
        entry.path = path;
        entry.mode = facts.st_mode & 0777;
        if (options_.times) entry.time = std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec;
        if (size < packed_below) {
            CICD_CHECK(packer_.add(entry, [&](char* into, std::size_t room) { return read_all(opened, into, room, path); }));
        } else {
            const auto own = own_file(layer, name, facts);
            const int linkable = !options_.may_link ? -1 : options_.layer < 0 ? opened.get() : own.get();
            CICD_TRY(const auto stored, store_.put_file(opened.get(), linkable, size, options_.durability));
            entry.size = stored.size;
            entry.digest = stored.digest;
        }
        manifest_.entries.push_back(std::move(entry));
        return {};
    }

    static Result<std::size_t> read_all(const os::Fd& file, char* into, std::size_t room, const std::string& path) {
        std::size_t filled = 0;
        while (filled < room) {
            const ssize_t n = ::read(file.get(), into + filled, room - filled);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return os::last_error("cannot read '" + shown(path) + "'");
            if (n == 0) break;
            filled += static_cast<std::size_t>(n);
        }
        return filled;
    }

    /// The file below an overlay's one, if it is the very same: it was written by the job, and is no copy of the source.
    [[nodiscard]] os::Fd own_file(const os::Fd& layer, const std::string& name, const struct stat& seen) const {
        if (!options_.may_link || !layer) return {};
        os::Fd below(::openat(layer.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        struct stat facts {};
        if (!below || ::fstat(below.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size != seen.st_size ||
            facts.st_mtim.tv_sec != seen.st_mtim.tv_sec || facts.st_mtim.tv_nsec != seen.st_mtim.tv_nsec)
            return {};
        return below;
    }

    const ObjectStore& store_;
    const SaveOptions& options_;
    std::vector<Pattern> patterns_;
    Manifest manifest_;
    Packer packer_;
    std::vector<std::string> notes_;
    std::size_t left_out_ = 0;
};

}  // namespace

Result<SavedTree> save_tree(const ObjectStore& store, int folder, const Selection& selection, const SaveOptions& options) {
    Save save(store, options);
    CICD_CHECK(save.select(selection));
    const os::Fd top(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top) return os::last_error("cannot read the workspace");
    const os::Fd layer(options.layer < 0 ? -1 : ::openat(options.layer, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    CICD_CHECK(save.folder(top, layer, "", 0, 0));
    return save.finish();
}

}  // namespace cicd::objects
