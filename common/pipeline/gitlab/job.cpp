#include "common/pipeline/gitlab/job.hpp"

#include "common/base/text.hpp"
#include "common/pipeline/gitlab/load.hpp"

#include <algorithm>
#include <cctype>
#include <map>

namespace cicd::pipeline::gitlab {
namespace {

/// What is read and means something only to GitLab, with what is different here.
struct Told {
    const char* key;
    Carried kind;
    const char* reason;
};
constexpr Told told[] = {
    {"coverage", Carried::approximated, "the number is not looked for in the log"},
    {"release", Carried::unsupported, "releases are made on GitLab's server"},
    {"hooks", Carried::unsupported, "the source is there before anything of the job runs"},
    {"id_tokens", Carried::manual, "nobody here signs tokens: set them as secrets or variables"},
    {"secrets", Carried::manual, "the vault is not asked: set them as secrets (cicdctl secret set NAME)"},
    {"identity", Carried::unsupported, "nobody here signs tokens"},
    {"dast_configuration", Carried::unsupported, "scans are made on GitLab's server"},
    {"pages", Carried::approximated, "the folder is kept as an artifact; nothing publishes it"},
    {"publish", Carried::approximated, "the folder is kept as an artifact; nothing publishes it"},
    {"manual_confirmation", Carried::approximated, "jobs that wait for a hand are skipped"},
    {"run", Carried::unsupported, "steps of CI/CD Steps are not run"},
};
const std::vector<std::string>& job_keys() {
    static const std::vector<std::string> keys = [] {
        std::vector<std::string> list{"script", "before_script", "after_script", "stage", "extends", "image", "services", "variables", "rules",
                                      "only", "except", "when", "start_in", "allow_failure", "needs", "dependencies", "parallel", "artifacts",
                                      "cache", "environment", "resource_group", "interruptible", "retry", "timeout", "trigger", "inherit",
                                      "tags", "type"};
        for (const auto& each : told) list.emplace_back(each.key);
        return list;
    }();
    return keys;
}

void tell_keys(Reader& r, const Node& job) {
    for (const auto& [key, value] : job.members) {
        const auto it = std::find_if(std::begin(told), std::end(told), [&, &name = key->text](const Told& each) { return name == each.key; });
        if (it != std::end(told)) r.find(it->kind, *key, key->text, it->reason);
        else if (std::find(job_keys().begin(), job_keys().end(), key->text) == job_keys().end())
            r.error(*key, "unknown key '" + key->text + "' in a job", did_you_mean(key->text, job_keys()));
    }
}

std::string lines(Reader& r, const Node* at) {
    std::string text;
    if (!at) return text;
    for (const Node* item : r.flat(*at)) {
        if (item->kind == NodeKind::map) {
            r.error(*item, "a command must be a text, not a map", "quote a command that holds ': '");
            continue;
        }
        auto line = scalar_text(*item);
        while (line.ends_with('\n')) line.pop_back();
        text += escaped(line) + "\n";
    }
    return text;
}

/// One shell runs all of it; after_script has one of its own, whatever came before.
void read_script(Reader& r, const JobKeys& keys, const Node& at, model::Job& job) {
    const Node* script = keys.find("script");
    model::Step step;
    step.name = "script";
    step.mark = r.mark(script ? *script : at);
    step.run = lines(r, keys.find("before_script")) + lines(r, script);
    if (job.image) step.run = "[ -z \"$BASH_VERSION\" ] || set -o pipefail\n" + step.run;
    else job.shell = "bash";
    if (!script) r.missing(at, "script", "the job has no 'script'", "every job has a script, a trigger, or runs steps");
    job.steps.push_back(std::move(step));
    const Node* after = keys.find("after_script");
    auto text = lines(r, after);
    if (text.empty()) return;
    model::Step last;
    last.name = "after_script";
    last.mark = r.mark(*after);
    last.run = std::move(text);
    last.condition = "always";
    last.continue_on_error.value = true;
    last.env = {{"CI_JOB_STATUS", "${{ job.status == 'failure' && 'failed' || job.status == 'cancelled' && 'canceled' || 'success' }}"}};
    job.steps.push_back(std::move(last));
}

std::vector<WantedNeed> read_needs(Reader& r, const Node& at) {
    std::vector<WantedNeed> needs;
    for (const Node* item : r.flat(at)) {
        if (item->kind != NodeKind::map) {
            needs.push_back({r.text(*item), false, true, item});
            continue;
        }
        const Node* job = item->find("job");
        if (item->find("pipeline") || item->find("project")) {
            r.unsupported(*item, "needs: of another pipeline", "artifacts of other pipelines and projects are not fetched");
            continue;
        }
        if (!job) {
            r.error(*item, "a need names no job", "needs: [{job: NAME}]");
            continue;
        }
        WantedNeed need{r.text(*job), false, true, item};
        if (const Node* optional = item->find("optional")) need.optional = optional->boolean;
        if (const Node* artifacts = item->find("artifacts"); artifacts && artifacts->kind == NodeKind::boolean) need.artifacts = artifacts->boolean;
        if (item->find("parallel")) r.approximated(*item->find("parallel"), "needs:parallel", "it waits for all instances of the job");
        needs.push_back(std::move(need));
    }
    return needs;
}

std::string machine_refusal(Reader& r, const Node& tags, const Variables& variables) {
    for (const Node* item : r.flat(tags)) {
        const auto tag = to_lower(variables.expand_known(r.text(*item)));
        for (const auto& [word, system] : {std::pair{"windows", "Windows"}, {"macos", "macOS"}})
            if (tag.find(word) != tag.npos) return "tags: " + tag + ": this machine runs Linux, not " + system;
    }
    return "";
}

struct Instance {
    model::Texts values;
    Variables variables;
    Outcome outcome;
};

class JobReader {
public:
    JobReader(const Setting& setting, const Config& config, const Node& key, const Node& node, int number)
        : s_(setting), r_(setting.r), config_(config), key_(key), node_(node), keys_(setting.r, config, node), number_(number) {}

