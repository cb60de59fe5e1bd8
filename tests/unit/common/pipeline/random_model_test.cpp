#include "common/pipeline/parse.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace cicd;
using namespace cicd::model;

namespace {

/// Models as the parser makes them: names valid and unique, needs only of what came before.
class RandomPipelines {
public:
    explicit RandomPipelines(unsigned seed) : random_(seed) {}

    Pipeline pipeline() {
        Pipeline p;
        p.name = "pipeline " + std::to_string(below(1000));
        if (maybe()) p.description = "Line one: #1\nline two\n";
        for (auto n = below(3); n > 0; --n) p.triggers.push_back(trigger());
        for (auto n = below(3); n > 0; --n) p.parameters.push_back(parameter("p" + std::to_string(n)));
        p.env = texts();
        if (maybe()) p.concurrency = concurrency();
        p.timeout = duration();
        p.priority = any<Priority>();
        p.shared_workspace = maybe();
        for (auto n = 1 + below(4); n > 0; --n) p.stages.push_back(stage(p.stages));
        p.notifications.on_failure = strings();
        p.notifications.on_blocked = strings();
        return p;
    }

private:
    std::size_t below(std::size_t n) { return random_() % n; }
    bool maybe() { return below(2) == 0; }

    std::string text() {
        static const std::vector<std::string> all{"plain", "with: colon", "true", "3.10", " leading", "two\nlines\n", "no\nend", "#", "'single'", "\"double\"",
                                                  "back\\slash", "${{ params.p1 }}", "a ${{ env.A }} b", "- dash", "null", "ünï", "a\tb", "{x}", "on", "cr\r", "a,b"};
        std::string chosen = all[below(all.size())];
        // Only a pipeline that declares p1 may name it.
        return chosen == "${{ params.p1 }}" ? "${{ vars.p1 }}" : chosen;
    }
    std::string word() { return "w" + std::to_string(below(50)); }
    Strings strings() {
        Strings list;
        for (auto n = below(3); n > 0; --n) list.push_back(text());
        return list;
    }
    Strings words(std::size_t at_least = 0) {
        Strings list;
        for (auto n = at_least + below(3); n > 0; --n) list.push_back(word());
        return list;
    }
    Texts texts() {
        Texts map;
        for (auto n = below(3); n > 0; --n) map.emplace_back("V" + std::to_string(n), maybe() ? text() : "");
        return map;
    }
    std::optional<Milliseconds> duration() {
        if (maybe()) return std::nullopt;
        return Milliseconds(below(100'000'000));
    }
    std::optional<std::uint64_t> size() {
        if (maybe()) return std::nullopt;
        return maybe() ? below(1'000'000) : below(64) << 30;
    }
    template <class E>
    std::optional<E> any() {
        const auto i = below(EnumText<E>::table.size() + 1);
        if (i == EnumText<E>::table.size()) return std::nullopt;
        return EnumText<E>::table[i].first;
    }
    OrExpression<bool> choice() {
        if (below(3) == 0) return {false, "${{ env.X == 'y' }}"};
        return {maybe(), {}};
    }
    Value value(int depth = 2) {
        switch (below(depth > 0 ? 6 : 4)) {
            case 0: return {};
            case 1: return maybe();
            case 2: return static_cast<double>(below(1000)) / 4;
            case 3: return text();
            case 4: return Array{value(depth - 1), value(depth - 1)};
            default: return Object{{"a", value(depth - 1)}, {"b c", value(depth - 1)}};
        }
    }

