#include "common/base/text.hpp"
#include "common/pipeline/gitlab/gitlab.hpp"
#include "common/pipeline/gitlab/job.hpp"
#include "common/pipeline/gitlab/open.hpp"

#include <algorithm>
#include <map>
#include <set>

/// A child pipeline becomes stages of the one that starts it: there is one run, and everything of it is seen together.
namespace cicd::pipeline::gitlab {
namespace {

void add_problem(const std::string& file, std::string message, std::string suggestion, Front& front) {
    Diagnostic problem;
    problem.severity = Severity::error;
    problem.file = file;
    problem.line = front.parsed.value.mark.line;
    problem.column = front.parsed.value.mark.column;
    problem.message = std::move(message);
    problem.suggestion = std::move(suggestion);
    front.parsed.problems.push_back(std::move(problem));
}

/// Several files are one that includes them.
Result<std::string> text_of(const model::Strings& files, const FrontOptions& options) {
    if (files.size() == 1 && options.read_file) return options.read_file(files.front());
    std::string text = "include:\n";
    for (const auto& file : files) {
        std::string quoted;
        for (const char c : file) quoted += c == '\'' ? "''" : std::string(1, c);
        text += "  - local: '" + quoted + "'\n";
    }
    return text;
}

class Adoption {
public:
    Adoption(const ChildCall& call, model::Pipeline& parent) : call_(call), parent_(parent) {}

    void take(model::Pipeline child) {
        name_stages(child);
        keep_artifacts_apart(child);
        for (auto& stage : child.stages) {
            stage.name = names_.at(stage.name);
            if (!stage.needs || stage.needs->empty()) stage.needs = std::vector<model::Need>{{call_.stage, call_.job, stage.mark}};
            else rename(*stage.needs);
            // A stage that its own condition leaves out does not hold up others, as one does whose needs are left out.
            if (!call_.condition.empty()) stage.condition = stage.condition.empty() ? call_.condition : "(" + call_.condition + ") && (" + stage.condition + ")";
            for (auto& job : stage.jobs) adopt(job, child.env);
        }
        if (call_.depends) let_others_wait();
        const auto at = std::find_if(parent_.stages.begin(), parent_.stages.end(), [&](const model::Stage& stage) { return stage.name == call_.stage; });
        parent_.stages.insert(at == parent_.stages.end() ? at : at + 1, std::make_move_iterator(child.stages.begin()), std::make_move_iterator(child.stages.end()));
    }

private:
    void name_stages(const model::Pipeline& child) {
        std::set<std::string> taken;
        for (const auto& stage : parent_.stages) taken.insert(stage.name);
        for (const auto& stage : child.stages) {
            const auto name = call_.job + " " + stage.name;
            auto own = name;
            for (int i = 2; !taken.insert(own).second; ++i) own = name + "-" + std::to_string(i);
            names_.emplace(stage.name, own);
        }
    }

    /// What the parent's jobs made is not there in the child's.
    void keep_artifacts_apart(model::Pipeline& child) const {
        const auto keeps = [](const model::Pipeline& pipeline) {
            return std::any_of(pipeline.stages.begin(), pipeline.stages.end(), [](const model::Stage& stage) {
                return std::any_of(stage.jobs.begin(), stage.jobs.end(), [](const model::Job& job) { return !job.artifacts.empty(); });
            });
        };
        if (!keeps(parent_)) return;
        for (auto& stage : child.stages)
            for (auto& job : stage.jobs)
                if (!job.artifacts_from) job.artifacts_from = sources_in(child, stage, job);
    }

    static std::vector<model::Need> sources_in(const model::Pipeline& child, const model::Stage& stage, const model::Job& job) {
        std::vector<model::Need> sources;
        std::vector<const model::Stage*> stages{&stage};
        std::vector<const model::Job*> jobs{&job};
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            auto needs = jobs[i]->needs;
            if (stages[i]->needs) needs.insert(needs.end(), stages[i]->needs->begin(), stages[i]->needs->end());
            for (const auto& need : needs)
                for (const auto& other : child.stages)
                    for (const auto& each : other.jobs) {
                        if (other.name != need.stage || (!need.job.empty() && need.job != each.name)) continue;
                        if (std::find(jobs.begin(), jobs.end(), &each) != jobs.end()) continue;
                        stages.push_back(&other);
                        jobs.push_back(&each);
                        if (!each.artifacts.empty()) sources.push_back({other.name, each.name, job.mark});
                    }
        }
        return sources;
    }

