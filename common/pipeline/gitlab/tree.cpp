#include "common/pipeline/gitlab/tree.hpp"

#include "common/base/text.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t most_made = 500'000;
constexpr std::size_t most_items = 50'000;

bool is_integer(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string scalar_text(const Node& node) { return pipeline::scalar_text(node, is_integer); }

const Node* Reader::load(std::string_view text, const std::string& file) {
    files_.push_back(file);
    documents_.push_back(load_yaml(text, file, {.references = true, .repeated_keys = true, .file = static_cast<int>(files_.size()) - 1}));
    const auto& document = documents_.back();
    auto& problems = front_.parsed.problems;
    problems.insert(problems.end(), document.problems.begin(), document.problems.end());
    return document.root;
}

void Reader::find(Carried kind, const Node& at, std::string what, std::string reason) {
    const auto& file = files_.empty() ? std::string() : files_[static_cast<std::size_t>(at.file)];
    auto& findings = front_.report.findings;
    const auto [known, is_new] = told_.try_emplace({file, at.line, at.column, what}, findings.size());
    if (is_new) findings.push_back({kind, file, at.line, at.column, std::move(what), std::move(reason)});
    auto& jobs = findings[known->second].jobs;
    const auto same = [&](const model::Mark& job) { return job.file == about->file && job.line == about->line; };
    if (about && std::none_of(jobs.begin(), jobs.end(), same)) jobs.push_back(*about);
}

void Reader::find_of_file(Carried kind, const Node& at, std::string what, std::string reason) {
    if (!told_of_file_.insert(what).second) return;
    find(kind, at, std::move(what), std::move(reason));
    front_.report.findings.back().of_file = true;
}

void Reader::problem(Severity severity, const Node& at, std::string message, std::string suggestion) {
    if (front_.parsed.problems.size() >= 500 || !complained_.insert({at.file, at.line, at.column, message}).second) return;
    front_.parsed.problems.push_back({severity, files_.empty() ? "" : files_[static_cast<std::size_t>(at.file)], at.line, at.column, "",
                                      std::move(message), std::move(suggestion)});
}

void Reader::missing(const Node& at, const std::string& what, const std::string& message, const std::string& suggestion) {
    if (complete) return error(at, message, suggestion);
    manual(at, what, message + "; it may be in a file that was not read");
}

model::Mark Reader::mark(const Node& at) const {
    model::Mark mark;
    if (!files_.empty()) mark.file = files_[static_cast<std::size_t>(at.file)];
    mark.line = at.line;
    mark.column = at.column;
    return mark;
}

std::string Reader::text(const Node& at) {
    if (at.kind == NodeKind::list || at.kind == NodeKind::map) {
        if (at.reference) return {};  // it led nowhere, which is told
        error(at, "must be a text, not " + at.describe());
        return {};
    }
    return scalar_text(at);
}

void Reader::flatten(const Node& at, std::vector<const Node*>& into, int depth) {
    if (at.reference || into.size() >= most_items) return;
    if (at.kind != NodeKind::list) {
        if (at.kind != NodeKind::null) into.push_back(&at);
        return;
    }
    if (depth > limits::depth) return;
    for (const Node* item : at.items) flatten(*item, into, depth + 1);
}

std::vector<const Node*> Reader::flat(const Node& at) {
    std::vector<const Node*> list;
    flatten(at, list, 0);
    if (list.size() >= most_items) error(at, "more than " + std::to_string(most_items) + " entries once references are followed");
    return list;
}

model::Strings Reader::texts(const Node& at) {
    model::Strings list;
    for (const Node* item : flat(at)) list.push_back(text(*item));
    return list;
}

Node& Reader::make(NodeKind kind, const Node& like) {
    if (made_.size() == most_made) error(like, "the configuration becomes too large once 'extends' and references are followed");
    Node& node = made_.emplace_back();
    node.kind = kind;
    node.line = like.line;
    node.column = like.column;
    node.file = like.file;
    return node;
}

const Node* Reader::make_text(std::string text, const Node& like) {
    Node& node = make(NodeKind::text, like);
    node.text = std::move(text);
    return &node;
}

const Node* Reader::empty_map() {
    static const Node none = [] {
        Node node;
        node.kind = NodeKind::map;
        node.line = node.column = 1;
        return node;
    }();
    return &none;
}

const Node* Reader::merge(const Node& below, const Node& above, int depth) {
    if (below.kind != NodeKind::map || above.kind != NodeKind::map || depth > limits::depth || made_.size() > most_made) return &above;
    if (below.members.empty()) return &above;
    Node& merged = make(NodeKind::map, above);
    merged.members = below.members;
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < merged.members.size(); ++i) places.emplace(merged.members[i].key->text, i);
    for (const auto& member : above.members) {
        const auto known = places.find(member.key->text);
        if (known == places.end()) {
            merged.members.push_back(member);
            continue;
        }
        auto& place = merged.members[known->second];
        place = {member.key, merge(*place.value, *member.value, depth + 1)};
    }
    return &merged;
}

}  // namespace cicd::pipeline::gitlab