    Trigger trigger() {
        Trigger t;
        t.type = EnumText<TriggerType>::table[below(6)].first;
        t.enabled = maybe();
        switch (t.type) {
            case TriggerType::push: t.branches = words(); t.tags_ignore = words(); t.paths = words(); break;
            case TriggerType::pull_request: t.branches_ignore = words(); t.types = {"opened"}; break;
            case TriggerType::manual: t.permissions = words(); break;
            case TriggerType::schedule: t.cron = "0 2 * * 1-5"; t.timezone = maybe() ? "UTC" : ""; break;
            case TriggerType::webhook: t.id = "hook" + std::to_string(++counter_); if (maybe()) t.filter = "payload.x"; break;
            case TriggerType::pipeline: t.pipeline = word(); t.on = "failed"; break;
        }
        return t;
    }
    Parameter parameter(std::string name) {
        Parameter p;
        p.name = std::move(name);
        p.required = maybe();
        switch (below(3)) {
            case 0:
                p.type = ParameterType::choice;
                p.values = {"true", "b", "3"};
                if (maybe()) p.default_value = "3";
                break;
            case 1:
                p.type = ParameterType::number;
                p.default_value = static_cast<double>(below(100)) / 8;
                break;
            default:
                p.type = ParameterType::object;
                p.default_value = Object{{"x", value()}};
        }
        return p;
    }
    Concurrency concurrency() { return {text(), choice()}; }
    Step step() {
        Step s;
        if (maybe()) {
            s.uses = "test/unit";
            for (auto n = below(3); n > 0; --n) s.with.emplace_back("i" + std::to_string(n), value());
        } else {
            s.run = text();
        }
        if (below(3) > 0) return s;
        s.name = text();
        s.condition = maybe() ? "always" : "success() && env.A == 'b'";
        s.shell = maybe() ? "sh -e" : "";
        s.env = texts();
        s.continue_on_error = choice();
        s.timeout = duration();
        return s;
    }
    Matrix matrix() {
        Matrix m;
        if (below(4) == 0) {
            m.expression = "${{ fromJSON(vars.M) }}";
            return m;
        }
        m.axes.push_back({"os", {value(), "b"}, ""});
        if (maybe()) m.axes.push_back({"v", {}, "${{ fromJSON(vars.V) }}"});
        if (maybe()) m.include = {Object{{"os", "x"}, {"extra", value()}}};
        if (maybe()) m.exclude_expression = "${{ fromJSON(vars.X) }}";
        return m;
    }
    ContainerOptions options() {
        return {"${{ vars.WHO }}:${{ secrets.REGISTRY }}", {"data:/data:ro", "/srv:/srv"}, maybe() ? "box" : "", words(), {"other:10.0.0.1"},
                texts(), {"/scratch"}, {"nofile=1024"}, maybe() ? std::optional(0.5) : std::nullopt, size(), size()};
    }
    Job job(std::string name) {
        Job j;
        j.name = std::move(name);
        if (maybe()) j.description = "about it";
        if (maybe()) j.condition = "on_failure";
        if (maybe()) j.image = Image{"debian:12", maybe() ? "never" : "", "", "", "", maybe() ? options() : ContainerOptions{}};
        j.executor = any<ExecutorKind>();
        j.network = any<NetworkMode>();
        if (maybe()) j.system = any<SystemMode>();
        j.env = texts();
        if (maybe()) j.resources = {0.5, size(), 1, "h200", size(), 100};
        if (maybe()) j.cache.push_back({text(), strings(), words(1), "branch", "pull", duration(), {}});
        if (maybe()) j.artifacts.push_back({text(), words(1), words(), "model", duration(), ArtifactWhen::always, {}});
        if (maybe()) j.services = {{"db", "postgres", text(), duration(), "77:88", strings(), texts(), {"5432"}, {}, words(), "/srv", options()},
                                    {"r", "redis", "", {}, "", {}, {}, {}, {}, {}, "", {}},
                                    {"s", "", "", {}, "", {"run it"}, {}, {}, {}, {}, "", {}}};
        if (maybe()) j.volumes = {{"data", "/data", size()}};
        if (maybe()) j.zone = ZoneSelector{word(), {{"gpu", "1"}}, any<ZoneStrategy>()};
        j.timeout = duration();
        j.silence_timeout = duration();
        j.fail_on_silence = maybe();
        if (maybe()) j.git_depth = static_cast<int>(below(3));
        if (maybe()) j.retry = Retry{static_cast<int>(below(5)), maybe() ? std::vector{EndReason::lost} : std::vector<EndReason>{}, codes(), Milliseconds(below(2) * 1500)};
        j.allow_failure = choice();
        if (j.allow_failure == OrExpression<bool>{}) j.allowed_exit_codes = codes();
        if (maybe()) j.matrix = matrix();
        j.fail_fast = choice();
        if (maybe()) j.max_parallel = 3;
        if (maybe()) j.reports = Reports{words(), words(), maybe() ? std::optional(Coverage{"c.xml", "", "", "", 80}) : std::nullopt, ""};
        j.outputs = texts();
        j.environment = maybe() ? "staging" : "";
        j.working_directory = maybe() ? "src" : "";
        j.priority = any<Priority>();
        if (maybe()) j.concurrency = concurrency();
        j.reuse = maybe();
        for (auto n = 1 + below(3); n > 0; --n) j.steps.push_back(step());
        if (maybe()) behind(j.steps);
        return j;
    }
    std::vector<int> codes() { return maybe() ? std::vector{1 + static_cast<int>(below(255)), 7} : std::vector<int>{}; }
    /// Steps in the background, and what waits for them.
    void behind(std::vector<Step>& steps) {
        steps.push_back({.id = "server", .run = text(), .background = true});
        for (const int group : {1, 2}) {
            for (auto n = 1 + below(3); n > 0; --n) steps.push_back({.run = text(), .background = true, .parallel = group});
            steps.push_back({.name = maybe() ? text() : "", .continue_on_error = choice(), .control = StepControl::wait, .parallel = group});
        }
        steps.push_back({.control = StepControl::wait, .targets = {"server"}});
        steps.push_back({.control = StepControl::cancel, .targets = {"server"}});
        steps.push_back({.control = StepControl::wait_all});
    }
    Stage stage(const std::vector<Stage>& before) {
        Stage s;
        s.name = "stage" + std::to_string(before.size());
        if (maybe() || before.empty()) s.needs.emplace();
        if (s.needs && !before.empty()) s.needs->push_back({before[below(before.size())].name, "", {}});
        if (maybe()) s.condition = "!cancelled()";
        s.parallel = maybe();
        s.fail_fast = s.parallel && maybe();
        s.timeout = duration();
        s.env = texts();
        if (maybe()) s.gate = Gate{"quality", 2, words(), words(), duration(), "always", "", {}};
        if (maybe()) s.deploy = Deploy{"dist", Object{{"type", "rolling"}, {"x", value()}}, {}, Object{{"driver", "ssh"}}, {}, {}};
        if (maybe()) {
            Job only = job(s.name);
            if (maybe()) {
                only.description.clear();
                only.condition.clear();
                only.environment.clear();
                only.timeout.reset();
                only.env.clear();
            }
            s.jobs.push_back(only);
        } else {
            for (auto n = 1 + below(3); n > 0; --n) {
                // A job may have the name of another stage: its own stage's jobs come first.
                Job next = job(maybe() || before.empty() ? "job" + std::to_string(n) : before[0].name + (n == 1 ? "" : std::to_string(n)));
                if (!before.empty() && maybe()) next.needs.push_back({before[0].name, "", {}});
                if (!s.jobs.empty()) next.needs.push_back({s.name, s.jobs.back().name, {}});
                if (maybe()) next.artifacts_from = maybe() ? next.needs : std::vector<Need>{};
                s.jobs.push_back(next);
            }
        }
        return s;
    }

    std::mt19937 random_;
    int counter_ = 0;
};

}  // namespace

TEST_CASE("every model comes back the same from its YAML and from its JSON form") {
    RandomPipelines random(7);
    for (int i = 0; i < 400; ++i) {
        const Pipeline made = random.pipeline();
        const auto yaml = pipeline::export_yaml(made);
        const auto from_yaml = pipeline::parse_pipeline(yaml, "t");
        for (const auto& p : from_yaml.problems) FAIL_CHECK(p.line, ":", p.column, " ", p.message, "\n", yaml);
        CHECK_MESSAGE(from_yaml.value == made, yaml);
        CHECK(pipeline::parse_pipeline(pipeline::export_value(made), "t").value == made);
        if (!from_yaml.ok() || from_yaml.value != made) break;
    }
}