    std::vector<Draft> read() {
        r_.about = r_.mark(key_);
        auto drafts = read_all();
        r_.about.reset();
        return drafts;
    }

private:
    std::vector<Draft> read_all() {
        tell_keys(r_, node_);
        if (const Node* parallel = keys_.find("parallel")) numbered_ = parallel->kind != NodeKind::map;
        std::vector<model::Texts> all;
        if (const Node* parallel = keys_.find("parallel")) all = read_parallel(r_, *parallel);
        const bool matrix = !all.empty();
        if (!matrix) all.emplace_back();
        std::vector<Instance> instances;
        if (config_.asking) {
            for (auto& values : all) instances.push_back({std::move(values), {}, {}});
            std::vector<const Instance*> every;
            for (const auto& instance : instances) every.push_back(&instance);
            return {draft(every, matrix, every.size())};
        }
        for (auto& values : all) {
            auto variables = variables_of(values, false);
            auto outcome = decide(variables);
            instances.push_back({std::move(values), std::move(variables), std::move(outcome)});
        }
        std::vector<Draft> drafts;
        std::vector<char> taken(instances.size());
        for (std::size_t i = 0; i < instances.size(); ++i) {
            if (taken[i]) continue;
            std::vector<const Instance*> same;
            for (std::size_t j = i; j < instances.size(); ++j)
                if (!taken[j] && instances[j].outcome.when == instances[i].outcome.when &&
                    instances[j].outcome.variables.environment() == instances[i].outcome.variables.environment())
                    taken[j] = 1, same.push_back(&instances[j]);
            drafts.push_back(draft(same, matrix, instances.size()));
        }
        return drafts;
    }

    /// For the run, values of a matrix are what its instance has; for decisions they are known.
    Variables variables_of(const model::Texts& values, bool for_run) {
        Variables all = config_.predefined;
        add_own(all);
        all.add(yaml_variables());
        add_values(all, values, for_run);
        add_given(all);
        return all;
    }

