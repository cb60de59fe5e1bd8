#include "common/base/text.hpp"
#include "common/pipeline/gitlab/open.hpp"
#include "common/pipeline/gitlab/variables.hpp"
#include "common/pipeline/remote.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

void add_commit(Variables& v, const model::Source& source) {
    const auto title = source.message.substr(0, source.message.find('\n'));
    const auto rest = source.message.find('\n');
    v.set("CI_COMMIT_SHA", source.commit);
    v.set("CI_COMMIT_SHORT_SHA", source.commit.substr(0, 8));
    v.set("CI_COMMIT_BEFORE_SHA", source.base_commit.empty() ? std::string(40, '0') : source.base_commit);
    for (const auto& [name, text] : {std::pair{"CI_COMMIT_MESSAGE", source.message}, {"CI_COMMIT_TITLE", title},
                                     {"CI_COMMIT_DESCRIPTION", rest == std::string::npos ? "" : std::string(trim(source.message.substr(rest)))},
                                     {"CI_COMMIT_AUTHOR", source.author + (source.author_email.empty() ? "" : " <" + source.author_email + ">")},
                                     {"GITLAB_USER_NAME", source.author}, {"GITLAB_USER_EMAIL", source.author_email}})
        v.set(name, Variable{text, false, false});
}

void add_merge_request(Variables& v, const FrontFacts& facts, const RemoteNames& names, const std::string& branch) {
    const int number = std::max(facts.event.pull_request, 1);
    v.set("CI_MERGE_REQUEST_ID", std::to_string(number));
    v.set("CI_MERGE_REQUEST_IID", std::to_string(number));
    v.set("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", branch);
    v.set("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "");
    v.set("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", facts.event.base_branch.empty() ? "main" : facts.event.base_branch);
    v.set("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "");
    v.set("CI_MERGE_REQUEST_DIFF_BASE_SHA", facts.source.base_commit);
    v.set("CI_MERGE_REQUEST_EVENT_TYPE", "detached");
    v.set("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/" + std::to_string(number) + "/head");
    v.set("CI_MERGE_REQUEST_TITLE", Variable{facts.source.message.substr(0, facts.source.message.find('\n')), false, false});
    for (const char* side : {"SOURCE_", "TARGET_", ""}) {
        v.set(std::string("CI_MERGE_REQUEST_") + side + "PROJECT_PATH", names.path);
        v.set(std::string("CI_MERGE_REQUEST_") + side + "PROJECT_URL", names.server + "/" + names.path);
        v.set(std::string("CI_MERGE_REQUEST_") + side + "PROJECT_ID", "1");
    }
}

/// What the runs of a file that is read for all of them will say.
void add_expressions(Variables& v) {
    for (const auto& [name, expression] :
         {std::pair{"CI_COMMIT_SHA", "git.commit"}, {"CI_COMMIT_SHORT_SHA", "git.shortCommit"}, {"CI_COMMIT_REF_NAME", "git.refName"}, {"CI_COMMIT_REF_SLUG", "git.refName"},
          {"CI_COMMIT_MESSAGE", "git.message"}, {"CI_COMMIT_TITLE", "git.message"}, {"CI_COMMIT_AUTHOR", "git.author"}, {"CI_PROJECT_NAME", "git.name"},
          {"GITLAB_USER_LOGIN", "run.actor"}, {"GITLAB_USER_NAME", "git.author"}, {"GITLAB_USER_EMAIL", "git.authorEmail"}})
        v.set_later(name, std::string("${{ ") + expression + " }}");
    v.set("CI_PIPELINE_SOURCE", Variable{"${{ " + event_expression() + " }}", true});
    for (const auto& [name, expression] : {std::pair{"CI_COMMIT_BRANCH", "git.branch"}, {"CI_COMMIT_TAG", "git.tag"}, {"CI_MERGE_REQUEST_IID", "git.pullRequest"},
                                           {"CI_MERGE_REQUEST_ID", "git.pullRequest"}, {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "git.base"},
                                           {"CI_MERGE_REQUEST_DIFF_BASE_SHA", "git.base"}, {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "git.branch"}})
        v.set(name, Variable{std::string("${{ ") + expression + " }}", true});
}

}  // namespace

Variables predefined(const FrontFacts& facts, const std::string& event, const std::string& file) {
    Variables v;
    const auto names = remote_names(facts.source, "https://gitlab.com");
    const auto host = names.server.substr(names.server.find("://") + 3);
    const auto tag = facts.event.tag.empty() && facts.event.branch.empty() ? facts.source.tag : facts.event.tag;
    const auto branch = facts.event.branch.empty() ? facts.source.branch : facts.event.branch;
    const auto ref = tag.empty() ? branch : tag;
    const auto slash = names.path.rfind('/');
    const auto space = names.path.substr(0, slash == std::string::npos ? 0 : slash);
    for (const char* name : {"CI", "GITLAB_CI", "CI_SERVER_TLS_VERIFY"}) v.set(name, "true");
    v.set("CI_SERVER", "yes");
    v.set("CI_SERVER_NAME", "GitLab");
    v.set("CI_SERVER_HOST", host);
    v.set("CI_SERVER_FQDN", host);
    v.set("CI_SERVER_URL", names.server);
    v.set("CI_SERVER_PORT", "443");
    v.set("CI_SERVER_PROTOCOL", "https");
    v.set("CI_SERVER_VERSION", "18.0.0");
    v.set("CI_SERVER_VERSION_MAJOR", "18");
    v.set("CI_SERVER_VERSION_MINOR", "0");
    v.set("CI_SERVER_VERSION_PATCH", "0");
    v.set("CI_API_V4_URL", names.server + "/api/v4");
    v.set("CI_API_GRAPHQL_URL", names.server + "/api/graphql");
    v.set("CI_REGISTRY", "registry." + host);
    v.set("CI_REGISTRY_IMAGE", "registry." + host + "/" + to_lower(names.path));
    v.set("CI_PAGES_DOMAIN", "pages." + host);
    v.set("CI_CONFIG_PATH", file);
    v.set("CI_DEFAULT_BRANCH", branch == "master" ? "master" : "main");
    v.set("CI_PROJECT_ID", "1");
    v.set("CI_PROJECT_NAME", names.name);
    v.set("CI_PROJECT_TITLE", names.name);
    v.set("CI_PROJECT_PATH", names.path);
    v.set("CI_PROJECT_PATH_SLUG", slug(names.path));
    v.set("CI_PROJECT_NAMESPACE", space);
    v.set("CI_PROJECT_NAMESPACE_SLUG", slug(space));
    v.set("CI_PROJECT_ROOT_NAMESPACE", space.substr(0, space.find('/')));
    v.set("CI_PROJECT_URL", names.server + "/" + names.path);
    v.set("CI_PROJECT_VISIBILITY", "private");
    v.set("CI_REPOSITORY_URL", names.server + "/" + names.path + ".git");
    add_commit(v, facts.source);
    v.set("CI_COMMIT_REF_NAME", ref);
    v.set("CI_COMMIT_REF_SLUG", slug(ref));
    v.set("CI_COMMIT_REF_PROTECTED", ref == "main" || ref == "master" ? "true" : "false");
    v.set("GITLAB_USER_LOGIN", Variable{facts.event.actor, false, false});
    v.set("CI_PIPELINE_SOURCE", event);
    v.set("CI_PIPELINE_TRIGGERED", event == "trigger" ? "true" : "");
    if (event == "merge_request_event") add_merge_request(v, facts, names, branch);
    else if (!tag.empty()) v.set("CI_COMMIT_TAG", tag);
    else v.set("CI_COMMIT_BRANCH", branch);
    v.set("CI_PIPELINE_ID", Variable{"${{ run.number }}", true});
    v.set("CI_PIPELINE_IID", Variable{"${{ run.number }}", true});
    v.set("CI_PIPELINE_URL", Variable{names.server + "/" + names.path + "/-/pipelines/${{ run.number }}", true});
    v.set("CI_PROJECT_DIR", Variable{"${{ runner.workspace }}", true});
    v.set("CI_BUILDS_DIR", Variable{"${{ runner.workspace }}", true});
    v.set("CI_RUNNER_DESCRIPTION", "cicd");
    v.set("CI_RUNNER_EXECUTABLE_ARCH", Variable{"linux/${{ runner.arch == 'ARM64' && 'arm64' || 'amd64' }}", true});
    v.set("CI_CONCURRENT_ID", "0");
    v.set("CI_CONCURRENT_PROJECT_ID", "0");
    v.set("CI_NODE_TOTAL", "1");
    if (facts.every_run) add_expressions(v);
    if (event == of_parent) v.set("CI_PIPELINE_SOURCE", event);
    return v;
}

}  // namespace cicd::pipeline::gitlab
