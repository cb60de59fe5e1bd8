#include "daemon/zones/repositories.hpp"

#include "common/base/text.hpp"
#include "common/job/file.hpp"
#include "daemon/images/program.hpp"

#include <sys/wait.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace cicd::zones {
namespace {

namespace fs = std::filesystem;

constexpr auto longest = std::chrono::minutes(10);

/// As a git that knows nothing of this machine's settings. It reads whose ever repository the run was given.
class Git {
public:
    explicit Git(const fs::path& work) : settings_(work / "settings"), folder_(work / "files") {}

    Result<void> write_settings() const {
        return job::write_atomically(settings_, "[safe]\n\tdirectory = *\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n");
    }
    Result<void> run(std::vector<std::string> arguments) const {
        std::vector<std::string> command{"env", "-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
                                         "GIT_CONFIG_GLOBAL=" + settings_.string(), "git", "-C", folder_.string()};
        command.insert(command.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
        CICD_TRY(const auto ended, images::run_program(command, {.limit = longest}));
        if (ended.status == 0) return {};
        const auto lines = split(trim(ended.err), '\n');
        return unavailable("SOURCE_004", "the workspace's repository cannot be made: " + to_valid_utf8(lines.empty() ? "" : lines.back()));
    }

private:
    fs::path settings_, folder_;
};

bool is_plain_name(const std::string& name) {
    return !name.empty() && name[0] != '-' && name.find_first_of(" ~^:?*[\\\n") == name.npos && name.find("..") == name.npos && name.back() != '/' && name[0] != '/';
}

/// What is there besides HEAD: the branch or the tag that the run is for, and where it was cloned from.
Result<void> fill(const Git& git, const fs::path& holder, const model::Source& source, int depth, const std::string& files) {
    CICD_CHECK(git.write_settings());
    const bool on_branch = is_plain_name(source.branch) && source.tag.empty();
    CICD_CHECK(git.run({"init", "-q", "--template=", "--initial-branch=" + (on_branch ? source.branch : "main")}));
    std::vector<std::string> fetch{"fetch", "-q", "--no-auto-maintenance"};
    if (depth > 0) fetch.insert(fetch.end(), {"--depth=" + std::to_string(depth), "--no-tags"});
    fetch.push_back("file://" + holder.string());
    fetch.push_back(source.commit);
    if (depth == 0) fetch.insert(fetch.end(), {"+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"});
    CICD_CHECK(git.run(std::move(fetch)));
    if (on_branch) {
        CICD_CHECK(git.run({"update-ref", "refs/heads/" + source.branch, source.commit}));
        CICD_CHECK(git.run({"update-ref", "refs/remotes/origin/" + source.branch, source.commit}));
    } else {
        CICD_CHECK(git.run({"update-ref", "--no-deref", "HEAD", source.commit}));
    }
    if (is_plain_name(source.tag)) CICD_CHECK(git.run({"update-ref", "refs/tags/" + source.tag, source.commit}));
    CICD_CHECK(git.run({"config", "remote.origin.url", source.remote.empty() ? source.repository : source.remote}));
    CICD_CHECK(git.run({"config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"}));
    // The same files have other inodes and owners in every workspace.
    CICD_CHECK(git.run({"config", "core.checkStat", "minimal"}));
    CICD_CHECK(git.run({"config", "core.trustctime", "false"}));
    CICD_CHECK(git.run({"read-tree", "HEAD"}));
    // It fails where files differ from the commit, which is no failure of ours.
    if (!files.empty()) (void)git.run({"--work-tree=" + files, "update-index", "-q", "--refresh"});
    return {};
}

std::string key_of(const model::Source& source, int depth) {
    return "git-" + git::name_of(join(std::vector{source.repository, source.commit, source.branch, source.tag, source.remote, std::to_string(depth)}, "\n"));
}

}  // namespace

bool has_repository(const Trees& trees, const model::Source& source, int depth) { return trees.has(key_of(source, depth)); }

Result<std::shared_ptr<const Trees::Use>> use_repository(Trees& trees, git::Sources& sources, const model::Source& source, int depth,
                                                         const std::string& files) {
    if (source.commit.empty()) return not_found("SOURCE_004", "the repository has no commit yet");
    if (images::find_program("git").empty()) return not_found("SOURCE_004", "there is no git on this machine");
    return trees.use(key_of(source, depth), [&](const fs::path& folder) -> Result<git::Extent> {
        CICD_TRY(const auto holder, sources.holder_of(source));
        const Git git(folder.parent_path());
        CICD_CHECK(fill(git, holder, source, depth, files));
        git::Extent made;
        std::error_code ignored;
        for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
            ++made.files;
            if (entry.is_regular_file(ignored)) made.bytes += entry.file_size(ignored);
        }
        return made;
    });
}

}  // namespace cicd::zones
