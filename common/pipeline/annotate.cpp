#include "common/base/text.hpp"
#include "common/pipeline/comments.hpp"
#include "common/pipeline/node.hpp"

#include <algorithm>
#include <map>
#include <set>

/// Comments find their places by lines: a line of an original is an element of the model, by its mark, or of the file's own
/// tree; that is a path in our YAML, and that path is a line again.
namespace cicd::pipeline {
namespace {

using Path = std::vector<std::string>;

/// The lines on which keys and items begin.
struct Tree {
    std::map<Path, int> lines;
    std::map<int, Path> paths;  ///< of each line the outermost

    explicit Tree(std::string_view text) : document_(load_yaml(text, "", {.references = true, .repeated_keys = true})) {
        if (document_.root) walk(*document_.root, {}, 0);
    }
    /// Ours or what is around it; 0 where there is nothing.
    [[nodiscard]] int line_of(Path path) const {
        for (; !path.empty(); path.pop_back())
            if (const auto found = lines.find(path); found != lines.end()) return found->second;
        return 0;
    }
    [[nodiscard]] std::string text_at(const Path& path) const {
        const Node* at = document_.root;
        for (const auto& part : path) {
            if (!at) return "";
            if (at->kind == NodeKind::list) at = std::stoul(part) < at->items.size() ? at->items[std::stoul(part)] : nullptr;
            else at = at->find(part);
        }
        return at && at->is_scalar() ? at->text : "";
    }

private:
    static constexpr std::size_t most = 20'000;

    void walk(const Node& node, const Path& path, int from) {
        if (lines.size() > most) return;
        const auto add = [&](const std::string& part, const Node& at, const Node& value) {
            if (at.line < from) return;  // an alias: it stands elsewhere
            auto own = path;
            own.push_back(part);
            lines.emplace(own, at.line);
            paths.emplace(at.line, own);
            walk(value, own, at.line);
        };
        for (const auto& [key, value] : node.members) add(key->text, *key, *value);
        for (std::size_t i = 0; i < node.items.size(); ++i) add(std::to_string(i), *node.items[i], *node.items[i]);
    }

    Document document_;
};

/// Their word for a key of a job, and ours.
const std::map<std::string, std::string, std::less<>>& job_keys() {
    static const std::map<std::string, std::string, std::less<>> keys{
        {"script", "steps"}, {"before_script", "steps"}, {"steps", "steps"}, {"variables", "env"}, {"env", "env"}, {"rules", "condition"}, {"only", "condition"},
        {"except", "condition"}, {"if", "condition"}, {"when", "condition"}, {"needs", "needs"}, {"parallel", "matrix"}, {"strategy", "matrix"},
        {"allow_failure", "allowFailure"}, {"continue-on-error", "allowFailure"}, {"artifacts", "artifacts"}, {"cache", "cache"}, {"caches", "cache"}, {"image", "image"},
        {"container", "image"}, {"services", "services"}, {"retry", "retry"}, {"timeout", "timeout"}, {"timeout-minutes", "timeout"}, {"environment", "environment"},
        {"outputs", "outputs"}, {"concurrency", "concurrency"}, {"resource_group", "concurrency"}};
    return keys;
}

/// Where lines of the originals are in our YAML.
class Places {
public:
    Places(const std::string& yaml, const model::Pipeline& pipeline, const std::string& file, const Originals& originals) : ours_(yaml), file_(file) {
        for (const auto& [name, text] : originals) trees_.emplace(name, Tree(text));
        for (const auto& trigger : pipeline.triggers) note(trigger.mark, {"triggers", std::to_string(&trigger - pipeline.triggers.data())});
        for (const auto& parameter : pipeline.parameters) note(parameter.mark, {"parameters", parameter.name});
        for (std::size_t i = 0; i < pipeline.stages.size(); ++i) note_stage(pipeline.stages[i], {"stages", std::to_string(i)});
    }

