#include "common/base/text.hpp"
#include "common/pipeline/gitlab/job.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

/// Jobs into stages. Where all jobs only follow the order of the stages, each stage needs the one before it; else every job
/// says what it needs.
namespace cicd::pipeline::gitlab {
namespace {

/// Reads NAME=value lines and nothing else: what a job hands over is no script.
constexpr const char* load_variables =
    "while IFS= read -r cicd_line || [ -n \"$cicd_line\" ]; do case $cicd_line in \\#*) ;; *=*) export \"$cicd_line\" ;; esac; done <<CICD_DOTENV\n"
    "$CICD_DOTENV_";

class Assembly {
public:
    Assembly(const Setting& setting, const Config& config, std::vector<Draft> drafts, model::Pipeline& pipeline)
        : s_(setting), r_(setting.r), config_(config), drafts_(std::move(drafts)), pipeline_(pipeline) {}

    std::vector<ChildCall> make() {
        name_stages();
        place_jobs();
        check_circles();
        const bool plain = std::all_of(drafts_.begin(), drafts_.end(), [](const Draft& draft) { return !draft.needs && draft.job.condition.empty() && !goes_by_results(draft); });
        for (std::size_t i = 0; i < drafts_.size(); ++i) give_needs(i, plain);
        const bool any_kept = std::any_of(drafts_.begin(), drafts_.end(), [](const Draft& draft) { return !draft.job.artifacts.empty(); });
        for (std::size_t i = 0; i < drafts_.size(); ++i) {
            if (drafts_[i].dependencies) check_dependencies(drafts_[i]);
            if (any_kept) choose_artifacts(i);
        }
        for (std::size_t i = 0; i < drafts_.size(); ++i) hand_over(i);
        for (auto& draft : drafts_)
            if (draft.start && draft.job.unavailable.empty()) {
                draft.job.condition = condition_of(draft);
                if (draft.job.condition == "false") r_.approximated(*draft.at, "rules of " + draft.written, "none of them can apply to any run here, so the job never runs");
            }
        auto calls = child_calls();
        for (std::size_t s = 0; s < stages_.size(); ++s) {
            model::Stage stage;
            stage.name = stage_names_[s];
            stage.needs.emplace();
            stage.mark = pipeline_.mark;
            for (std::size_t i = 0; i < drafts_.size(); ++i)
                if (place_[i] == s) stage.jobs.push_back(std::move(drafts_[i].job));
            if (stage.jobs.empty()) continue;
            if (!config_.workflow.is(true)) stage.condition = config_.workflow.text();
            if (plain && !pipeline_.stages.empty()) stage.needs->push_back({pipeline_.stages.back().name, "", stage.mark});
            pipeline_.stages.push_back(std::move(stage));
        }
        return calls;
    }

private:
    std::vector<ChildCall> child_calls() const {
        std::vector<ChildCall> calls;
        for (std::size_t i = 0; i < drafts_.size(); ++i) {
            const auto& draft = drafts_[i];
            if (draft.child_files.empty() || !draft.job.unavailable.empty()) continue;
            ChildCall call{draft.child_files, draft.depends, stage_names_[place_[i]], draft.job.name, {}, {}};
            const auto& start = draft.start;
            if (start && !draft.survives && start->failure.is(false) && start->always.is(false)) call.condition = draft.job.condition;
            for (const auto& [name, value] : draft.job.env)  // what the run tells is known in its jobs only
                if (!name.starts_with("CI_") && value.find("${{") == value.npos) call.variables.emplace_back(name, value);
            calls.push_back(std::move(call));
        }
        return calls;
    }

    static bool goes_by_results(const Draft& draft) { return draft.start && (!draft.start->always.is(false) || !draft.start->failure.is(false)); }

