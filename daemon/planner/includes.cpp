#include "common/base/text.hpp"
#include "common/pipeline/parse.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <set>

/// `include: path`: the other file's stages, parameters and variables come before those written here. A name that is
/// in both is an error, never an override.
namespace cicd::planner {

namespace {

constexpr std::size_t most_files = 50;

class Merge {
public:
    Merge(const PlanRequest& request, Problems& problems) : request_(request), problems_(problems) {}

    void into(model::Pipeline& pipeline, std::vector<std::string> chain) {
        model::Pipeline before;
        for (const auto& include : pipeline.includes) {
            if (include.path.empty()) continue;
            const std::string path = include.path.starts_with("./") ? include.path.substr(2) : include.path;
            if (std::find(chain.begin(), chain.end(), path) != chain.end()) {
                add_problem(problems_, include.mark, "files include each other: " + join(chain, " → ") + " → " + path);
                continue;
            }
            if (!seen_.insert(path).second) continue;
            if (seen_.size() > most_files) {
                add_problem(problems_, include.mark, "more than 50 files are included");
                return;
            }
            auto other = load(include, path);
            if (!other) continue;
            auto further = chain;
            further.push_back(path);
            into(*other, further);
            append(before, std::move(*other), include.mark);
        }
        prepend(pipeline, std::move(before));
    }

private:
    std::optional<model::Pipeline> load(const model::Include& include, const std::string& path) {
        if (!request_.read_file) {
            add_problem(problems_, include.mark, "'" + path + "' cannot be included without a repository");
            return std::nullopt;
        }
        const auto text = request_.read_file(path);
        if (!text) {
            add_problem(problems_, include.mark, "include '" + path + "': " + text.error().message, text.error().hint);
            return std::nullopt;
        }
        auto parsed = pipeline::parse_pipeline(*text, path);
        problems_.insert(problems_.end(), parsed.problems.begin(), parsed.problems.end());
        if (!parsed.ok()) return std::nullopt;
        return std::move(parsed.value);
    }

    void append(model::Pipeline& to, model::Pipeline from, const model::Mark& mark) {
        merge(to.parameters, std::move(from.parameters), "parameter");
        merge(to.stages, std::move(from.stages), "stage");
        merge_env(to.env, from.env, mark);
        for (auto& trigger : from.triggers) to.triggers.push_back(std::move(trigger));
    }

    void prepend(model::Pipeline& pipeline, model::Pipeline before) {
        merge(before.parameters, std::move(pipeline.parameters), "parameter");
        merge(before.stages, std::move(pipeline.stages), "stage");
        merge_env(before.env, pipeline.env, pipeline.mark);
        pipeline.parameters = std::move(before.parameters);
        pipeline.stages = std::move(before.stages);
        pipeline.env = std::move(before.env);
        pipeline.triggers.insert(pipeline.triggers.begin(), before.triggers.begin(), before.triggers.end());
    }

    template <class T>
    void merge(std::vector<T>& to, std::vector<T> from, const std::string& what) {
        for (auto& each : from) {
            const auto same = std::find_if(to.begin(), to.end(), [&](const T& other) { return other.name == each.name; });
            if (same != to.end())
                add_problem(problems_, each.mark, what + " '" + each.name + "' is also defined in " + same->mark.file +
                                                      ", line " + std::to_string(same->mark.line),
                            "rename one of them");
            to.push_back(std::move(each));
        }
    }

    void merge_env(model::Texts& to, const model::Texts& from, const model::Mark& mark) {
        for (const auto& [name, text] : from) {
            const auto same = std::find_if(to.begin(), to.end(), [&](const auto& pair) { return pair.first == name; });
            if (same == to.end())
                to.emplace_back(name, text);
            else if (same->second != text)
                add_problem(problems_, mark, "variable '" + name + "' has two values in included files", "rename one of them");
        }
    }

    const PlanRequest& request_;
    Problems& problems_;
    std::set<std::string> seen_;
};

/// The parser leaves needs alone where a file includes others; now all names are known.
void check_needs(const model::Pipeline& pipeline, Problems& problems) {
    std::vector<std::string> names;
    const auto stage_of = [&](const std::string& name) {
        return std::find_if(pipeline.stages.begin(), pipeline.stages.end(), [&](const auto& s) { return s.name == name; });
    };
    for (const auto& stage : pipeline.stages) names.push_back(stage.name);
    const auto check = [&](const model::Need& need) {
        const auto stage = stage_of(need.stage);
        if (stage == pipeline.stages.end()) {
            add_problem(problems, need.mark, "needs '" + need.stage + "', but there is no such stage",
                        did_you_mean(need.stage, names));
            return;
        }
        if (!need.job.empty() && std::none_of(stage->jobs.begin(), stage->jobs.end(), [&](const auto& job) { return job.name == need.job; }))
            add_problem(problems, need.mark, "needs '" + need.stage + "." + need.job + "', but there is no such job");
    };
    for (const auto& stage : pipeline.stages) {
        if (stage.needs)
            for (const auto& need : *stage.needs) check(need);
        for (const auto& job : stage.jobs) {
            for (const auto& need : job.needs) check(need);
            for (const auto& need : job.artifacts_from.value_or(std::vector<model::Need>())) check(need);
        }
    }
}

}  // namespace

void merge_includes(model::Pipeline& pipeline, const PlanRequest& request, Problems& problems) {
    if (pipeline.includes.empty()) return;
    Merge(request, problems).into(pipeline, {request.source.pipeline_file});
    check_needs(pipeline, problems);
}

}  // namespace cicd::planner
