#include "common/pipeline/settle.hpp"

#include "common/pipeline/gitlab/variables.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

namespace cicd::pipeline {
namespace {

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

void add_variables_in(std::string_view text, std::set<std::string, std::less<>>& names) {
    for (auto at = text.find('$'); at != text.npos; at = text.find('$', at + 1)) {
        auto begin = at + 1;
        if (begin < text.size() && text[begin] == '{') ++begin;
        auto end = begin;
        while (end < text.size() && is_name(text[end])) ++end;
        if (end > begin) names.emplace(text.substr(begin, end - begin));
    }
}

/// Variables that only the language's own server promises.
std::set<std::string, std::less<>> promised(model::Dialect dialect) {
    std::set<std::string, std::less<>> names{"CI"};
    if (dialect != model::Dialect::gitlab) return names;
    for (const char* event : {"push", "merge_request_event"}) {
        const auto variables = gitlab::predefined({}, event, "");
        names.insert(variables.names().begin(), variables.names().end());
    }
    for (const char* name : {"CI_COMMIT_TAG", "CI_JOB_NAME", "CI_JOB_NAME_SLUG", "CI_JOB_STAGE", "CI_JOB_ID", "CI_JOB_STARTED_AT", "CI_JOB_STATUS",
                             "CI_JOB_IMAGE", "CI_ENVIRONMENT_NAME", "CI_ENVIRONMENT_SLUG", "CI_NODE_TOTAL", "CI_NODE_INDEX"})
        names.insert(name);
    return names;
}

class Settlement {
public:
    Settlement(model::Pipeline& pipeline, Report& report, const std::string& file)
        : pipeline_(pipeline), report_(report), file_(file), dialect_(pipeline.dialect), promised_(promised(pipeline.dialect)) {}

    void make() {
        pipeline_.dialect = model::Dialect::native;
        give_name();
        keep_triggers();
        for (auto& stage : pipeline_.stages)
            for (auto& job : stage.jobs) {
                if (job.description.empty()) job.description = job.title;
                job.title.clear();
                hold_back(job);
                for (auto& step : job.steps) make_plain(step);
                for_each_text(job, [&](const std::string& text, const model::Mark&, bool) { add_variables_in(text, named_); });
            }
        drop_unnamed(pipeline_.env);
        for (auto& stage : pipeline_.stages)
            for (auto& job : stage.jobs) {
                drop_unnamed(job.env);
                for (auto& step : job.steps) drop_unnamed(step.env);
            }
        share_variables();
        for (const auto& [name, reason] : {std::pair{"CI_COMMIT_REF_SLUG", "it is the name of the branch or tag as it is, with its '/' and capitals"},
                                           {"CI_COMMIT_TITLE", "it is the commit's whole message"}})
            if (dialect_ == model::Dialect::gitlab && uses(name)) report_.findings.push_back({Carried::approximated, file_, 1, 1, name, reason, {}, true});
        if (dropped_)
            report_.findings.push_back({Carried::approximated, file_, 1, 1, "predefined variables",
                                        "those that this file does not name are not set; scripts of the repository that read others need them in 'env'", {}, true});
    }

private:
    /// What needs no name has none, and one command is one line.
    static void make_plain(model::Step& step) {
        if (step.run.empty() && step.uses.empty()) step.run = "true";
        if (step.name == "script") step.name.clear();
        if (step.run.find('\n') == step.run.size() - 1) step.run.pop_back();
    }

    void give_name() {
        const auto base = file_.substr(file_.rfind('/') + 1);
        if (pipeline_.name != base) return;
        auto& name = pipeline_.name;
        name.erase(0, name.find_first_not_of('.'));
        name.erase(std::min(name.rfind('.'), name.size()));
    }

    void keep_triggers() {
        std::set<model::TriggerType> known;
        std::erase_if(pipeline_.triggers, [&](const model::Trigger& trigger) { return !known.insert(trigger.type).second; });
        for (auto& trigger : pipeline_.triggers) trigger.id.clear();
    }

    void hold_back(model::Job& job) {
        if (job.unavailable.empty()) return;
        const auto& mark = job.mark;
        report_.findings.push_back({Carried::manual, mark.file, mark.line, mark.column, "job " + job.name,
                                    "it does not run: " + job.unavailable + "; give it the condition that you want"});
        job.unavailable.clear();
        job.condition = "false";
    }

    void drop_unnamed(model::Texts& env) {
        std::erase_if(env, [&](const auto& pair) {
            const auto& name = pair.first;
            const bool theirs = promised_.contains(name) || (dialect_ == model::Dialect::bitbucket && name.starts_with("BITBUCKET_"));
            const bool drop = theirs && (name == "CI" || !named_.contains(name));
            dropped_ |= drop && name != "CI";
            return drop;
        });
    }

    /// Whether the file names it, or a text that was made of it came to us.
    bool uses(const std::string& name) const { return named_.contains(name); }

    /// What all jobs say alike is the pipeline's.
    void share_variables() {
        std::vector<model::Job*> jobs;
        for (auto& stage : pipeline_.stages)
            for (auto& job : stage.jobs) jobs.push_back(&job);
        if (jobs.size() < 2) return;
        const auto first = jobs.front()->env;
        for (const auto& pair : first) {
            const auto depends = [&](const char* context) { return pair.second.find(context) != std::string::npos; };
            if (depends("matrix.") || depends("needs[") || depends("secrets.")) continue;
            const auto has = [&](const model::Job* job) { return std::find(job->env.begin(), job->env.end(), pair) != job->env.end(); };
            if (!std::all_of(jobs.begin(), jobs.end(), has)) continue;
            for (auto* job : jobs) std::erase(job->env, pair);
            std::erase_if(pipeline_.env, [&](const auto& known) { return known.first == pair.first; });
            pipeline_.env.push_back(pair);
        }
    }

    model::Pipeline& pipeline_;
    Report& report_;
    const std::string& file_;
    model::Dialect dialect_;
    std::set<std::string, std::less<>> promised_, named_;
    bool dropped_ = false;
};

}  // namespace

void settle(model::Pipeline& pipeline, Report& report, const std::string& file) { Settlement(pipeline, report, file).make(); }

}  // namespace cicd::pipeline