    Variables yaml_variables() {
        Variables own;
        if (const Node* variables = node_.find("variables")) own = read_variables(r_, *variables);
        if (config_.asking) leave_inherited(own);
        Variables result;
        for (const auto& name : config_.global.names())
            if (keys_.inherits_variable(name)) result.set(name, *config_.global.find(name));
        result.add(own);
        return result;
    }

    /// A: $A says what is so anyhow, and would hide a parameter of that name.
    static void leave_inherited(Variables& own) {
        for (const auto& name : std::vector<std::string>(own.names()))
            if (const auto& value = own.find(name)->value; value == "$" + name || value == "${" + name + "}") own.remove(name);
    }

    static void add_values(Variables& all, const model::Texts& values, bool for_run) {
        for (const auto& [name, value] : values)
            if (for_run) all.set(name, Variable{"${{ matrix." + name + " }}", true});
            else all.set(name, Variable{value, false, false});
    }

    void add_given(Variables& all) {
        for (const auto& [name, value] : s_.options.facts.variables) all.set(name, Variable{value, false, false});
    }

    void add_own(Variables& all) {
        const auto& name = key_.text;
        all.set("CI_JOB_NAME", Variable{name, false, false});
        all.set("CI_JOB_NAME_SLUG", slug(name));
        all.set("CI_JOB_STAGE", Variable{stage(), false, false});
        all.set("CI_JOB_ID", Variable{"${{ run.number }}" + std::string(number_ < 10 ? "00" : number_ < 100 ? "0" : "") + std::to_string(number_), true});
        all.set("CI_JOB_STARTED_AT", Variable{"", false});
        all.set("CI_JOB_STATUS", "running");
        if (const Node* image = keys_.find("image")) {
            const Node* text = image->kind == NodeKind::map ? image->find("name") : image;
            if (text && text->is_scalar()) all.set("CI_JOB_IMAGE", scalar_text(*text));
        }
        const Node* environment = keys_.find("environment");
        if (environment && environment->kind == NodeKind::map) environment = environment->find("name");
        if (environment && environment->is_scalar()) {
            all.set("CI_ENVIRONMENT_NAME", scalar_text(*environment));
            all.set("CI_ENVIRONMENT_SLUG", slug(all.expand_known(scalar_text(*environment))));
        }
    }

    std::string stage() {
        if (const Node* at = keys_.find("stage"); at && at->is_scalar()) return scalar_text(*at);
        if (const Node* at = keys_.find("type"); at && at->is_scalar()) return scalar_text(*at);
        return "test";
    }

    Outcome decide(const Variables& variables) {
        const Node* rules = node_.find("rules");
        const Node* when = node_.find("when");
        Outcome outcome;
        if (rules && rules->kind != NodeKind::null) outcome = decide_rules(s_, *rules, variables, "the job");
        else outcome = decide_only(s_, node_.find("only"), node_.find("except"), variables);
        if (outcome.when == When::never) return outcome;
        if (!outcome.by_rule && when)
            if (const auto known = when_of(r_, *when)) outcome.when = *known;
        if (outcome.when == When::never) outcome.reason = "it says when: never";
        if (outcome.start_in.empty())
            if (const Node* start = node_.find("start_in")) outcome.start_in = r_.text(*start);
        return outcome;
    }

