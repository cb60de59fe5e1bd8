#include "common/pipeline/github/write_parts.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

namespace cicd::pipeline::github {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 19> counterparts{{
    {"git.commit", "github.sha"},
    {"git.sha", "github.sha"},
    {"git.ref", "github.ref"},
    {"git.refName", "github.ref_name"},
    {"git.branch", "(github.head_ref || github.ref_type == 'branch' && github.ref_name || '')"},
    {"git.tag", "(github.ref_type == 'tag' && github.ref_name || '')"},
    {"git.base", "github.base_ref"},
    {"git.message", "github.event.head_commit.message"},
    {"git.author", "github.event.head_commit.author.name"},
    {"git.authorEmail", "github.event.head_commit.author.email"},
    {"git.name", "github.event.repository.name"},
    {"git.repository", "github.repository"},
    {"git.pullRequest", "github.event.pull_request.number"},
    {"run.id", "github.run_id"},
    {"run.number", "github.run_number"},
    {"run.attempt", "github.run_attempt"},
    {"run.actor", "github.actor"},
    {"run.triggeredBy", "github.triggering_actor"},
    {"run.pipeline", "github.workflow"},
}};

/// Files of a step, by our name and by theirs.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> step_files{{
    {"CICD_OUTPUT", "GITHUB_OUTPUT"}, {"CICD_ENV", "GITHUB_ENV"}, {"CICD_PATH", "GITHUB_PATH"}, {"CICD_SUMMARY", "GITHUB_STEP_SUMMARY"}}};

bool is_part(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Letters, digits, - and _, and no digit or - first.
std::string as_id(const std::string& name) {
    std::string id;
    for (const char c : name) id += is_part(c) || c == '-' ? c : '_';
    if (id.empty() || std::isdigit(static_cast<unsigned char>(id[0])) != 0 || id[0] == '-') id.insert(0, "_");
    return id;
}

}  // namespace

Names::Names(const model::Pipeline& pipeline, Report& report, std::string file) : pipeline_(pipeline), report_(report), file_(std::move(file)) {
    std::map<std::string, int> count;
    for (const auto& stage : pipeline.stages)
        for (const auto& job : stage.jobs) ++count[job.name];
    std::set<std::string> taken;
    for (const auto& stage : pipeline.stages)
        for (const auto& job : stage.jobs) {
            auto id = as_id(stage.jobs.size() == 1 ? stage.name : count[job.name] == 1 ? job.name : stage.name + "-" + job.name);
            while (!taken.insert(id).second) id += "_";
            ids_[stage.name + "." + job.name] = id;
        }
}

const std::string& Names::id(const model::Stage& stage, const model::Job& job) const { return ids_.at(stage.name + "." + job.name); }

const model::Stage* Names::stage(const std::string& name) const {
    for (const auto& stage : pipeline_.stages)
        if (stage.name == name) return &stage;
    return nullptr;
}

model::Strings Names::ids(const model::Need& need) const {
    model::Strings found;
    if (const auto* whole = stage(need.stage))
        for (const auto& job : whole->jobs)
            if (need.job.empty() || need.job == job.name) found.push_back(id(*whole, job));
    return found;
}

std::vector<model::Need> Names::needs(const model::Stage& stage) const {
    if (stage.needs) return *stage.needs;
    const auto at = static_cast<std::size_t>(&stage - pipeline_.stages.data());
    return at == 0 ? std::vector<model::Need>{} : std::vector<model::Need>{{pipeline_.stages[at - 1].name, "", {}}};
}

void Names::tell(Carried kind, const model::Mark& mark, std::string what, std::string reason) {
    Finding finding{kind, mark.file.empty() ? file_ : mark.file, mark.line, mark.column, std::move(what), std::move(reason)};
    if (std::find(report_.findings.begin(), report_.findings.end(), finding) == report_.findings.end()) report_.findings.push_back(std::move(finding));
}