    /// Where a needed job may have no place in the run, the job goes on without it.
    std::string condition_of(const Draft& draft) const {
        const bool survives = draft.survives;
        auto start = *draft.start;
        start.given(config_.workflow);
        const auto& [success, failure, always] = start;
        const bool only_success = failure.is(false) && always.is(false);
        if (start.any().is(false)) return "false";
        if (!survives && only_success) return success.is(true) ? "" : success.text();
        if (always.is(true)) return "always";
        if (failure.is(true) && success.is(false) && always.is(false)) return "on_failure";
        std::vector<std::string> parts;
        const auto add = [&](const std::string& status, const Formula& when) {
            if (when.is(false)) return;
            const auto text = when.alternatives().size() > 1 ? "(" + when.text() + ")" : when.text();
            parts.push_back(status + (when.is(true) ? "" : " && " + text));
        };
        add(survives ? "!failure() && !cancelled()" : "success()", success);
        add("failure()", failure);
        add("always()", always);
        return join(parts, " || ");
    }

    /// Whether there are runs with the one job and without the other.
    static bool may_lack(const Draft& draft, const Draft& other) {
        if (!draft.start || !other.start || !other.job.unavailable.empty()) return false;
        const auto there = other.start->any();
        return !there.is(true) && !(there == draft.start->any());
    }

    void name_stages() {
        const Node* written = config_.root->find("stages");
        if (!written) written = config_.root->find("types");
        stages_ = {".pre"};
        const auto add = [&](const std::string& name) {
            if (name != ".pre" && name != ".post" && std::find(stages_.begin(), stages_.end(), name) == stages_.end()) stages_.push_back(name);
        };
        if (written && written->kind != NodeKind::null) for (const auto& name : r_.texts(*written)) add(name);
        else for (const char* name : {"build", "test", "deploy"}) add(name);
        for (const auto& draft : drafts_) {
            if (draft.stage == ".pre" || draft.stage == ".post" || std::find(stages_.begin(), stages_.end(), draft.stage) != stages_.end()) continue;
            r_.missing(*draft.at, "stage " + draft.stage, "job '" + draft.written + "' is in the stage '" + draft.stage + "', which is not among 'stages'",
                       did_you_mean(draft.stage, stages_));
            add(draft.stage);
        }
        stages_.emplace_back(".post");
        std::set<std::string> taken;
        for (const auto& stage : stages_) stage_names_.push_back(unique(stage, taken));
    }

    static std::string unique(const std::string& written, std::set<std::string>& taken) {
        const auto name = plain_name(written);
        auto own = name;
        for (int i = 2; !taken.insert(own).second; ++i) own = name + "-" + std::to_string(i);
        return own;
    }

    void place_jobs() {
        std::set<std::string> taken;
        for (std::size_t i = 0; i < drafts_.size(); ++i) {
            auto& draft = drafts_[i];
            draft.job.name = unique(draft.job.name, taken);
            if (draft.job.name != draft.written && draft.job.title.empty()) draft.job.title = escaped(draft.written);
            place_.push_back(static_cast<std::size_t>(std::find(stages_.begin(), stages_.end(), draft.stage) - stages_.begin()));
            by_name_[draft.written].push_back(i);
        }
    }

    /// "build: [amd64, fast]" names one instance of a matrix.
    const std::vector<std::size_t>* jobs_named(const WantedNeed& need) {
        if (const auto found = by_name_.find(need.job); found != by_name_.end()) return &found->second;
        for (const char* separator : {": [", " "}) {
            const auto at = need.job.rfind(separator);
            const bool instance = at != need.job.npos && (need.job.ends_with(']') || need.job.find('/', at) != need.job.npos);
            if (!instance) continue;
            const auto found = by_name_.find(need.job.substr(0, at));
            if (found == by_name_.end()) continue;
            r_.approximated(*need.at, "needs: " + need.job, "it waits for all instances of the job");
            return &found->second;
        }
        return nullptr;
    }