    /// 0: nothing of it is there.
    [[nodiscard]] int line_of(const std::string& file, int line) const {
        const auto tree = trees_.find(file);
        if (tree == trees_.end()) return 0;
        const auto found = tree->second.paths.find(line);
        if (found == tree->second.paths.end()) return 0;
        for (auto path = found->second; !path.empty(); path.pop_back())
            if (const auto own = ours_of(file, tree->second, path); !own.empty())
                if (const int there = ours_.line_of(own)) return there;
        return 0;
    }
    [[nodiscard]] int line_of_job(const model::Mark& job) const {
        const auto found = jobs_.find(key_of(job));
        return found == jobs_.end() ? 0 : ours_.line_of(found->second);
    }
    /// The job that a line is in, without knowing the file: the nearest above.
    [[nodiscard]] int line_of_job_around(const std::string& file, int line) const {
        auto next = jobs_.upper_bound({file, line});
        if (next == jobs_.begin() || (--next)->first.first != file) return 0;
        return ours_.line_of(next->second);
    }

private:
    [[nodiscard]] std::pair<std::string, int> key_of(const model::Mark& mark) const { return {mark.file.empty() ? file_ : mark.file, mark.line}; }
    void note(const model::Mark& mark, const Path& path) {
        if (mark.line > 0) elements_.emplace(key_of(mark), path);
    }

    void note_stage(const model::Stage& stage, const Path& path) {
        stages_.emplace(stage.name, path);
        for (const auto& job : stage.jobs) {
            auto own = path;
            own.insert(own.end(), {"jobs", job.name});
            if (!ours_.lines.contains(own)) own = path;  // a stage that is its only job
            note(job.mark, own);
            if (job.mark.line > 0) jobs_.emplace(key_of(job.mark), own);
            for (std::size_t i = 0; i < job.steps.size(); ++i) note(job.steps[i].mark, below(own, ours_.lines.contains(below(own, "steps")) ? "steps" : "commands", std::to_string(i)));
            for (std::size_t i = 0; i < job.artifacts.size(); ++i) note(job.artifacts[i].mark, below(own, "artifacts", std::to_string(i)));
            for (std::size_t i = 0; i < job.cache.size(); ++i) note(job.cache[i].mark, below(own, "cache", std::to_string(i)));
            for (const auto& service : job.services) note(service.mark, below(own, "services", service.name));
        }
    }

    static Path below(Path path, const std::string& key, const std::string& inner = {}) {
        path.push_back(key);
        if (!inner.empty()) path.push_back(inner);
        return path;
    }

    [[nodiscard]] Path ours_of(const std::string& file, const Tree& tree, const Path& path) const {
        if (const auto found = elements_.find({file, tree.lines.at(path)}); found != elements_.end()) return found->second;
        if (const auto own = of_pipeline(tree, path); !own.empty()) return own;
        // A key of a job, and what is in it.
        for (std::size_t size = path.size(); size-- > 1;) {
            const auto job = jobs_.find({file, tree.line_of({path.begin(), path.begin() + static_cast<std::ptrdiff_t>(size)})});
            if (job == jobs_.end()) continue;
            const auto key = job_keys().find(path[size]);
            if (key == job_keys().end()) break;
            auto own = below(job->second, key->second);
            if (key->second == "steps" && !ours_.lines.contains(own)) own.back() = "commands";
            if (key->second == "env" && path.size() > size + 1) own.push_back(path[size + 1]);
            return own;
        }
        return first_within(file, tree, path);
    }

    [[nodiscard]] Path of_pipeline(const Tree& tree, const Path& path) const {
        const auto& key = path[0];
        if (key == "variables" || key == "env") {
            if (path.size() == 1) return {"env"};
            return ours_.lines.contains(Path{"parameters", path[1]}) ? Path{"parameters", path[1]} : Path{"env", path[1]};
        }
        if (key == "stages" && path.size() == 2)
            if (const auto stage = stages_.find(tree.text_at(path)); stage != stages_.end()) return stage->second;
        if (key == "stages") return {"stages"};
        if (path.size() > 1) return {};
        if (key == "on" || key == "workflow" || key == "true") return {"triggers"};
        if (key == "name" || key == "concurrency") return {key};
        if (key == "jobs" || key == "pipelines") return {"stages"};
        return {};
    }

