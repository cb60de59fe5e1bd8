#include "common/base/text.hpp"
#include "common/pipeline/readers.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

/// Needs, and where artifacts come from, are resolved by name; then cycles are searched for in one graph: each stage has a start and an end, its jobs
/// come between them; an edge leads to what must have ended before.
namespace cicd::pipeline {
namespace {

using model::Job;
using model::Need;
using model::Pipeline;
using model::Stage;

class Names {
public:
    explicit Names(const Pipeline& pipeline) : pipeline_(pipeline), jobs_(pipeline.stages.size()) {
        for (std::size_t s = 0; s < pipeline.stages.size(); ++s) {
            stages_.emplace(pipeline.stages[s].name, s);
            for (std::size_t j = 0; j < pipeline.stages[s].jobs.size(); ++j)
                jobs_[s].emplace(pipeline.stages[s].jobs[j].name, j);
        }
    }

    [[nodiscard]] std::optional<std::size_t> stage(std::string_view name) const { return find(stages_, name); }
    [[nodiscard]] std::optional<std::size_t> job(std::size_t stage, std::string_view name) const {
        return find(jobs_[stage], name);
    }

    /// Sets stage and job of a need written as text; false where nothing has that name.
    bool resolve(Need& need, const Stage* own) const {
        if (!need.stage.empty()) {
            const auto known = stage(need.stage);
            return known && (need.job.empty() || job(*known, need.job));
        }
        std::string text = std::move(need.job);
        need.job.clear();
        if (own) {
            const auto& jobs = jobs_[static_cast<std::size_t>(own - pipeline_.stages.data())];
            if (find(jobs, text)) {
                need.stage = own->name;
                need.job = std::move(text);
                return true;
            }
        }
        if (stage(text)) {
            need.stage = std::move(text);
            return true;
        }
        const auto dot = text.find('.');
        need.stage = text.substr(0, dot);
        if (dot == std::string::npos) return false;
        need.job = text.substr(dot + 1);
        const auto known = stage(need.stage);
        return known && job(*known, need.job);
    }

    [[nodiscard]] std::string suggest(const Need& need, const Stage* own) const {
        std::vector<std::string> candidates;
        const auto known = need.job.empty() ? std::nullopt : stage(need.stage);
        for (std::size_t s = 0; s < pipeline_.stages.size(); ++s) {
            const auto& stage = pipeline_.stages[s];
            if (need.job.empty()) candidates.push_back(stage.name);
            if (need.job.empty() ? &stage == own : known ? s == *known : true)
                for (const auto& job : stage.jobs)
                    candidates.push_back(need.job.empty() ? job.name : stage.name + "." + job.name);
            if (candidates.size() > 2000) break;
        }
        auto guess = did_you_mean(need.job.empty() ? need.stage : need.stage + "." + need.job, candidates);
        if (guess.empty() && candidates.size() <= 20 && !candidates.empty()) guess = "known: " + join(candidates, ", ");
        return guess;
    }

private:
    using Index = std::unordered_map<std::string_view, std::size_t>;
    static std::optional<std::size_t> find(const Index& index, std::string_view name) {
        const auto found = index.find(name);
        return found == index.end() ? std::nullopt : std::optional(found->second);
    }

    const Pipeline& pipeline_;
    Index stages_;
    std::vector<Index> jobs_;
};

void resolve_list(Builder& b, const Names& names, std::vector<Need>& needs, const Stage* own, bool open,
                  const char* how = "needs") {
    std::unordered_set<std::string> seen;
    std::vector<Need> kept;
    for (auto& need : needs) {
        if (!names.resolve(need, own) && !open) {
            const std::string text = need.job.empty() ? need.stage : need.stage + "." + need.job;
            b.error_at(need.mark,
                       std::string(how) + " '" + text.substr(0, 100) + "', but there is no such " +
                           (need.job.empty() ? own ? "job or stage" : "stage" : "job"),
                       names.suggest(need, own));
        }
        if (seen.insert(need.stage + "." + need.job).second) kept.push_back(std::move(need));
    }
    needs = std::move(kept);
}

class Graph {
public:
    Graph(Builder& b, const Pipeline& pipeline, const Names& names) : b_(b), pipeline_(pipeline), names_(names) {
        const auto stages = pipeline.stages.size();
        first_job_.reserve(stages + 1);
        std::size_t next = 2 * stages;
        for (const auto& stage : pipeline.stages) {
            first_job_.push_back(next);
            next += stage.jobs.size();
        }
        edges_.resize(next);
        stage_of_.resize(next);
        for (std::size_t s = 0; s < stages; ++s) connect(s);
    }

