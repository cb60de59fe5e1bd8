#include "common/base/text.hpp"
#include "common/pipeline/gitlab/tree.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t deepest_extends = 11;
constexpr std::size_t deepest_reference = 10;

class Extends {
public:
    Extends(Reader& reader, const Node& root) : r_(reader), root_(root) {
        for (const auto& member : root.members) names_.emplace(member.key->text, member.value);
    }

    const Node* all() {
        Node& result = r_.make(NodeKind::map, root_);
        for (const auto& member : root_.members) result.members.push_back({member.key, of(member.key->text, *member.value)});
        return &result;
    }

private:
    const Node* of(const std::string& name, const Node& own) {
        if (own.kind != NodeKind::map) return &own;
        const Node* bases = own.find("extends");
        if (!bases) return &own;
        if (const auto known = done_.find(name); known != done_.end()) return known->second;
        if (std::find(chain_.begin(), chain_.end(), name) != chain_.end()) {
            r_.error(*bases, "jobs extend each other in a circle: " + join(chain_, " → ") + " → " + name);
            return &own;
        }
        if (chain_.size() >= deepest_extends) {
            r_.error(*bases, "'extends' is deeper than eleven levels: " + join(chain_, " → "));
            return &own;
        }
        chain_.push_back(name);
        const Node* result = r_.empty_map();
        for (const Node* base : r_.flat(*bases)) {
            const auto found = names_.find(scalar_text(*base));
            if (found == names_.end() || found->second->kind != NodeKind::map) {
                unknown(*base);
                continue;
            }
            result = r_.merge(*result, *of(std::string(found->first), *found->second));
        }
        result = r_.merge(*result, own);
        chain_.pop_back();
        return done_[name] = result;
    }

    void unknown(const Node& base) {
        std::vector<std::string> known;
        for (const auto& [name, value] : names_)
            if (value->kind == NodeKind::map) known.emplace_back(name);
        const auto name = scalar_text(base);
        r_.missing(base, "extends: " + name, "there is no job or template '" + name + "' to extend", did_you_mean(name, known));
    }

    Reader& r_;
    const Node& root_;
    std::unordered_map<std::string_view, const Node*> names_;
    std::unordered_map<std::string, const Node*> done_;
    std::vector<std::string> chain_;
};

class References {
public:
    References(Reader& reader, const Node& root) : r_(reader), root_(root) {}

    const Node* settle(const Node& node) {
        if (node.kind != NodeKind::list && node.kind != NodeKind::map) return &node;
        if (const auto known = done_.find(&node); known != done_.end()) return known->second;
        const Node* result = node.reference ? follow(node) : rebuilt(node);
        done_[&node] = result;
        return result;
    }

private:
    const Node* rebuilt(const Node& node) {
        std::vector<const Node*> items;
        std::vector<Node::Member> members;
        bool changed = false;
        for (const Node* item : node.items) {
            items.push_back(settle(*item));
            changed |= items.back() != item;
        }
        for (const auto& member : node.members) {
            members.push_back({member.key, settle(*member.value)});
            changed |= members.back().value != member.value;
        }
        if (!changed) return &node;
        Node& made = r_.make(node.kind, node);
        made.items = std::move(items);
        made.members = std::move(members);
        return &made;
    }

    const Node* follow(const Node& node) {
        std::vector<std::string> path;
        for (const Node* part : node.items) path.push_back(scalar_text(*part));
        const auto shown = "!reference [" + join(path, ", ") + "]";
        if (std::find(open_.begin(), open_.end(), &node) != open_.end() || open_.size() >= deepest_reference) {
            r_.error(node, shown + (open_.size() >= deepest_reference ? " is nested deeper than ten levels" : " leads to itself"));
            return &node;
        }
        const Node* at = &root_;
        for (const auto& part : path) {
            at = at->kind == NodeKind::map ? at->find(part) : nullptr;
            if (!at) break;
            if (at->reference) at = settle_open(node, *at);
        }
        if (!at || path.empty()) {
            r_.missing(node, shown, shown + " leads nowhere");
            return &node;
        }
        return settle_open(node, *at);
    }

    const Node* settle_open(const Node& from, const Node& target) {
        open_.push_back(&from);
        const Node* result = settle(target);
        open_.pop_back();
        return result;
    }

    Reader& r_;
    const Node& root_;
    std::unordered_map<const Node*, const Node*> done_;
    std::vector<const Node*> open_;
};

}  // namespace

const Node* resolve(Reader& reader, const Node& root) {
    const Node* extended = Extends(reader, root).all();
    return References(reader, *extended).settle(*extended);
}

}  // namespace cicd::pipeline::gitlab