    std::vector<std::size_t> needed(const Draft& draft) {
        std::vector<std::size_t> all;
        for (const auto& need : *draft.needs) {
            const auto* jobs = jobs_named(need);
            if (!jobs) {
                if (need.optional) continue;
                r_.missing(*need.at, "needs: " + need.job, "job '" + draft.written + "' needs '" + need.job + "', but there is no such job", job_like(need.job));
                continue;
            }
            for (const auto other : *jobs) {
                const bool there = drafts_[other].job.unavailable.empty();
                if (there || (!need.optional && jobs->size() == 1)) all.push_back(other);
            }
        }
        return all;
    }

    void check_circles() {
        std::vector<int> states(drafts_.size());
        std::vector<std::string> path;
        for (std::size_t i = 0; i < drafts_.size(); ++i) visit(i, states, path);
    }

    void visit(std::size_t index, std::vector<int>& states, std::vector<std::string>& path) {
        enum { unseen, open, done };
        auto& draft = drafts_[index];
        if (states[index] == done) return;
        path.push_back(draft.written);
        if (states[index] == open) {
            r_.error(*draft.at, "jobs need each other in a circle: " + join(path, " → "));
        } else if (path.size() < 2000) {
            states[index] = open;
            if (draft.needs)
                for (const auto other : needed(draft)) visit(other, states, path);
            states[index] = done;
        }
        path.pop_back();
    }

    [[nodiscard]] bool has_jobs(std::size_t stage) const { return std::find(place_.begin(), place_.end(), stage) != place_.end(); }

    static bool is_optional(const Draft& draft, const Draft& other) {
        return std::any_of(draft.needs->begin(), draft.needs->end(), [&](const WantedNeed& need) { return need.optional && need.job == other.written; });
    }

    void give_needs(std::size_t index, bool plain) {
        auto& draft = drafts_[index];
        const auto mark = draft.job.mark;
        if (draft.needs) {
            for (const auto other : needed(draft)) {
                draft.job.needs.push_back({stage_names_[place_[other]], drafts_[other].job.name, mark});
                draft.survives |= is_optional(draft, drafts_[other]) && may_lack(draft, drafts_[other]);
            }
        } else if (!plain) {
            for (std::size_t s = 0; s < place_[index]; ++s)
                if (has_jobs(s)) draft.job.needs.push_back({stage_names_[s], "", mark});
        }
    }

    /// Our jobs have the artifacts of everything that they wait for; where GitLab's has fewer, they are named.
    void choose_artifacts(std::size_t index) {
        auto& draft = drafts_[index];
        if (!draft.needs && !draft.dependencies) return;
        auto inherited = before(index);
        std::erase_if(inherited, [&](std::size_t other) { return drafts_[other].job.artifacts.empty(); });
        std::set<std::size_t> wanted;
        if (draft.needs) {
            for (const auto& need : *draft.needs)
                if (const auto* jobs = need.artifacts ? jobs_named(need) : nullptr) wanted.insert(jobs->begin(), jobs->end());
        } else {
            wanted = inherited;
        }
        if (draft.dependencies)
            std::erase_if(wanted, [&](std::size_t other) { return std::find(draft.dependencies->begin(), draft.dependencies->end(), drafts_[other].written) == draft.dependencies->end(); });
        std::erase_if(wanted, [&](std::size_t other) { return !inherited.contains(other); });
        if (wanted == inherited) return;
        draft.job.artifacts_from.emplace();
        for (const auto other : wanted) draft.job.artifacts_from->push_back({stage_names_[place_[other]], drafts_[other].job.name, draft.job.mark});
    }

    void check_dependencies(const Draft& draft) {
        for (const auto& name : *draft.dependencies) {
            if (by_name_.contains(name)) continue;
            r_.missing(*draft.dependencies_at, "dependencies: " + name, "job '" + draft.written + "' wants the artifacts of '" + name + "', but there is no such job", job_like(name));
        }
    }

    [[nodiscard]] std::string job_like(const std::string& name) const {
        std::vector<std::string> known;
        for (const auto& other : drafts_) known.push_back(other.written);
        return did_you_mean(name, known);
    }