    Draft draft(const std::vector<const Instance*>& same, bool matrix, std::size_t total) {
        auto outcome = same.front()->outcome;
        const bool split = same.size() < total;
        Draft draft;
        draft.written = key_.text;
        draft.at = &key_;
        draft.stage = stage();
        auto& job = draft.job;
        job.name = plain_name(key_.text);
        if (job.name != key_.text) job.title = escaped(key_.text);
        job.mark = r_.mark(key_);
        for (const char* name : {"image", "services", "artifacts", "cache", "environment", "rules"})
            if (const Node* at = keys_.find(name)) job.key_marks.set(name, r_.mark(*at));
        model::Texts values;  // of all instances: each has its own
        for (const auto* instance : same)
            for (const auto& [name, value] : instance->values)
                if (std::none_of(values.begin(), values.end(), [&, &known = name](const auto& pair) { return pair.first == known; })) values.emplace_back(name, value);
        Variables variables = variables_of(values, true);
        std::vector<OpenRule> rules;
        if (config_.asking) {
            rules = read_rules(variables, values);
            outcome.variables = chosen_variables(rules, variables);
        }
        variables.add(outcome.variables);
        add_given(variables);
        if (matrix) add_matrix(same, variables, job);
        add_env(variables, outcome, matrix ? &values : nullptr, job);
        read_place(variables, draft);
        if (const Node* needs = outcome.needs ? outcome.needs : node_.find("needs"); needs && needs->kind != NodeKind::null) draft.needs = read_needs(r_, *needs);
        if (config_.asking) start_open(rules, draft);
        else start(outcome, split, draft);
        return draft;
    }

    /// What decides in any run whether the job takes part.
    std::vector<OpenRule> read_rules(const Variables& variables, const model::Texts& values) {
        std::set<std::string> own;
        const auto yaml = yaml_variables();
        own.insert(yaml.names().begin(), yaml.names().end());
        for (const auto& [name, value] : values) own.insert(name);
        Questions questions(s_, *config_.asking, variables, std::move(own));
        std::optional<When> when;
        if (const Node* at = node_.find("when")) when = when_of(r_, *at);
        std::vector<OpenRule> rules;
        if (const Node* at = node_.find("rules"); at && at->kind != NodeKind::null) rules = open_rules(questions, *at);
        else rules.push_back({open_only(questions, node_.find("only"), node_.find("except")), {}});
        for (auto& [applies, outcome] : rules) {
            if (!outcome.by_rule && when) outcome.when = *when;
            if (const Node* start = node_.find("start_in"); start && outcome.start_in.empty()) outcome.start_in = r_.text(*start);
        }
        return rules;
    }

    static Variables chosen_variables(const std::vector<OpenRule>& rules, const Variables& variables) {
        Variables chosen;
        for (const auto& rule : rules)
            for (const auto& name : rule.outcome.variables.names())
                if (!chosen.find(name)) chosen.set(name, Variable{chosen_text(rules, name, variables.expand("${" + name + "}"), variables), true});
        return chosen;
    }

    void start_open(const std::vector<OpenRule>& rules, Draft& draft) {
        auto& job = draft.job;
        const auto when = [&](When wanted) { return where(rules, [&](const Outcome& outcome) { return outcome.when == wanted; }); };
        auto manual = when(When::manual);
        const auto failure_of_manual = [&](const Outcome& outcome) { return outcome.when == When::manual && !outcome.by_rule && !keys_.find("allow_failure"); };
        const bool usually = job.allow_failure.value;
        const auto allowed = where(rules, [&](const Outcome& outcome) {
            return outcome.when != When::never && outcome.allow_failure.value_or(usually || failure_of_manual(outcome));
        });
        const auto blocks = where(rules, [&](const Outcome& outcome) {
            return outcome.when == When::manual && !outcome.allow_failure.value_or(usually || failure_of_manual(outcome));
        });
        if (!manual.is(false)) manual = manual && by_hand(job, !blocks.is(false));
        const auto delayed = when(When::delayed);
        draft.start = Start{when(When::on_success) || delayed || manual, when(When::on_failure), when(When::always)};
        const auto takes_part = where(rules, [](const Outcome& outcome) { return outcome.when != When::never; });
        job.allow_failure.value = allowed == takes_part && !allowed.is(false);
        if (!job.allow_failure.value && !allowed.is(false)) job.allow_failure.expression = "${{ " + allowed.where(takes_part).text() + " }}";
        allow_codes(rules, job);
        if (!delayed.is(false))
            for (const auto& rule : rules)
                if (rule.outcome.when == When::delayed) {
                    wait(rule.outcome.start_in, delayed == takes_part ? "" : delayed.text(), job);
                    break;
                }
        needs_of_rules(rules, draft);
    }