    void rename(std::vector<model::Need>& needs) const {
        for (auto& need : needs)
            if (const auto found = names_.find(need.stage); found != names_.end()) need.stage = found->second;
    }

    /// Its variables are those of another pipeline; what it reads of other jobs has new names.
    void adopt(model::Job& job, const model::Texts& env) const {
        rename(job.needs);
        if (job.artifacts_from) rename(*job.artifacts_from);
        for (auto& [name, value] : job.env)
            for (const auto& [old, now] : names_)
                for (std::size_t at = 0; (at = value.find("needs['" + old + ".", at)) != value.npos; at += now.size()) value.replace(at + 7, old.size(), now);
        job.env.insert(job.env.begin(), env.begin(), env.end());
        if (!call_.depends) job.allow_failure.value = true;
    }

    void let_others_wait() {
        for (auto& stage : parent_.stages) {
            if (stage.needs && asks_for(*stage.needs)) add(*stage.needs);
            for (auto& job : stage.jobs)
                if (asks_for(job.needs)) add(job.needs);
        }
    }

    [[nodiscard]] bool asks_for(const std::vector<model::Need>& needs) const {
        return std::any_of(needs.begin(), needs.end(), [&](const model::Need& need) { return need.stage == call_.stage && (need.job.empty() || need.job == call_.job); });
    }

    void add(std::vector<model::Need>& needs) const {
        const auto mark = needs.front().mark;
        for (const auto& [old, now] : names_) needs.push_back({now, "", mark});
    }

    const ChildCall& call_;
    model::Pipeline& parent_;
    std::map<std::string, std::string> names_;
};

}  // namespace

model::Strings child_files(const Node& include, const Variables& variables) {
    model::Strings files;
    const auto add = [&](const Node& item) {
        const Node* path = item.kind == NodeKind::map && item.members.size() == 1 ? item.find("local") : item.is_scalar() ? &item : nullptr;
        const auto text = path && path->is_scalar() ? variables.expand_known(scalar_text(*path)) : "";
        const auto plain = text.substr(std::min(text.size(), text.find_first_not_of('/')));
        if (plain.empty() || plain.find("://") != plain.npos || plain.find('*') != plain.npos || ("/" + plain + "/").find("/../") != plain.npos) return false;
        files.push_back(plain);
        return true;
    };
    if (include.kind != NodeKind::list) return add(include) ? files : model::Strings{};
    for (const Node* item : include.items)
        if (!add(*item)) return {};
    return files;
}

void add_child(const FrontOptions& options, const std::string& file, const ChildCall& call, int depth, Front& front) {
    if (depth > deepest_child) return add_problem(file, "child pipelines start each other more than " + std::to_string(deepest_child) + " deep, at job '" + call.job + "'", "", front);
    const auto text = text_of(call.files, options);
    if (!text && options.facts.every_run) {
        const auto& mark = front.parsed.value.mark;
        front.report.findings.push_back({Carried::manual, file, mark.line, mark.column, "child pipeline of " + call.job, text.error().message});
        return;
    }
    if (!text) return add_problem(file, "job '" + call.job + "' starts a child pipeline: " + text.error().message, text.error().hint, front);
    auto asked = options;
    asked.event = of_parent;
    asked.facts.jobs.clear();
    for (const auto& [name, value] : call.variables) {
        std::erase_if(asked.facts.variables, [&, &known = name](const auto& pair) { return pair.first == known; });
        asked.facts.variables.emplace_back(name, value);
    }
    auto child = read(*text, call.files.size() == 1 ? call.files.front() : file, asked, depth);
    front.parsed.problems.insert(front.parsed.problems.end(), child.parsed.problems.begin(), child.parsed.problems.end());
    front.report.constructs += child.report.constructs;
    front.report.findings.insert(front.report.findings.end(), child.report.findings.begin(), child.report.findings.end());
    auto& known = front.parsed.value.parameters;
    for (const auto& parameter : child.parsed.value.parameters)
        if (std::none_of(known.begin(), known.end(), [&](const auto& each) { return each.name == parameter.name; })) known.push_back(parameter);
    Adoption(call, front.parsed.value).take(std::move(child.parsed.value));
}

}  // namespace cicd::pipeline::gitlab
