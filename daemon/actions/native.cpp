#include "common/base/text.hpp"
#include "daemon/actions/actions.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

/// Actions that need GitHub's servers, or that everybody uses, done here with what the machine has. What they do in the
/// job's place is a script of ours, run there as any step is.
namespace cicd::actions {
namespace {

/// The folder that a second checkout asks for gets the source's files, as they are now.
constexpr const char* copy_checkout = R"sh(
set -e
case "$CICD_CHECKOUT_PATH" in /*|..|../*|*/..|*/../*) echo "path '$CICD_CHECKOUT_PATH' leads out of the workspace" >&2; exit 1;; esac
mkdir -p -- "$CICD_CHECKOUT_PATH"
first=${CICD_CHECKOUT_PATH#./}; first=${first%%/*}
for entry in * .[!.]* ..?*; do
  [ -e "$entry" ] || [ -L "$entry" ] || continue
  [ "$entry" = "$first" ] || cp -a -- "$entry" "$CICD_CHECKOUT_PATH/"
done
echo "the source is in $CICD_CHECKOUT_PATH"
)sh";

struct Tool {
    std::string_view action, input, program, name, script;
};

constexpr std::array tools{
    Tool{"actions/setup-node", "node-version", "node", "Node.js", R"sh(
found=$(node --version); echo "node-version=$found" >> "$GITHUB_OUTPUT"; echo "cache-hit=false" >> "$GITHUB_OUTPUT"
)sh"},
    Tool{"actions/setup-python", "python-version", "python3", "Python", R"sh(
found=$(python3 -c 'import platform; print(platform.python_version())')
if ! command -v python >/dev/null; then
  mkdir -p "$RUNNER_TOOL_CACHE/python/bin"; ln -sf "$(command -v python3)" "$RUNNER_TOOL_CACHE/python/bin/python"
  echo "$RUNNER_TOOL_CACHE/python/bin" >> "$GITHUB_PATH"
fi
{ echo "python-version=$found"; echo "python-path=$(command -v python3)"; echo "cache-hit=false"; } >> "$GITHUB_OUTPUT"
echo "pythonLocation=$(python3 -c 'import sys; print(sys.prefix)')" >> "$GITHUB_ENV"
)sh"},
    Tool{"actions/setup-go", "go-version", "go", "Go", R"sh(
found=$(go env GOVERSION); found=${found#go}
echo "go-version=$found" >> "$GITHUB_OUTPUT"; echo "cache-hit=false" >> "$GITHUB_OUTPUT"
)sh"},
    Tool{"actions/setup-java", "java-version", "java", "Java", R"sh(
found=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.version = //p')
home=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.home = //p')
echo "JAVA_HOME=$home" >> "$GITHUB_ENV"
{ echo "version=$found"; echo "path=$home"; echo "distribution=$CICD_DISTRIBUTION"; echo "cache-hit=false"; } >> "$GITHUB_OUTPUT"
)sh"},
};

constexpr std::string_view tool_begin = R"sh(
set -e
if ! command -v "$CICD_TOOL" >/dev/null; then
  echo "::error::$CICD_TOOL_NAME is not installed on this machine, and nothing is downloaded: install it, or use an image that has it"
  exit 1
fi
)sh";
/// A version fits where it begins with the one asked for; ranges are told, not solved.
constexpr std::string_view tool_end = R"sh(
plain=${found#v}; asked=${CICD_VERSION_ASKED#v}; asked=${asked%.x}
case "$asked" in
  ''|'*'|lts*|latest|current|node|stable|oldstable) echo "$CICD_TOOL_NAME $found is used: what this machine has";;
  *) case "$plain." in
       "$asked".*) echo "$CICD_TOOL_NAME $found is used";;
       *) echo "::notice::$CICD_TOOL_NAME $CICD_VERSION_ASKED was asked for; $found is used: what this machine has";;
     esac;;
esac
)sh";

}  // namespace

StepEnd Actions::script(int step, const std::string& text, const model::Texts& env, const std::string& shell) {
    const Context before = context_;
    context_.set_env(env);
    model::Step inner;
    inner.run = text;
    inner.shell = shell;
    inner.working_directory = ".";
    return job_.perform(step, inner, before);
}

StepEnd Actions::native(int step, const std::string& name, const model::Step& what) {
    const auto given = given_inputs(what);
    if (!given) return job_.failure(step, given.error());
    for (const auto& tool : tools) {
        if (tool.action != name) continue;
        const auto cache = input(*given, "cache");
        if (!cache.empty() && cache != "false")
            job_.note(step, "'cache: " + cache + "' is not available yet: use actions/cache with the folder itself");
        return script(step, std::string(tool_begin) + std::string(tool.script) + std::string(tool_end),
                      {{"CICD_TOOL", std::string(tool.program)}, {"CICD_TOOL_NAME", std::string(tool.name)},
                       {"CICD_VERSION_ASKED", input(*given, tool.input)}, {"CICD_DISTRIBUTION", input(*given, "distribution")}});
    }
    if (name == "actions/checkout") return checkout(step, *given);
    if (name == "actions/github-script") return github_script(step, *given);
    if (name == "actions/upload-artifact") return upload(step, *given);
    if (name == "actions/download-artifact") return download(step, *given);
    if (name.starts_with("actions/cache")) return cache(step, name, *given);
    return skip(step, "skipped: " + name + " is not available yet");
}

StepEnd Actions::checkout(int step, const Inputs& inputs) {
    const auto about = [&](std::string_view member) {
        const auto& value = context_.spec_value("github", member);
        return value.is_string() ? value.as_string() : std::string();
    };
    const auto repository = input(inputs, "repository"), ref = input(inputs, "ref"), path = input(inputs, "path");
    if (!repository.empty() && to_lower(repository) != to_lower(about("repository")))
        return skip(step, "skipped: " + repository + " is another repository, which is not fetched here");
    const auto sha = about("sha");
    const bool ours = ref.empty() || ref == sha || ref == about("ref") || ref == about("ref_name") || ref == about("head_ref");
    if (!ours) job_.note(step, "the run works on " + (about("ref").empty() ? sha : about("ref")) + "; '" + ref + "' is not checked out in its place");
    StepEnd end;
    if (!path.empty() && path != "." && path != "./") end = script(step, copy_checkout, {{"CICD_CHECKOUT_PATH", path}});
    else job_.note(step, "the workspace is the checkout of " + about("repository") + " already");
    if (const auto workspace = job_.open_workspace(); workspace && ::faccessat(workspace->get(), ".git", F_OK, 0) != 0)
        job_.note(step, "it is no git repository: this machine has no git, or its repository has no such commit (any more)");
    end.outputs = {{"ref", about("ref")}, {"commit", sha}};
    return end;
}

}  // namespace cicd::actions