    /// Whatever a job waits for, directly or not.
    std::set<std::size_t> before(std::size_t index) {
        std::vector<char> seen(drafts_.size());
        std::vector<std::size_t> left{index};
        std::size_t whole = 0;  // all jobs of the stages before this one are seen
        const auto reach = [&](std::size_t other) {
            if (!std::exchange(seen[other], 1)) left.push_back(other);
        };
        while (!left.empty()) {
            const auto at = left.back();
            left.pop_back();
            if (drafts_[at].needs) {
                for (const auto other : needed(drafts_[at])) reach(other);
            } else if (place_[at] > whole) {
                whole = place_[at];
                for (std::size_t other = 0; other < drafts_.size(); ++other)
                    if (place_[other] < whole) reach(other);
            }
        }
        std::set<std::size_t> found;
        for (std::size_t other = 0; other < drafts_.size(); ++other)
            if (seen[other] != 0) found.insert(found.end(), other);
        return found;
    }

    /// Variables that jobs before it wrote into a file for those after them.
    void hand_over(std::size_t index) {
        auto& draft = drafts_[index];
        if (!draft.dotenv.empty()) write_variables(draft);
        if (draft.job.steps.empty()) return;
        std::vector<std::size_t> sources;
        if (draft.needs) {
            for (const auto& need : *draft.needs)
                if (const auto found = by_name_.find(need.job); found != by_name_.end() && need.artifacts) sources.insert(sources.end(), found->second.begin(), found->second.end());
        } else {
            for (std::size_t i = 0; i < drafts_.size(); ++i)
                if (place_[i] < place_[index]) sources.push_back(i);
        }
        std::string prelude;
        int number = 0;
        for (const auto source : sources) {
            const auto& other = drafts_[source];
            if (other.dotenv.empty() || !other.job.unavailable.empty()) continue;
            if (draft.dependencies && std::find(draft.dependencies->begin(), draft.dependencies->end(), other.written) == draft.dependencies->end()) continue;
            if (other.start && other.start->any().is(false)) continue;
            const auto id = std::to_string(++number);
            draft.job.env.emplace_back("CICD_DOTENV_" + id, "${{ needs['" + stage_names_[place_[source]] + "." + other.job.name + "'].outputs.dotenv }}");
            const model::Need need{stage_names_[place_[source]], other.job.name, draft.job.mark};
            if (std::none_of(draft.job.needs.begin(), draft.job.needs.end(), [&](const model::Need& known) { return known.stage == need.stage && known.job == need.job; })) {
                draft.job.needs.push_back(need);
                draft.survives |= may_lack(draft, other);
            }
            prelude += load_variables + id + "\nCICD_DOTENV\n";
        }
        if (!prelude.empty())
            for (auto& step : draft.job.steps)
                if (step.id != "dotenv") step.run = prelude + step.run;
    }

    void write_variables(Draft& draft) {
        model::Step step;
        step.id = "dotenv";
        step.name = "variables for later jobs";
        step.mark = draft.job.mark;
        const auto quoted = "\"" + draft.dotenv + "\"";
        step.run = "[ ! -f " + quoted + " ] || { echo 'values<<CICD_DOTENV_END'; cat " + quoted + "; echo; echo CICD_DOTENV_END; } >> \"$CICD_OUTPUT\"\n";
        draft.job.outputs.emplace_back("dotenv", "${{ steps.dotenv.outputs.values }}");
        draft.job.steps.push_back(std::move(step));
    }

    const Setting& s_;
    Reader& r_;
    const Config& config_;
    std::vector<Draft> drafts_;
    model::Pipeline& pipeline_;
    std::vector<std::string> stages_, stage_names_;
    std::vector<std::size_t> place_;
    std::map<std::string, std::vector<std::size_t>> by_name_;
};

}  // namespace

std::vector<ChildCall> assemble(const Setting& setting, const Config& config, std::vector<Draft> drafts, model::Pipeline& pipeline) {
    return Assembly(setting, config, std::move(drafts), pipeline).make();
}

}  // namespace cicd::pipeline::gitlab
