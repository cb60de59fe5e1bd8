#include "common/pipeline/gitlab/load.hpp"

#include "common/base/text.hpp"
#include "common/pipeline/gitlab/files.hpp"
#include "common/pipeline/gitlab/inputs.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t deepest = 20;
constexpr int most_files = 150;

bool is_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

void count_members(Reader& r, const Node& at, int depth = 0) {
    if (depth > limits::depth) return;
    r.count(static_cast<int>(at.members.size()));
    for (const auto& member : at.members) count_members(r, *member.value, depth + 1);
    for (const Node* item : at.items)
        if (item->kind != NodeKind::list || !item->reference) count_members(r, *item, depth + 1);
}

class Loader {
public:
    explicit Loader(const Setting& setting) : s_(setting), r_(setting.r) {}

    const Node* load(std::string_view text, const std::string& file, const Node* inputs) {
        auto parts = split_header(text);
        const Node* root = r_.load(parts.body, file);
        if (!root) return nullptr;
        if (root->kind == NodeKind::null) return r_.empty_map();
        if (root->kind != NodeKind::map) {
            r_.error(*root, "must be a map of jobs, not " + root->describe());
            return nullptr;
        }
        count_members(r_, *root);
        if (!parts.header.empty()) root = with_inputs(r_, *root, r_.load(parts.header, file), inputs);
        const Node* includes = root->find("include");
        if (!includes) return root;
        chain_.push_back(file);
        // What decides whether a file is included is what this one says.
        Variables variables = predefined(s_.options.facts, s_.event, chain_.front());
        if (const Node* own = root->find("variables")) variables.add(read_variables(r_, *own));
        for (const auto& [name, value] : s_.options.facts.variables) variables.set(name, value);
        const Node* below = r_.empty_map();
        for (const Node* entry : r_.flat(*includes))
            for (const Node* part : included(*entry, variables)) below = r_.merge(*below, *part);
        chain_.pop_back();
        return r_.merge(*below, *root);
    }

private:
    std::vector<const Node*> included(const Node& entry, const Variables& variables) {
        if (entry.kind != NodeKind::map) {
            const auto text = variables.expand_known(r_.text(entry));
            return is_url(text) ? foreign(entry, "remote", {text}, nullptr) : local(entry, text, nullptr);
        }
        if (const Node* rules = entry.find("rules"))
            if (decide_rules(s_, *rules, variables, "this include").when == When::never) return {};
        const Node* inputs = entry.find("inputs");
        const auto text = [&](const char* key) { return variables.expand_known(r_.text(*entry.find(key))); };
        if (entry.find("local")) return local(*entry.find("local"), text("local"), inputs);
        if (entry.find("remote")) return foreign(entry, "remote", {text("remote")}, inputs);
        if (entry.find("template")) return foreign(entry, "template", {"templates/" + text("template")}, inputs);
        if (entry.find("component")) return foreign(entry, "component", {text("component")}, inputs);
        if (entry.find("project")) {
            model::Strings files;
            if (const Node* file = entry.find("file"))
                for (const auto& name : r_.texts(*file)) files.push_back(text("project") + "/" + variables.expand_known(name));
            return foreign(entry, "project", files, inputs);
        }
        if (entry.find("artifact")) return foreign(entry, "artifact", {}, inputs);
        r_.error(entry, "an include names no file", "local, project, remote, template or component");
        return {};
    }

    std::vector<const Node*> local(const Node& at, const std::string& path, const Node* inputs) {
        if (!s_.options.read_file) {
            r_.complete = false;
            r_.manual(at, "include: " + path, "the file that is included was not looked at");
            return {};
        }
        const auto files = files_of(s_.options, path);
        if (files.empty()) absent(at, path, "no file is named " + path);
        std::vector<const Node*> found;
        for (const auto& file : files) {
            const auto text = s_.options.read_file(file);
            if (!text) absent(at, file, "include of " + file + ": " + text.error().message, text.error().hint);
            else if (const Node* part = nested(at, *text, file, inputs)) found.push_back(part);
        }
        return found;
    }

    /// A conversion goes as far as it can.
    void absent(const Node& at, const std::string& file, const std::string& message, const std::string& hint = {}) {
        if (!s_.options.facts.every_run) return r_.error(at, message, hint);
        r_.complete = false;
        r_.manual(at, "include: " + file, "the file is not there; what it says is missing");
    }

    /// Nothing is fetched: copies of such files may lie in the repository, where everybody sees which they are.
    std::vector<const Node*> foreign(const Node& at, const std::string& kind, const model::Strings& names, const Node* inputs) {
        std::vector<const Node*> found;
        bool all = !names.empty();
        for (auto name : names) {
            if (is_url(name)) name.erase(0, name.find("://") + 3);
            if (kind == "component") name = name.substr(0, name.rfind('@')) + ".yml";
            while (name.find("//") != name.npos) name.erase(name.find("//"), 1);
            const auto path = copies_folder + name;
            const auto text = s_.options.read_file && path.find("..") == path.npos ? s_.options.read_file(path) : Result<std::string>(not_found("PIPELINE_001", "not looked at"));
            if (!text) {
                all = false;
                r_.complete = false;
                r_.manual(at, "include: " + kind + ": " + name, "nothing is fetched; put a copy of the file at " + path);
            } else if (const Node* part = nested(at, *text, path, inputs)) {
                found.push_back(part);
            }
        }
        if (names.empty()) r_.complete = false, r_.unsupported(at, "include: " + kind, "the file is made by another job");
        if (all && kind != "template") r_.approximated(at, "include: " + kind, "the copy in the repository is used, whatever version is asked for");
        return found;
    }

    const Node* nested(const Node& at, std::string_view text, const std::string& file, const Node* inputs) {
        if (std::find(chain_.begin(), chain_.end(), file) != chain_.end()) {
            r_.error(at, "files include each other in a circle: " + join(chain_, " → ") + " → " + file);
            return nullptr;
        }
        if (chain_.size() >= deepest || ++count_ > most_files) {
            r_.error(at, "more than " + std::to_string(most_files) + " files are included, or deeper than twenty levels");
            return nullptr;
        }
        return load(text, file, inputs);
    }

    const Setting& s_;
    Reader& r_;
    std::vector<std::string> chain_;
    int count_ = 0;
};

}  // namespace

const Node* load_all(const Setting& setting, std::string_view text, const std::string& file) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    // Only the file of that name is a whole one; others may be parts of it.
    const bool part = setting.options.facts.every_run && file.substr(file.rfind('/') + 1) != ".gitlab-ci.yml";
    if (!setting.options.read_file || part) setting.r.complete = false;
    return Loader(setting).load(text, file, nullptr);
}

}  // namespace cicd::pipeline::gitlab
