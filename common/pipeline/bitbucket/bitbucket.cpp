#include "common/pipeline/bitbucket/bitbucket.hpp"

#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/bitbucket/sections.hpp"
#include "common/pipeline/bitbucket/step.hpp"
#include "common/pipeline/gitlab/job.hpp"
#include "common/pipeline/remote.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace cicd::pipeline::bitbucket {
namespace {

constexpr std::string_view custom = "custom:";

void count_members(Reader& r, const Node& at, int depth = 0) {
    if (depth > limits::depth) return;
    r.count(static_cast<int>(at.members.size()));
    for (const auto& member : at.members) count_members(r, *member.value, depth + 1);
    for (const Node* item : at.items) count_members(r, *item, depth + 1);
}

Variables predefined(const FrontFacts& facts, const std::string& event) {
    Variables v;
    const auto names = remote_names(facts.source, "https://bitbucket.org");
    const auto tag = facts.event.tag.empty() && facts.event.branch.empty() ? facts.source.tag : facts.event.tag;
    const auto branch = facts.event.branch.empty() ? facts.source.branch : facts.event.branch;
    const auto owner = names.path.substr(0, names.path.find('/'));
    v.set("CI", "true");
    v.set("BITBUCKET_COMMIT", facts.source.commit);
    if (tag.empty()) v.set("BITBUCKET_BRANCH", gitlab::Variable{branch, false, false});
    else v.set("BITBUCKET_TAG", gitlab::Variable{tag, false, false});
    v.set("BITBUCKET_REPO_SLUG", names.name);
    v.set("BITBUCKET_REPO_FULL_NAME", names.path);
    v.set("BITBUCKET_WORKSPACE", owner);
    v.set("BITBUCKET_REPO_OWNER", owner);
    v.set("BITBUCKET_GIT_HTTP_ORIGIN", names.server + "/" + names.path);
    v.set("BITBUCKET_PROJECT_KEY", "LOCAL");
    v.set("BITBUCKET_BUILD_NUMBER", gitlab::Variable{"${{ run.number }}", true});
    v.set("BITBUCKET_PIPELINE_UUID", gitlab::Variable{"{${{ run.id }}}", true});
    v.set("BITBUCKET_CLONE_DIR", gitlab::Variable{"${{ runner.workspace }}", true});
    if (event == "pull_request") {
        v.set("BITBUCKET_PR_ID", std::to_string(std::max(facts.event.pull_request, 1)));
        v.set("BITBUCKET_PR_DESTINATION_BRANCH", facts.event.base_branch.empty() ? "main" : facts.event.base_branch);
    }
    if (facts.every_run)
        for (const auto& [name, expression] : {std::pair{"BITBUCKET_COMMIT", "git.commit"}, {"BITBUCKET_BRANCH", "git.branch"}, {"BITBUCKET_TAG", "git.tag"},
                                               {"BITBUCKET_REPO_SLUG", "git.name"}, {"BITBUCKET_PR_DESTINATION_BRANCH", "git.base"}})
            v.set_later(name, std::string("${{ ") + expression + " }}");
    for (const auto& [name, value] : facts.variables) v.set(name, gitlab::Variable{value, false, false});
    return v;
}

class PipelineReader {
public:
    PipelineReader(Reader& reader, const Config& config, model::Pipeline& pipeline) : r_(reader), config_(config), pipeline_(pipeline) {}