    /// What a hand starts in GitLab is asked for by a parameter.
    Formula by_hand(const model::Job& job, bool blocks) {
        model::Parameter parameter;
        parameter.name = "run_" + plain_variable(job.name);
        parameter.type = model::ParameterType::boolean;
        parameter.default_value = Value(false);
        parameter.description = "run " + key_.text;
        r_.approximated(key_, "when: manual", "it runs where it is asked for: cicdctl run --param " + parameter.name + "=true" +
                                                  (blocks ? "; later stages do not wait for it" : ""));
        auto& known = config_.asking->parameters;
        if (std::none_of(known.begin(), known.end(), [&](const auto& each) { return each.name == parameter.name; })) known.push_back(parameter);
        return Formula::call("params." + parameter.name);
    }

    static std::string plain_variable(const std::string& name) {
        std::string plain;
        for (const char c : name) plain += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
        return plain;
    }

    /// Needs cannot depend on rules: those of all rules are needed, where they take part.
    void needs_of_rules(const std::vector<OpenRule>& rules, Draft& draft) {
        for (const auto& [applies, outcome] : rules) {
            if (!outcome.needs || outcome.when == When::never) continue;
            if (rules.size() > 1) r_.approximated(*outcome.needs, "rules:needs", "it waits for the jobs that any of its rules names");
            else draft.needs.reset();
            if (!draft.needs) draft.needs.emplace();
            for (auto& need : read_needs(r_, *outcome.needs)) {
                const auto same = [&](const WantedNeed& known) { return known.job == need.job; };
                need.optional |= rules.size() > 1;
                if (std::none_of(draft.needs->begin(), draft.needs->end(), same)) draft.needs->push_back(std::move(need));
            }
        }
    }

    /// Its first step takes the time; a slot is taken meanwhile.
    void wait(const std::string& start_in, const std::string& condition, model::Job& job) {
        const auto time = read_duration(start_in);
        if (!time) return r_.error(key_, start_in.empty() ? "a job that is delayed says 'start_in'" : "'" + start_in + "' is no time", "start_in: 30 minutes");
        const auto seconds = std::max<std::int64_t>(time->count() / 1000, 1);
        r_.approximated(key_, "when: delayed", "its first step waits " + start_in + ", in the job's place");
        job.steps.insert(job.steps.begin(), {.name = "wait " + start_in, .run = "sleep " + std::to_string(seconds) + "\n", .condition = condition, .mark = r_.mark(key_)});
        if (job.timeout) *job.timeout += Milliseconds(seconds * 1000);
    }

    void add_matrix(const std::vector<const Instance*>& same, Variables& variables, model::Job& job) {
        job.matrix.emplace();
        for (const auto* instance : same) {
            Object values;
            for (const auto& [name, value] : instance->values) values.set(name, value);
            job.matrix->include.emplace_back(std::move(values));
        }
        job.fail_fast.value = false;
        variables.set("CI_NODE_TOTAL", std::to_string(same.size()));
        // From 1; expressions cannot add.
        std::string numbers;
        for (std::size_t i = 1; i <= same.size(); ++i) numbers += (i > 1 ? "," : "") + std::to_string(i);
        const auto index = numbered_ ? "matrix.CI_NODE_INDEX" : "fromJSON('[" + numbers + "]')[strategy.job-index]";
        variables.set("CI_NODE_INDEX", Variable{"${{ " + index + " }}", true});
    }

    /// The pipeline has what is the same for all; a job says what it knows better.
    void add_env(const Variables& all, const Outcome& outcome, const model::Texts* values, model::Job& job) {
        Variables own;
        add_own(own);
        own.add(yaml_variables());
        if (values) add_values(own, *values, true), own.set("CI_NODE_TOTAL", ""), own.set("CI_NODE_INDEX", "");
        own.add(outcome.variables);
        add_given(own);
        for (const auto& name : own.names()) job.env.emplace_back(name, all.expand("${" + name + "}"));
    }