    void refuse_cycles() {
        std::vector<char> colour(edges_.size(), 0);
        for (std::size_t s = 0; s < pipeline_.stages.size() && found_ < 20; ++s) search(end(s), colour);
    }

    /// What a job does not wait for may not be there yet.
    void check_sources() {
        for (std::size_t s = 0; s < pipeline_.stages.size(); ++s)
            for (std::size_t j = 0; j < pipeline_.stages[s].jobs.size(); ++j) {
                const auto& job = pipeline_.stages[s].jobs[j];
                if (!job.artifacts_from || job.artifacts_from->empty()) continue;
                const auto reached = reached_from(first_job_[s] + j);
                for (const auto& source : *job.artifacts_from) {
                    const auto node = node_of(source);
                    if (node && reached[*node] == 0)
                        b_.error_at(source.mark, "takes artifacts from '" + label(*node) + "', which it does not need",
                                    "name it in its 'needs', too");
                }
            }
    }

private:
    enum class Why { inside, need, order };
    struct Edge {
        std::size_t to;
        Why why;
        const model::Mark* mark;
    };
    struct Visit {
        std::size_t node;
        std::size_t next = 0;
    };

    [[nodiscard]] std::size_t end(std::size_t stage) const { return pipeline_.stages.size() + stage; }

    void add_needs(std::size_t from, const std::vector<Need>& needs) {
        for (const auto& need : needs)
            if (const auto node = node_of(need)) edges_[from].push_back({*node, Why::need, &need.mark});
    }

    [[nodiscard]] std::optional<std::size_t> node_of(const Need& need) const {
        const auto stage = names_.stage(need.stage);
        if (!stage) return std::nullopt;
        if (need.job.empty()) return end(*stage);
        const auto job = names_.job(*stage, need.job);
        return job ? std::optional(first_job_[*stage] + *job) : std::nullopt;
    }

    [[nodiscard]] std::vector<char> reached_from(std::size_t node) const {
        std::vector<char> reached(edges_.size(), 0);
        std::vector<std::size_t> left{node};
        while (!left.empty()) {
            const auto at = left.back();
            left.pop_back();
            for (const auto& edge : edges_[at])
                if (!std::exchange(reached[edge.to], 1)) left.push_back(edge.to);
        }
        return reached;
    }

    void connect(std::size_t s) {
        const Stage& stage = pipeline_.stages[s];
        stage_of_[s] = stage_of_[end(s)] = s;
        edges_[end(s)].push_back({s, Why::inside, &stage.mark});
        if (stage.needs)
            add_needs(s, *stage.needs);
        else if (s > 0)
            edges_[s].push_back({end(s - 1), Why::order, &stage.mark});
        for (std::size_t j = 0; j < stage.jobs.size(); ++j) {
            const auto node = first_job_[s] + j;
            stage_of_[node] = s;
            edges_[end(s)].push_back({node, Why::inside, &stage.mark});
            edges_[node].push_back({s, Why::inside, &stage.mark});
            if (!stage.parallel && j > 0) edges_[node].push_back({node - 1, Why::order, &stage.jobs[j].mark});
            add_needs(node, stage.jobs[j].needs);
        }
    }

