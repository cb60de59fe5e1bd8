#include "daemon/git/tree_writer.hpp"

namespace cicd::git {

namespace {

void append(std::string& data, std::string_view mode, std::string_view name, const git_oid& id) {
    data += mode;
    data += ' ';
    data += name;
    data += '\0';
    data.append(reinterpret_cast<const char*>(id.id), GIT_OID_RAWSZ);
}

std::string_view mode_text(git_filemode_t mode) {
    switch (mode) {
        case GIT_FILEMODE_BLOB_EXECUTABLE: return "100755";
        case GIT_FILEMODE_LINK: return "120000";
        case GIT_FILEMODE_COMMIT: return "160000";
        case GIT_FILEMODE_TREE: return "40000";
        case GIT_FILEMODE_UNREADABLE:
        case GIT_FILEMODE_BLOB: break;
    }
    return "100644";
}

}  // namespace

TreeWriter::TreeWriter(std::span<const TreeFile> files) : files_(files), root_(build(0, files.size(), 0)) {}

TreeWriter::Node* TreeWriter::build(std::size_t first, std::size_t last, std::size_t prefix) {
    Node& node = nodes_.emplace_back();
    for (std::size_t i = first; i < last;) {
        const std::string_view rest = std::string_view(files_[i].path).substr(prefix);
        const auto slash = rest.find('/');
        if (slash == std::string_view::npos) {
            append(node.data, mode_text(files_[i].mode), rest, files_[i].id);
            if (files_[i].mode != GIT_FILEMODE_COMMIT) node.files.push_back(&files_[i]);
            ++i;
            continue;
        }
        const std::string_view folder = rest.substr(0, slash);
        if (slash + 1 == rest.size()) {
            append(node.data, "40000", folder, files_[i].id);
            ++i;
            continue;
        }
        const std::string_view whole = std::string_view(files_[i].path).substr(0, prefix + slash + 1);
        std::size_t end = i;
        while (end < last && std::string_view(files_[end].path).starts_with(whole)) ++end;
        Node* child = build(i, end, whole.size());
        append(node.data, "40000", folder, child->id);
        node.trees.push_back(child);
        i = end;
    }
    git_odb_hash(&node.id, node.data.data(), node.data.size(), GIT_OBJECT_TREE);
    return &node;
}

Result<void> TreeWriter::write(Mirror& mirror, Importer& importer, git_odb* ours) {
    // The mirror may have been removed while the daemon ran: then nothing that was known still holds.
    if (mirror.is_complete(id()) && git_odb_exists(ours, &id()) == 0) mirror.forget_complete();
    return write(*root_, mirror, importer, ours);
}

Result<void> TreeWriter::write(const Node& node, Mirror& mirror, Importer& importer, git_odb* ours) {
    if (mirror.is_complete(node.id)) return {};
    for (const Node* tree : node.trees) CICD_CHECK(write(*tree, mirror, importer, ours));
    for (const TreeFile* file : node.files) {
        CICD_TRY(const bool found, importer.object(file->id));
        if (!found)
            return unavailable("SOURCE_005", "the content of " + file->path + " is missing in the repository",
                               "try `git fsck` there; a partial clone needs `git checkout` first");
    }
    if (!importer.have(node.id)) {
        git_oid written;
        if (git_odb_write(&written, ours, node.data.data(), node.data.size(), GIT_OBJECT_TREE) < 0)
            return failure("cannot keep a tree");
    }
    mirror.mark_complete(node.id);
    return {};
}

}  // namespace cicd::git