    void read_place(const Variables& variables, Draft& draft) {
        auto& job = draft.job;
        if (const Node* at = keys_.find("image")) read_image(r_, *at, variables, job);
        if (const Node* at = keys_.find("services")) job.services = read_services(r_, *at, variables);
        if (const Node* at = keys_.find("cache")) job.cache = read_caches(r_, *at, variables);
        if (const Node* at = keys_.find("artifacts")) read_artifacts(r_, *at, variables, job.name, draft);
        if (const Node* at = keys_.find("environment")) read_environment(r_, *at, variables, job);
        if (const Node* at = keys_.find("retry"); at && at->kind != NodeKind::null) job.retry = read_retry(r_, *at);
        if (const Node* at = keys_.find("resource_group")) job.concurrency = model::Concurrency{variables.expand(r_.text(*at)), {}};
        if (job.concurrency && job.concurrency->group.empty()) job.concurrency.reset();
        if (const Node* at = keys_.find("timeout")) {
            job.timeout = read_duration(r_.text(*at));
            if (!job.timeout) r_.error(*at, "'" + r_.text(*at) + "' is no time", "such as '3 hours 30 minutes'");
        }
        if (const Node* at = keys_.find("dependencies"); at && at->kind != NodeKind::null) {
            draft.dependencies = r_.texts(*at);
            draft.dependencies_at = at;
        }
        if (const Node* at = keys_.find("allow_failure")) {
            job.allow_failure.value = at->kind == NodeKind::boolean && at->boolean;
            if (const Node* codes = at->kind == NodeKind::map ? at->find("exit_codes") : nullptr) job.allowed_exit_codes = read_exit_codes(r_, *codes);
        }
        job.git_depth = 20;
        if (const auto* depth = variables.find("GIT_DEPTH"))
            if (const auto number = to_integer(depth->value); number && *number >= 0) job.git_depth = *number;
        if (const auto* strategy = variables.find("GIT_STRATEGY"); strategy && (strategy->value == "none" || strategy->value == "empty")) job.empty_workspace = true;
        if (const Node* tags = keys_.find("tags")) job.unavailable = machine_refusal(r_, *tags, variables);
        if (const Node* trigger = node_.find("trigger")) read_trigger(*trigger, variables, draft);
        else read_script(r_, keys_, key_, job);
    }

    void read_trigger(const Node& at, const Variables& variables, Draft& draft) {
        auto& job = draft.job;
        const Node* child = at.kind == NodeKind::map ? at.find("include") : nullptr;
        if (child && !node_.find("parallel")) draft.child_files = child_files(*child, variables);
        if (!draft.child_files.empty()) {
            const Node* strategy = at.find("strategy");
            draft.depends = strategy && (scalar_text(*strategy) == "depend" || scalar_text(*strategy) == "mirror");
            r_.approximated(at, "trigger", "the child pipeline's jobs are part of this run");
            job.steps.push_back({.name = "trigger", .run = "echo 'started: " + plain_name(join(draft.child_files, " ")) + "'\n", .mark = r_.mark(at)});
            job.empty_workspace = true;
            return;
        }
        job.unavailable = child ? "it starts a child pipeline, which is not run here" : "it starts a pipeline of another project";
        r_.unsupported(at, "trigger", child ? "child pipelines are not started; run that file by itself: cicdctl run -f FILE" : "pipelines of other projects are not started");
        job.steps.push_back({.name = "trigger", .run = "true\n", .mark = r_.mark(at)});
    }

