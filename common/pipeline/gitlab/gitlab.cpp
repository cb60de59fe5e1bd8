#include "common/pipeline/gitlab/gitlab.hpp"

#include "common/base/text.hpp"
#include "common/pipeline/gitlab/job.hpp"
#include "common/pipeline/gitlab/load.hpp"

#include <algorithm>
#include <set>

namespace cicd::pipeline::gitlab {
namespace {

constexpr int most_jobs = 5000;

struct Event {
    const char* name;
    model::TriggerType type;
};
constexpr Event events[] = {
    {"push", model::TriggerType::push},
    {"merge_request_event", model::TriggerType::pull_request},
    {"schedule", model::TriggerType::schedule},
    {"web", model::TriggerType::manual},
    {"api", model::TriggerType::manual},
    {"trigger", model::TriggerType::manual},
    {"pipeline", model::TriggerType::manual},
    {"parent_pipeline", model::TriggerType::manual},
    {"chat", model::TriggerType::manual},
    {"external_pull_request_event", model::TriggerType::pull_request},
};

bool is_setting(const std::string& key) {
    static const std::vector<std::string> settings{"default", "include", "stages", "types", "variables", "workflow", "image", "services",
                                                   "cache", "before_script", "after_script", "spec"};
    return std::find(settings.begin(), settings.end(), key) != settings.end();
}

void tell_defaults(Reader& r, const Node& root) {
    const Node* at = root.find("default");
    if (!at || at->kind != NodeKind::map) return;
    static const std::vector<std::string> known{"after_script", "artifacts", "before_script", "cache", "hooks", "id_tokens", "image",
                                                "interruptible", "retry", "services", "tags", "timeout", "identity"};
    for (const auto& [key, value] : at->members) {
        if (std::find(known.begin(), known.end(), key->text) == known.end())
            r.error(*key, "unknown key '" + key->text + "' in 'default'", did_you_mean(key->text, known));
        else if (key->text == "id_tokens" || key->text == "hooks")
            r.manual(*key, "default:" + key->text, "it is not done here");
    }
}

/// For every run: a condition of all stages, and variables that depend on it.
void open_workflow(const Setting& setting, Config& config, Variables& all, const Node& at) {
    const auto& own = config.global.names();
    Questions questions(setting, *config.asking, all, {own.begin(), own.end()});
    const auto rules = open_rules(questions, at);
    config.workflow = where(rules, [](const Outcome& outcome) { return outcome.when != When::never; });
    Variables chosen;
    for (const auto& rule : rules)
        for (const auto& name : rule.outcome.variables.names())
            if (!chosen.find(name)) chosen.set(name, Variable{chosen_text(rules, name, all.expand("${" + name + "}"), all), true});
    config.global.add(chosen);
    all.add(chosen);
}

void names_in(const Term& term, std::set<std::string>& names) {
    if (term.kind == Term::Kind::variable) names.insert(term.text);
    for (const auto& part : term.parts) names_in(part, names);
}

/// The variables that rules of the file ask for.
std::set<std::string> asked_names(Reader& r, const Node& root) {
    std::set<std::string> names;
    const auto add = [&](const Node* at) {
        if (!at) return;
        for (const Node* item : r.flat(*at))
            if (item->is_scalar())
                if (const auto term = parse_if(scalar_text(*item))) names_in(*term, names);
    };
    for (const auto& [key, job] : root.members) {
        if (job->kind != NodeKind::map || key->text.starts_with('.')) continue;
        if (const Node* rules = job->find("rules"))
            for (const Node* rule : r.flat(*rules)) add(rule->kind == NodeKind::map ? rule->find("if") : nullptr);
        for (const char* list : {"only", "except"})
            if (const Node* at = job->find(list); at && at->kind == NodeKind::map) add(at->find("variables"));
    }
    return names;
}

/// Variables of the file that a run may be given, as rules ask for them or a description offers them, are parameters.
void open_variables(const Setting& setting, Config& config) {
    auto& r = setting.r;
    const Node* written = config.root->find("variables");
    if (!written || written->kind != NodeKind::map) return;
    const auto asked = asked_names(r, *config.root);
    for (const auto& [key, node] : written->members) {
        const Node* about = node->kind == NodeKind::map ? node->find("description") : nullptr;
        const Node* options = node->kind == NodeKind::map ? node->find("options") : nullptr;
        const auto* variable = config.global.find(key->text);
        if (!variable || (!about && !options && !asked.contains(key->text))) continue;
        if (variable->value.find('$') != std::string::npos) continue;  // a default is no expression
        model::Parameter parameter;
        parameter.name = key->text;
        parameter.default_value = Value(variable->value);
        parameter.mark = r.mark(*key);
        if (about) parameter.description = r.text(*about);
        if (options)
            for (const auto& text : r.texts(*options)) parameter.values.emplace_back(text);
        config.asking->parameters.push_back(std::move(parameter));
        config.global.set_later(key->text, "${{ params." + key->text + " }}");
    }
}

/// `workflow`: whether there is a pipeline at all, and its variables.
void read_workflow(const Setting& setting, Config& config, model::Pipeline& pipeline) {
    auto& r = setting.r;
    const Node* workflow = config.root->find("workflow");
    if (!workflow || workflow->kind != NodeKind::map) return;
    Variables all = config.predefined;
    all.add(config.global);
    for (const auto& [name, value] : setting.options.facts.variables) all.set(name, Variable{value, false, false});
    for (const auto& [key, value] : workflow->members) {
        if (key->text == "rules" && config.asking) {
            open_workflow(setting, config, all, *value);
        } else if (key->text == "rules") {
            auto outcome = decide_rules(setting, *value, all, "the workflow");
            if (outcome.when == When::never) {
                config.refusal = "GitLab would start no pipeline for this event: " + outcome.reason;
                r.warning(*value, config.refusal, "another event: --event merge_request_event, or another --branch or --tag");
            }
            config.global.add(outcome.variables);
            all.add(outcome.variables);
        } else if (key->text == "auto_cancel") {
            r.approximated(*key, "workflow:auto_cancel", "a new run does not cancel those before it");
        } else if (key->text != "name") {
            r.error(*key, "unknown key '" + key->text + "' in 'workflow'", "name, rules or auto_cancel");
        }
    }
    const Node* name = workflow->find("name");
    if (!name) return;
    if (config.asking && r.text(*name).find('$') != std::string::npos) r.approximated(*name, "workflow:name", "a pipeline has one name, whatever the run");
    else pipeline.name = all.expand_known(r.text(*name));
}

void read_triggers(model::Pipeline& pipeline, const std::string& event) {
    const auto add = [&](const Event& each) {
        model::Trigger trigger;
        trigger.type = each.type;
        trigger.id = each.name;
        pipeline.triggers.push_back(std::move(trigger));
    };
    for (const auto& each : events)
        if (each.name == event || each.type == model::TriggerType::push) add(each);
}

/// Variables that only the settings of a project have.
void add_unset(const Asking& asking, model::Pipeline& pipeline) {
    for (const auto& name : asking.unset) {
        model::Parameter parameter;
        parameter.name = name;
        parameter.default_value = Value("");
        pipeline.parameters.push_back(std::move(parameter));
        pipeline.env.emplace_back(name, "${{ params." + name + " }}");
    }
}

}  // namespace

std::string event_name(std::string_view asked) {
    if (asked.empty()) return "push";
    if (asked == "pull_request" || asked == "merge_request" || asked == "merge_requests") return "merge_request_event";
    if (asked == "manual" || asked == "workflow_dispatch") return "web";
    return std::string(asked);
}

model::TriggerType event_type(std::string_view asked) {
    const auto event = event_name(asked);
    for (const auto& each : events)
        if (event == each.name) return each.type;
    return model::TriggerType::manual;
}

Front read(std::string_view text, const std::string& file, const FrontOptions& options, int depth) {
    Front front;
    auto& pipeline = front.parsed.value;
    pipeline.dialect = model::Dialect::gitlab;
    front.event = event_name(options.event);
    Reader reader(front);
    const auto& facts = options.facts;
    const auto tag = facts.event.tag.empty() && facts.event.branch.empty() ? facts.source.tag : facts.event.tag;
    const Setting setting{reader, options, front.event, tag, facts.event.branch.empty() && tag.empty() ? facts.source.branch : facts.event.branch};
    pipeline.name = file.substr(file.rfind('/') + 1);
    const Node* root = load_all(setting, text, file);
    if (!root) return front;
    if (std::none_of(std::begin(events), std::end(events), [&](const Event& each) { return front.event == each.name; }))
        reader.error(*root, "GitLab has no event '" + front.event + "'", "push, merge_request_event, schedule, web, api, trigger or pipeline");
    Config config;
    config.root = root = resolve(reader, *root);
    pipeline.mark = reader.mark(*root);
    config.predefined = predefined(facts, front.event, file);
    if (const Node* variables = root->find("variables")) config.global = read_variables(reader, *variables);
    tell_defaults(reader, *root);
    Asking asking;
    if (facts.every_run) {
        config.asking = &asking;
        open_variables(setting, config);
    }
    read_workflow(setting, config, pipeline);
    if (!facts.every_run) read_triggers(pipeline, front.event);
    pipeline.env = config.predefined.environment();
    std::vector<Draft> drafts;
    for (const auto& [key, value] : root->members) {
        if (is_setting(key->text) || key->text.starts_with('.')) continue;
        if (value->kind != NodeKind::map) {
            if (!value->reference) reader.error(*key, "'" + key->text + "' must be a job, which is a map, not " + value->describe());
            continue;
        }
        if (drafts.size() > most_jobs) {
            reader.error(*key, "more than " + std::to_string(most_jobs) + " jobs");
            break;
        }
        auto those = read_job(setting, config, *key, *value, static_cast<int>(drafts.size()) + 1);
        drafts.insert(drafts.end(), std::make_move_iterator(those.begin()), std::make_move_iterator(those.end()));
    }
    if (drafts.empty()) reader.missing(*root, "jobs", "there are no jobs in it");
    if (facts.every_run) {
        if (front.event != of_parent) open_triggers(reader, *root, config, drafts, pipeline);
        pipeline.parameters = asking.parameters;
        add_unset(asking, pipeline);
    }
    for (const auto& call : assemble(setting, config, std::move(drafts), pipeline)) add_child(options, file, call, depth + 1, front);
    std::stable_sort(front.parsed.problems.begin(), front.parsed.problems.end(), [&](const Diagnostic& a, const Diagnostic& b) {
        const bool first = a.file == file, second = b.file == file;
        return first != second ? first : a.file == b.file && a.line < b.line;
    });
    return front;
}

}  // namespace cicd::pipeline::gitlab