    // Depth first with a stack of our own: a chain of stages is as deep as the file is long.
    void search(std::size_t root, std::vector<char>& colour) {
        if (colour[root]) return;
        std::vector<Visit> stack{{root}};
        colour[root] = 1;
        while (!stack.empty()) {
            Visit& visit = stack.back();
            if (visit.next == edges_[visit.node].size()) {
                colour[visit.node] = 2;
                stack.pop_back();
                continue;
            }
            const Edge& edge = edges_[visit.node][visit.next++];
            if (colour[edge.to] == 1) {
                if (found_++ < 20) report(stack, edge.to);
            } else if (colour[edge.to] == 0) {
                colour[edge.to] = 1;
                stack.push_back({edge.to});
            }
        }
    }

    [[nodiscard]] std::string label(std::size_t node) const {
        const Stage& stage = pipeline_.stages[stage_of_[node]];
        if (node < 2 * pipeline_.stages.size()) return stage.name;
        return stage.name + "." + stage.jobs[node - first_job_[stage_of_[node]]].name;
    }

    void report(const std::vector<Visit>& stack, std::size_t back_to) {
        auto first = std::find_if(stack.begin(), stack.end(), [&](const Visit& v) { return v.node == back_to; });
        std::vector<const Edge*> cycle;
        std::vector<std::size_t> from;
        for (; first != stack.end(); ++first) {
            cycle.push_back(&edges_[first->node][first->next - 1]);
            from.push_back(first->node);
        }
        // Begin with the edge that leaves the stage written first.
        std::size_t start = cycle.size();
        for (std::size_t i = 0; i < cycle.size(); ++i)
            if (cycle[i]->why != Why::inside && (start == cycle.size() || stage_of_[from[i]] < stage_of_[from[start]]))
                start = i;
        if (start == cycle.size()) return;
        std::vector<std::string> path;
        const auto append = [&](std::size_t node) {
            auto name = label(node);
            if (path.empty() || path.back() != name) path.push_back(std::move(name));
        };
        const Edge* implied = nullptr;
        const model::Mark* mark = cycle[start]->mark;
        std::string waiting;
        for (std::size_t i = 0; i < cycle.size(); ++i) {
            const auto k = (start + i) % cycle.size();
            if (cycle[k]->why == Why::inside) continue;
            if (cycle[k]->why == Why::order && !implied) {
                implied = cycle[k];
                waiting = label(from[k]);
            } else if (cycle[k]->why == Why::need && cycle[start]->why != Why::need) {
                mark = cycle[k]->mark;
            }
            append(from[k]);
            append(cycle[k]->to);
        }
        if (path.size() == 1 || path.front() != path.back()) path.push_back(path.front());
        if (path.size() > 20) path.erase(path.begin() + 10, path.end() - 9), path.insert(path.begin() + 10, "...");
        b_.error_at(*mark, "needs form a cycle: " + join(path, " \xE2\x86\x92 ") + " (each waits for the next)",
                    implied ? "'" + waiting + "' waits for what is written before it; give it 'needs' of its own"
                            : "remove one of these needs");
    }

    Builder& b_;
    const Pipeline& pipeline_;
    const Names& names_;
    std::vector<std::size_t> first_job_;
    std::vector<std::vector<Edge>> edges_;
    std::vector<std::size_t> stage_of_;
    int found_ = 0;
};

}  // namespace

void resolve_needs(Builder& b, Pipeline& pipeline) {
    const Names names(pipeline);
    const bool open = !pipeline.includes.empty();
    for (auto& stage : pipeline.stages) {
        if (stage.needs) resolve_list(b, names, *stage.needs, nullptr, open);
        for (auto& job : stage.jobs) {
            if (!job.needs.empty()) resolve_list(b, names, job.needs, &stage, open);
            if (job.artifacts_from) resolve_list(b, names, *job.artifacts_from, &stage, open, "takes artifacts from");
        }
    }
    Graph graph(b, pipeline, names);
    graph.refuse_cycles();
    if (!open) graph.check_sources();
}

}  // namespace cicd::pipeline