    /// Of the rules that may apply; our job has one list for all of them.
    void allow_codes(const std::vector<OpenRule>& rules, model::Job& job) {
        std::optional<std::vector<int>> all;
        bool alike = true;
        for (const auto& [applies, outcome] : rules) {
            if (outcome.when == When::never) continue;
            const auto& codes = outcome.allow_failure ? outcome.allowed_exit_codes : job.allowed_exit_codes;
            if (!all) all = codes;
            alike = alike && codes == *all;
            for (const int code : codes)
                if (std::find(all->begin(), all->end(), code) == all->end()) all->push_back(code);
        }
        if (!alike) r_.approximated(key_, "rules:allow_failure:exit_codes", "the exit codes that any of its rules allows are allowed");
        if (all) job.allowed_exit_codes = std::move(*all);
    }

    void start(const Outcome& outcome, bool split, Draft& draft) {
        auto& job = draft.job;
        const bool manual = outcome.when == When::manual;
        if (outcome.allow_failure) {
            job.allow_failure.value = *outcome.allow_failure;
            job.allowed_exit_codes = outcome.allowed_exit_codes;
        }
        else if (manual && !outcome.by_rule && !keys_.find("allow_failure")) job.allow_failure.value = true;
        if (outcome.when == When::on_failure) job.condition = "on_failure";
        if (outcome.when == When::always) job.condition = "always";
        if (outcome.when == When::delayed) wait(outcome.start_in, "", job);
        if (outcome.when == When::never) job.unavailable = outcome.reason;
        if (manual && !is_asked_for(job)) {
            job.unavailable = "it waits for a hand (when: manual); cicdctl run --job '" + draft.job.name + "' runs it";
            if (!job.allow_failure.value) r_.approximated(key_, "when: manual", "later stages do not wait for it");
        }
        if (!config_.refusal.empty()) job.unavailable = config_.refusal;
        // Instances of a matrix that do not run stand beside those that do, to be seen with their reason.
        if (split && !job.unavailable.empty()) job.name += " not run";
    }

    bool is_asked_for(const model::Job& job) const {
        const auto& asked = s_.options.facts.jobs;
        return std::any_of(asked.begin(), asked.end(), [&](const std::string& name) {
            return name == key_.text || name == job.name || name.ends_with("." + job.name);
        });
    }

    const Setting& s_;
    Reader& r_;
    const Config& config_;
    const Node& key_;
    const Node& node_;
    JobKeys keys_;
    int number_;
    bool numbered_ = false;
};

}  // namespace

JobKeys::JobKeys(Reader& r, const Config& config, const Node& job) : job_(job), config_(config) {
    defaults_ = config.root->find("default");
    if (defaults_ && defaults_->kind != NodeKind::map) defaults_ = nullptr;
    const Node* inherit = job.find("inherit");
    if (!inherit || inherit->kind != NodeKind::map) return;
    const auto read = [&](const char* key, bool& all, std::set<std::string>& some) {
        const Node* at = inherit->find(key);
        if (!at) return;
        all = at->kind == NodeKind::boolean && at->boolean;
        if (at->kind == NodeKind::list)
            for (const auto& name : r.texts(*at)) some.insert(name);
    };
    read("default", all_defaults_, some_defaults_);
    read("variables", all_variables_, some_variables_);
}

const Node* JobKeys::find(std::string_view key) const {
    if (const Node* own = job_.find(key)) return own;
    static const std::set<std::string, std::less<>> inherited{"after_script", "artifacts", "before_script", "cache", "hooks", "id_tokens", "image",
                                                              "interruptible", "retry", "services", "tags", "timeout"};
    if (!inherited.contains(key) || (!all_defaults_ && !some_defaults_.contains(std::string(key)))) return nullptr;
    if (defaults_)
        if (const Node* common = defaults_->find(key)) return common;
    static const std::set<std::string, std::less<>> older{"image", "services", "cache", "before_script", "after_script"};
    return older.contains(key) ? config_.root->find(key) : nullptr;
}

bool JobKeys::inherits_variable(const std::string& name) const { return all_variables_ || some_variables_.contains(name); }

std::vector<Draft> read_job(const Setting& setting, const Config& config, const Node& key, const Node& node, int number) {
    return JobReader(setting, config, key, node, number).read();
}

}  // namespace cicd::pipeline::gitlab