    void read(const Node& items) {
        if (items.kind != NodeKind::list) return r_.error(items, "a pipeline must be a list of steps, not " + items.describe());
        for (const Node* item : items.items) {
            if (item->kind != NodeKind::map || item->members.size() != 1) {
                r_.error(*item, "must be a step, a stage or parallel steps");
                continue;
            }
            const auto& [key, value] = item->members.front();
            if (key->text == "step") add_stage("", {value}, true, nullptr, *value);
            else if (key->text == "parallel") {
                add_stage("parallel", steps_of(*value), true, nullptr, *value);
                const Node* fails_fast = value->kind == NodeKind::map ? value->find("fail-fast") : nullptr;
                if (fails_fast && !pipeline_.stages.empty()) pipeline_.stages.back().fail_fast = fails_fast->kind == NodeKind::boolean && fails_fast->boolean;
            }
            else if (key->text == "stage") add_stage(value->find("name") ? r_.text(*value->find("name")) : "stage", steps_of(*value), false, value, *value);
            else if (key->text == "variables") read_variables(*value);
            else if (key->text == "import") r_.manual(*key, "import", "pipelines of other repositories are not fetched");
            else r_.error(*key, "unknown entry '" + key->text + "' in a pipeline", "step, parallel, stage or variables");
        }
        if (pipeline_.stages.empty()) r_.error(items, "the pipeline has no steps");
    }

private:
    std::vector<const Node*> steps_of(const Node& at) {
        const Node* list = at.kind == NodeKind::map ? at.find("steps") : &at;
        std::vector<const Node*> steps;
        if (!list) return steps;
        for (const Node* item : r_.flat(*list)) {
            const Node* step = item->kind == NodeKind::map ? item->find("step") : nullptr;
            if (step) steps.push_back(step);
            else if (const Node* inner = item->kind == NodeKind::map ? item->find("parallel") : nullptr) for (const Node* each : steps_of(*inner)) steps.push_back(each);
            else r_.error(*item, "must be a step");
        }
        return steps;
    }

    void add_stage(const std::string& name, const std::vector<const Node*>& steps, bool beside, const Node* about, const Node& at) {
        model::Stage stage;
        stage.mark = r_.mark(at);
        stage.needs.emplace();
        if (!pipeline_.stages.empty()) stage.needs->push_back({pipeline_.stages.back().name, "", stage.mark});
        std::string refusal;
        bool stage_waits = false;
        if (about) {
            if (const Node* condition = about->find("condition")) refusal = condition_refusal(r_, config_, *condition);
            if (const Node* trigger = about->find("trigger")) stage_waits = r_.text(*trigger) == "manual";
            if (const Node* deployment = about->find("deployment")) environment_ = r_.text(*deployment);
        }
        int number = 0;
        for (const Node* step : steps) {
            const auto known = stage.jobs.size();
            bool waits = false;
            for (auto& part : read_step(r_, config_, *step, waits)) {
                const bool first = stage.jobs.size() == known;
                rename(part);
                if (part.environment.empty()) part.environment = environment_;
                if (beside && steps.size() > 1) {
                    part.env.emplace_back("BITBUCKET_PARALLEL_STEP", std::to_string(number));
                    part.env.emplace_back("BITBUCKET_PARALLEL_STEP_COUNT", std::to_string(steps.size()));
                }
                part.env.emplace_back("BITBUCKET_STEP_UUID", "{${{ run.id }}-" + std::to_string(count_ + 1) + "}");
                if (!refusal.empty()) part.unavailable = refusal;
                hold_up(*step, part, first && (waits || (stage_waits && number == 0)));
                if ((!beside || !first) && !stage.jobs.empty()) part.needs.push_back({"", stage.jobs.back().name, part.mark});
                stage.jobs.push_back(std::move(part));
            }
            ++count_;
            ++number;
        }
        environment_.clear();
        if (stage.jobs.empty()) return;
        stage.name = unique(name.empty() ? stage.jobs.front().name : gitlab::plain_name(name), stages_);
        for (auto& job : stage.jobs)
            for (auto& need : job.needs) need.stage = stage.name;
        pipeline_.stages.push_back(std::move(stage));
    }

    /// A step that waits for a hand holds up all that comes after it.
    void hold_up(const Node& step, model::Job& job, bool waits) {
        if (config_.options->facts.every_run) return ask(step, job, waits);
        const auto& asked = config_.options->facts.jobs;
        const bool wanted = std::any_of(asked.begin(), asked.end(), [&](const std::string& name) { return name == job.name || name.ends_with("." + job.name); });
        if (wanted || !job.unavailable.empty()) return;
        if (waits) {
            job.unavailable = "it waits for a hand (trigger: manual); cicdctl run --job '" + job.name + "' runs it";
            if (waiting_.empty()) waiting_ = job.name;
        } else if (!waiting_.empty()) {
            job.unavailable = "it comes after '" + waiting_ + "', which waits for a hand";
        }
    }