    /// The first element that was made of something in it.
    [[nodiscard]] Path first_within(const std::string& file, const Tree& tree, const Path& path) const {
        for (auto it = elements_.lower_bound({file, tree.lines.at(path)}); it != elements_.end() && it->first.first == file; ++it) {
            const auto inner = tree.paths.find(it->first.second);
            if (inner == tree.paths.end()) continue;
            if (inner->second.size() < path.size() || !std::equal(path.begin(), path.end(), inner->second.begin())) break;
            return it->second;
        }
        return {};
    }

    Tree ours_;
    std::string file_;
    std::map<std::string, Tree> trees_;
    std::map<std::pair<std::string, int>, Path> elements_, jobs_;
    std::map<std::string, Path> stages_;
};

std::string_view word(Carried kind) {
    switch (kind) {
        case Carried::approximated: return "differs";
        case Carried::unsupported: return "not converted";
        case Carried::manual: return "to do";
    }
    return "";
}

std::string told(const Finding& finding, const std::string& file) {
    const auto place = finding.line == 0 ? "" : (finding.file == file || finding.file.empty() ? "" : finding.file + ", ") + "line " + std::to_string(finding.line) + ": ";
    auto text = "# " + std::string(word(finding.kind)) + ": " + place + finding.what + ": " + finding.reason;
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

/// The line of a step that stands for what was not converted.
int line_of_step(const std::string& yaml, const std::string& what) {
    const auto at = yaml.find("not converted: " + what);
    return at == std::string::npos ? 0 : static_cast<int>(std::count(yaml.begin(), yaml.begin() + static_cast<std::ptrdiff_t>(at), '\n')) + 1;
}

class Page {
public:
    void add(int line, const std::string& comment) { (line > 0 ? above_[line] : top_).push_back(comment); }
    void add_header(const std::string& comment) { header_.push_back(comment); }

    [[nodiscard]] std::string text(const std::string& yaml, const std::string& file) const {
        std::string text;
        for (const auto& line : header_) text += line + "\n";
        if (!header_.empty()) text += "\n";
        text += "# From " + file + ".\n";
        for (const auto& line : top_) text += line + "\n";
        int number = 0;
        auto rows = split(yaml, '\n');
        if (!rows.empty() && rows.back().empty()) rows.pop_back();
        for (const auto& row : rows) {
            if (const auto found = above_.find(++number); found != above_.end())
                for (const auto& line : found->second) text += std::string(std::min(row.find_first_not_of(' '), row.size()), ' ') + line + "\n";
            text += row + "\n";
        }
        return text;
    }

private:
    std::vector<std::string> header_, top_;
    std::map<int, std::vector<std::string>> above_;
};

void add_comments(Page& page, const Places& places, const std::string& file, const Originals& originals) {
    for (const auto& [name, text] : originals)
        for (const auto& comment : comments_of(text)) {
            const int line = comment.line == 0 ? 0 : places.line_of(name, comment.line);
            if (line == 0 && name != file) continue;  // of an included file's own matters
            for (const auto& each : comment.text)
                if (comment.line == 0) page.add_header(each);
                else page.add(line, each);
        }
}

void add_findings(Page& page, const Places& places, const std::string& yaml, const Report& report, const std::string& file) {
    for (const auto& finding : report.findings) {
        const auto comment = told(finding, file);
        const int step = finding.kind == Carried::approximated ? 0 : line_of_step(yaml, finding.what);
        if (step > 0 || finding.of_file || finding.line == 0) {
            page.add(step, comment);
            continue;
        }
        if (finding.jobs.empty()) page.add(places.line_of_job_around(finding.file, finding.line), comment);
        std::set<int> lines;
        for (const auto& job : finding.jobs)
            if (lines.insert(places.line_of_job(job)).second) page.add(places.line_of_job(job), comment);
    }
}

}  // namespace

std::string with_comments(const std::string& yaml, const Converted& converted, const std::string& file, const Originals& originals) {
    const Places places(yaml, converted.pipeline, file, originals);
    Page with, without;
    add_comments(with, places, file, originals);
    add_findings(with, places, yaml, converted.report, file);
    auto text = with.text(yaml, file);
    // A comment never changes what is read.
    if (export_value(parse_pipeline(text, file).value) == export_value(parse_pipeline(yaml, file).value)) return text;
    add_findings(without, places, yaml, converted.report, file);
    return without.text(yaml, file);
}

}  // namespace cicd::pipeline
