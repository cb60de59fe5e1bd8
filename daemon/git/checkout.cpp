#include "daemon/git/entry_writer.hpp"

#include "common/base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace cicd::git {

namespace {

class TreeCheckout {
public:
    explicit TreeCheckout(git_repository* mirror) : mirror_(mirror), writer_(mirror) {}

    Result<void> tree(const git_tree* tree, int directory, const std::string& where) {
        for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
            const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
            const std::string name = git_tree_entry_name(entry);
            const std::string path = where.empty() ? name : where + "/" + name;
            CICD_CHECK(check_name(name, path));
            if (git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE) {
                Owned<git_tree> child;
                if (git_tree_lookup(out(child), mirror_, git_tree_entry_id(entry)) < 0) return failure("cannot read " + path);
                CICD_TRY(const auto inner, writer_.folder(directory, name, path));
                CICD_CHECK(this->tree(child.get(), inner.get(), path));
                continue;
            }
            CICD_CHECK(writer_.write(git_tree_entry_filemode(entry), *git_tree_entry_id(entry), directory, name, path));
        }
        return {};
    }
    [[nodiscard]] const Extent& written() const { return writer_.written(); }

private:
    git_repository* mirror_;
    EntryWriter writer_;
};

/// A layer for overlayfs: what was added or changed as it is, and for what is gone a whiteout.
class ChangesCheckout {
public:
    ChangesCheckout(git_repository* mirror, const git_tree* after, int root) : after_(after), root_(root), writer_(mirror) {}

    Result<void> add(const git_diff_file& file) {
        const auto names = split(file.path, '/');
        Directory at(::fcntl(root_, F_DUPFD_CLOEXEC, 0));
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::string name(names[i]);
            CICD_CHECK(check_name(name, file.path));
            if (i + 1 == names.size())
                return writer_.write(static_cast<git_filemode_t>(file.mode), file.id, at.get(), name, file.path);
            CICD_TRY(auto inner, writer_.folder(at.get(), name, file.path));
            at = std::move(inner);
        }
        return {};
    }

    /// Hides the topmost of the path's folders that is gone, or the file itself. After all that was added.
    Result<void> hide(const git_diff_file& file) {
        const auto names = split(file.path, '/');
        Directory at(::fcntl(root_, F_DUPFD_CLOEXEC, 0));
        std::string prefix;
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::string name(names[i]);
            prefix += (i == 0 ? "" : "/") + name;
            Owned<git_tree_entry> entry;
            const bool there = git_tree_entry_bypath(out(entry), after_, prefix.c_str()) == 0;
            // Something else has taken its place, and hides it by being there.
            if (there && (i + 1 == names.size() || git_tree_entry_type(entry.get()) != GIT_OBJECT_TREE)) return {};
            if (!there) {
                if (::mknodat(at.get(), name.c_str(), S_IFCHR, ::makedev(0, 0)) != 0 && errno != EEXIST) return cannot_write(prefix);
                return {};
            }
            CICD_TRY(auto inner, writer_.folder(at.get(), name, prefix));
            at = std::move(inner);
        }
        return {};
    }
    [[nodiscard]] const Extent& written() const { return writer_.written(); }

private:
    const git_tree* after_;
    int root_;
    EntryWriter writer_;
};

Result<Owned<git_tree>> tree_named(git_repository* mirror, const std::string& hex) {
    CICD_TRY(const auto id, parse_oid(hex));
    Owned<git_tree> tree;
    if (git_tree_lookup(out(tree), mirror, &id) < 0) return not_found("SOURCE_004", "the tree " + hex + " is no longer kept");
    return tree;
}

}  // namespace

Result<Extent> Sources::checkout(const model::Source& source, const std::filesystem::path& destination) {
    Mirror& mirror = state_->mirror(source.repository);
    CICD_TRY(const auto lease, mirror.lease(false));
    CICD_TRY(const auto tree, source_tree(lease.repository(), source));
    const Directory root(::open(destination.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) return cannot_write(destination.string());
    TreeCheckout checkout(lease.repository());
    CICD_CHECK(checkout.tree(tree.get(), root.get(), ""));
    return checkout.written();
}

Result<std::optional<Extent>> Sources::checkout_changes(const model::Source& source, const std::string& base,
                                                        const std::filesystem::path& destination, std::size_t at_most) {
    Mirror& mirror = state_->mirror(source.repository);
    CICD_TRY(const auto lease, mirror.lease(false));
    CICD_TRY(const auto after, source_tree(lease.repository(), source));
    const auto before = tree_named(lease.repository(), base);
    if (!before) return std::optional<Extent>();
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    options.ignore_submodules = GIT_SUBMODULE_IGNORE_NONE;
    Owned<git_diff> diff;
    if (git_diff_tree_to_tree(out(diff), lease.repository(), before->get(), after.get(), &options) < 0)
        return failure("cannot compare with the tree " + base);
    const std::size_t count = git_diff_num_deltas(diff.get());
    if (count > at_most) return std::optional<Extent>();
    const Directory root(::open(destination.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) return cannot_write(destination.string());
    ChangesCheckout checkout(lease.repository(), after.get(), root.get());
    for (std::size_t i = 0; i < count; ++i) {
        const git_diff_delta& delta = *git_diff_get_delta(diff.get(), i);
        if (delta.status != GIT_DELTA_DELETED) CICD_CHECK(checkout.add(delta.new_file));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const git_diff_delta& delta = *git_diff_get_delta(diff.get(), i);
        if (delta.status == GIT_DELTA_DELETED) CICD_CHECK(checkout.hide(delta.old_file));
    }
    return std::optional(checkout.written());
}

}  // namespace cicd::git
