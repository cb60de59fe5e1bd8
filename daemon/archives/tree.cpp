#include "daemon/archives/tree.hpp"

#include "common/base/text.hpp"

#include <algorithm>

namespace cicd::archives {

using objects::Entry;

namespace {

constexpr std::size_t longest_name = 255;  ///< of most file systems
constexpr std::size_t longest_path = 4095;

/// A folder's own files come right after it: '/' is before every other character.
bool comes_before(const Entry& a, const Entry& b) {
    const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
    return std::lexicographical_compare(a.path.begin(), a.path.end(), b.path.begin(), b.path.end(),
                                        [&](char x, char y) { return rank(x) < rank(y); });
}

}  // namespace

Error refused(const std::string& path, const std::string& why) {
    return invalid("ARTIFACT_006", "the archive is refused: '" + objects::shown(path) + "' " + why,
                   "nothing of it was stored; make one without that, or upload it as a file, without unpacking");
}

Result<std::string> Tree::inner_path(const std::string& written) {
    if (written.starts_with('/')) return refused(written, "has an absolute name");
    if (written.size() > longest_path) return refused(written, "has too long a path");
    if (!objects::is_plain_name(written))
        return refused(written, "has a name that not every system can show (control characters, a backslash, or no UTF-8)");
    std::string path;
    int depth = 0;
    for (const auto& part : split(written, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") return refused(written, "leads out of the archive");
        if (part.size() > longest_name) return refused(written, "has a name of more than 255 bytes");
        if (++depth > objects::deepest) return refused(written, "is nested deeper than " + std::to_string(objects::deepest) + " folders");
        if (!path.empty()) path += '/';
        path += part;
    }
    return path;
}

Result<void> Tree::push(Entry entry) {
    names_ += entry.path.size() + entry.target.size();
    if (manifest_.entries.size() >= limits_.entries)
        return refused(entry.path, "is one of more than " + std::to_string(limits_.entries) + " files and folders");
    if (names_ > limits_.names) return refused(entry.path, "and the other names are longer than can be kept together");
    by_path_.emplace(entry.path, manifest_.entries.size());
    manifest_.entries.push_back(std::move(entry));
    return {};
}

Result<void> Tree::folders_above(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        const auto above = path.substr(0, slash);
        const auto known = by_path_.find(above);
        if (known == by_path_.end()) {
            Entry folder;
            folder.kind = Entry::Kind::folder;
            folder.path = above;
            folder.mode = 0755;
            CICD_CHECK(push(std::move(folder)));
        } else if (manifest_.entries[known->second].kind != Entry::Kind::folder) {
            return refused(path, "lies below '" + objects::shown(above) + "', which is no folder");
        }
    }
    return {};
}

Result<void> Tree::add(Entry entry) {
    CICD_CHECK(folders_above(entry.path));
    const auto known = by_path_.find(entry.path);
    if (known == by_path_.end()) return push(std::move(entry));
    auto& there = manifest_.entries[known->second];
    if (entry.kind != Entry::Kind::folder || there.kind != Entry::Kind::folder) return refused(entry.path, "is in it twice");
    there.mode = entry.mode;
    return {};
}

const Entry* Tree::file(const std::string& path) const {
    const auto known = by_path_.find(path);
    if (known == by_path_.end() || manifest_.entries[known->second].kind != Entry::Kind::file) return nullptr;
    return &manifest_.entries[known->second];
}

void Tree::sort() {
    std::sort(manifest_.entries.begin(), manifest_.entries.end(), comes_before);
}

}  // namespace cicd::archives