/// needs.STAGE, needs.JOB or needs['stage.job']: a stage's is that of the job that says it, or of its only one.
std::optional<std::string> Names::replace_need(const std::vector<std::string>& path, const model::Mark& mark) {
    if (path.size() < 2) return std::nullopt;
    const std::string rest = path.size() > 2 ? path[2] : "", output = path.size() > 3 ? path[3] : "";
    const auto tail = [&](const std::string& id) {
        std::string text = "needs." + id;
        for (std::size_t i = 2; i < path.size(); ++i) text += "." + path[i];
        return text;
    };
    if (const auto known = ids_.find(path[1]); known != ids_.end()) return tail(known->second);
    if (const auto* whole = stage(path[1])) {
        if (whole->jobs.size() == 1) return tail(id(*whole, whole->jobs[0]));
        for (const auto& job : whole->jobs)
            for (const auto& [name, value] : job.outputs)
                if (rest == "outputs" && name == output) return tail(id(*whole, job));
        tell(Carried::unsupported, mark, "needs." + path[1], "a stage with several jobs has no result of its own there: name one of its jobs");
        return "fromJSON('null')";
    }
    for (const auto& each : pipeline_.stages)
        for (const auto& job : each.jobs)
            if (job.name == path[1]) return tail(id(each, job));
    return std::nullopt;
}

/// Only runs that are started by hand have inputs there, with their defaults.
std::string Names::parameter(const std::vector<std::string>& path, const std::string& theirs) const {
    if (path.size() != 2) return theirs;
    for (const auto& parameter : pipeline_.parameters) {
        if (parameter.name != path[1] || !parameter.default_value) continue;
        const auto& value = *parameter.default_value;
        if (value.is_bool() && value.as_bool()) return "(github.event_name != 'workflow_dispatch' || " + theirs + ")";
        if (!value.is_array() && !value.is_object()) return "(" + theirs + " || " + as_expression(value) + ")";
    }
    return theirs;
}

std::optional<std::string> Names::replace(const std::vector<std::string>& path, const model::Mark& mark) {
    if (path.empty()) return std::nullopt;
    const auto& first = path[0];
    if (first == "needs") return replace_need(path, mark);
    std::string whole = first;
    for (std::size_t i = 1; i < path.size(); ++i) whole += "." + path[i];
    if (first == "params" || first == "inputs") return parameter(path, "inputs" + whole.substr(first.size()));
    if (first == "environment") {
        tell(Carried::unsupported, mark, whole, "a workflow cannot ask for its environment's name");
        return "''";
    }
    if (whole == "run.event") {
        tell(Carried::approximated, mark, whole, "what we call manual is workflow_dispatch there");
        return "github.event_name";
    }
    for (const auto& [ours, theirs] : counterparts)
        if (whole == ours) return std::string(theirs);
    if (first != "git" && first != "run") return std::nullopt;
    tell(Carried::unsupported, mark, whole, "GitHub does not tell it");
    return "''";
}

std::string Names::text(const std::string& text, const model::Mark& mark) {
    return rewrite_text(text, [&](const auto& path) { return replace(path, mark); });
}

std::string Names::expression(const std::string& text, const model::Mark& mark) {
    return rewrite_expression(text, [&](const auto& path) { return replace(path, mark); });
}

std::string Names::script(const std::string& text, const model::Mark& mark) {
    std::string result = this->text(text, mark);
    for (const auto& [ours, theirs] : step_files)
        for (auto at = result.find(ours); at != result.npos; at = result.find(ours, at + 1)) {
            const bool alone = (at == 0 || !is_part(result[at - 1])) && (at + ours.size() == result.size() || !is_part(result[at + ours.size()]));
            if (alone) result.replace(at, ours.size(), theirs);
        }
    for (auto at = result.find("CICD_"); at != result.npos; at = result.find("CICD_", at + 1)) {
        if (at > 0 && is_part(result[at - 1])) continue;
        auto end = at;
        while (end < result.size() && is_part(result[end])) ++end;
        tell(Carried::manual, mark, "$" + result.substr(at, end - at), "only jobs of ours have this variable: put it in env");
    }
    return result;
}

}  // namespace cicd::pipeline::github