    /// What a hand starts there is asked for by a parameter.
    void ask(const Node& step, model::Job& job, bool waits) {
        if (waits) {
            model::Parameter parameter;
            parameter.name = "run_";
            for (const char c : job.name) parameter.name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
            parameter.type = model::ParameterType::boolean;
            parameter.default_value = Value(false);
            parameter.description = "run " + job.name + ", and what comes after it";
            r_.approximated(step, "trigger: manual", "it runs where it is asked for: cicdctl run --param " + parameter.name + "=true");
            asked_ += (asked_.empty() ? "params." : " && params.") + parameter.name;
            pipeline_.parameters.push_back(std::move(parameter));
        }
        job.condition = asked_;
    }

    /// No two jobs have the same name, nor do their artifacts that are called by it.
    void rename(model::Job& job) {
        const auto old = job.name;
        job.name = unique(old, jobs_);
        for (auto& artifact : job.artifacts)
            if (artifact.name.ends_with(old)) artifact.name.replace(artifact.name.size() - old.size(), old.size(), job.name);
    }

    static std::string unique(const std::string& name, std::set<std::string>& taken) {
        auto own = name;
        for (int i = 2; !taken.insert(own).second; ++i) own = name + "-" + std::to_string(i);
        return own;
    }

    void read_variables(const Node& at) {
        for (const Node* item : r_.flat(at)) {
            const Node* name = item->kind == NodeKind::map ? item->find("name") : nullptr;
            if (!name) {
                r_.error(*item, "a variable has a name");
                continue;
            }
            model::Parameter parameter;
            parameter.name = r_.text(*name);
            parameter.mark = r_.mark(*item);
            const Node* value = item->find("default");
            parameter.default_value = Value(value ? r_.text(*value) : "");
            if (const Node* about = item->find("description")) parameter.description = r_.text(*about);
            if (const Node* allowed = item->find("allowed-values"))
                for (const auto& text : r_.texts(*allowed)) parameter.values.emplace_back(text);
            pipeline_.env.emplace_back(parameter.name, "${{ params." + parameter.name + " }}");
            pipeline_.parameters.push_back(std::move(parameter));
        }
    }

    Reader& r_;
    const Config& config_;
    model::Pipeline& pipeline_;
    std::set<std::string> jobs_, stages_;
    std::string waiting_, asked_, environment_;
    int count_ = 0;
};

/// The section for a name: the one of that very name, else the first pattern that fits.
const Node* matching(const Node* sections, const std::string& name) {
    if (!sections || sections->kind != NodeKind::map || name.empty()) return nullptr;
    if (const Node* exact = sections->find(name)) return exact;
    for (const auto& [key, value] : sections->members)
        if (const auto fits = glob_match(key->text, name); fits && *fits) return value;
    return nullptr;
}

const Node* choose(Reader& r, const Node& sections, const FrontFacts& facts, std::string& event) {
    const auto tag = facts.event.tag.empty() && facts.event.branch.empty() ? facts.source.tag : facts.event.tag;
    const auto branch = facts.event.branch.empty() && tag.empty() ? facts.source.branch : facts.event.branch;
    const Node* own = sections.find("custom");
    if (event.starts_with(custom)) {
        const auto name = event.substr(custom.size());
        const Node* found = own && own->kind == NodeKind::map ? own->find(name) : nullptr;
        if (!found) r.error(sections, "there is no custom pipeline '" + name + "'");
        return found;
    }
    if (event == "pull_request") {
        const Node* found = matching(sections.find("pull-requests"), branch);
        if (!found) r.error(sections, "no pipeline is for pull requests of '" + branch + "'");
        return found;
    }
    if (!tag.empty()) {
        const Node* found = matching(sections.find("tags"), tag);
        if (!found) r.error(sections, "no pipeline is for the tag '" + tag + "'");
        return found;
    }
    if (const Node* found = matching(sections.find("branches"), branch)) return found;
    if (const Node* found = sections.find("default")) return found;
    for (const char* kind : {"branches", "pull-requests", "custom", "tags"}) {
        const Node* others = sections.find(kind);
        if (!others || others->kind != NodeKind::map || others->members.empty()) continue;
        if (kind == std::string_view("custom")) event = std::string(custom) + others->members.front().key->text;
        r.warning(*others, "no pipeline is for pushes of '" + branch + "'; this runs the one of " + kind + ": " + others->members.front().key->text);
        return others->members.front().value;
    }
    r.error(sections, "there is no pipeline for pushes of '" + branch + "'", "--event pull_request or --event custom:NAME chooses another one");
    return nullptr;
}

/// What starts the section becomes the trigger, and a condition where no trigger can say it.
void keep_start(Reader& r, const Section& section, const std::vector<Section>& all, model::Pipeline& pipeline, model::Trigger& trigger) {
    trigger = trigger_of(section, all, pipeline.mark);
    std::string told;
    const auto condition = condition_of(section, all, told);
    if (!told.empty()) r.approximated(*section.value, "pull-requests: " + told, "which branches fit cannot be asked for: it is taken to fit any");
    if (!condition.empty())
        for (auto& stage : pipeline.stages) stage.condition = condition;
}

}  // namespace

model::Strings parts(std::string_view text, const std::string& file) {
    Front front;
    Reader r(front);
    const Node* root = r.load(text, file);
    const Node* pipelines = root && root->kind == NodeKind::map ? root->find("pipelines") : nullptr;
    model::Strings names;
    if (pipelines)
        for (const auto& section : sections_of(*pipelines)) names.push_back(section.part);
    return names;
}

model::TriggerType event_type(std::string_view event) {
    if (event == "push") return model::TriggerType::push;
    return event == "pull_request" ? model::TriggerType::pull_request : model::TriggerType::manual;
}

Front read(std::string_view text, const std::string& file, const FrontOptions& options) {
    Front front;
    auto& pipeline = front.parsed.value;
    pipeline.dialect = model::Dialect::bitbucket;
    front.event = options.event.empty() || options.event == "workflow_dispatch" ? "push" : options.event;
    Reader r(front);
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const Node* root = r.load(text, file);
    if (!root) return front;
    if (root->kind != NodeKind::map || !root->find("pipelines") || root->find("pipelines")->kind != NodeKind::map) {
        r.error(*root, "must be a map with 'pipelines'");
        return front;
    }
    count_members(r, *root);
    static const std::vector<std::string> known{"image", "clone", "options", "definitions", "pipelines", "labels", "export", "triggers"};
    for (const auto& [key, value] : root->members)
        if (std::find(known.begin(), known.end(), key->text) == known.end()) r.error(*key, "unknown key '" + key->text + "'", did_you_mean(key->text, known));
        else if (key->text == "triggers" || key->text == "export") r.unsupported(*key, key->text, "it is for Bitbucket's server");
    pipeline.name = file.substr(file.rfind('/') + 1);
    pipeline.mark = r.mark(*root);
    const auto& facts = options.facts;
    const auto sections = sections_of(*root->find("pipelines"));
    const auto part = std::find_if(sections.begin(), sections.end(), [&](const Section& section) { return section.part == options.part; });
    if (part != sections.end()) {
        front.event = event_of(*part);
        pipeline.name = part->part;
    }
    const Node* chosen = part != sections.end() ? part->value : choose(r, *root->find("pipelines"), facts, front.event);
    Config config{&options, root, predefined(facts, front.event)};
    pipeline.env = config.variables.environment();
    if (chosen) PipelineReader(r, config, pipeline).read(*chosen);
    model::Trigger trigger;
    trigger.type = event_type(front.event);
    if (facts.every_run) {
        const auto own = std::find_if(sections.begin(), sections.end(), [&](const Section& section) { return section.value == chosen; });
        if (own != sections.end()) keep_start(r, *own, sections, pipeline, trigger);
    }
    trigger.id = front.event;
    pipeline.triggers.push_back(std::move(trigger));
    return front;
}

}  // namespace cicd::pipeline::bitbucket
