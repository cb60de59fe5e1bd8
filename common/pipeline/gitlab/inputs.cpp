#include "common/pipeline/gitlab/inputs.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <map>

namespace cicd::pipeline::gitlab {
namespace {

using Inputs = std::map<std::string, const Node*>;

class Filler {
public:
    Filler(Reader& reader, const Inputs& inputs) : r_(reader), inputs_(inputs) {}

    const Node* fill(const Node& node) {
        if (node.kind == NodeKind::text && node.text.find("$[[") != node.text.npos) return fill_text(node);
        if (node.kind != NodeKind::list && node.kind != NodeKind::map) return &node;
        if (const auto known = done_.find(&node); known != done_.end()) return known->second;
        Node& made = r_.make(node.kind, node);
        made.reference = node.reference;
        for (const Node* item : node.items) made.items.push_back(fill(*item));
        for (const auto& [key, value] : node.members) made.members.push_back({fill(*key), fill(*value)});
        return done_[&node] = &made;
    }

private:
    const Node* fill_text(const Node& node) {
        std::string text;
        for (std::size_t at = 0;;) {
            const auto begin = node.text.find("$[[", at);
            const auto end = begin == node.text.npos ? begin : node.text.find("]]", begin);
            if (end == node.text.npos) return r_.make_text(text + node.text.substr(at), node);
            const auto inside = trim(std::string_view(node.text).substr(begin + 3, end - begin - 3));
            const Node* value = value_of(inside, node);
            if (value && begin == 0 && end + 2 == node.text.size()) return value;
            text += node.text.substr(at, begin - at) + (value && value->is_scalar() ? scalar_text(*value) : "");
            at = end + 2;
        }
    }

    const Node* value_of(std::string_view inside, const Node& at) {
        const auto bar = inside.find('|');
        const auto path = trim(inside.substr(0, bar));
        if (bar != inside.npos && trim(inside.substr(bar + 1)) != "expand_vars")
            r_.approximated(at, "$[[ " + std::string(inside) + " ]]", "the input is taken as it is, without the function");
        if (!path.starts_with("inputs.")) {
            r_.error(at, "'$[[ " + std::string(inside) + " ]]' names no input", "write $[[ inputs.name ]]");
            return nullptr;
        }
        const auto found = inputs_.find(std::string(path.substr(7)));
        if (found != inputs_.end()) return found->second;
        r_.error(at, "there is no input '" + std::string(path.substr(7)) + "'", "name it under 'spec: inputs:' at the top of the file");
        return nullptr;
    }

    Reader& r_;
    const Inputs& inputs_;
    std::unordered_map<const Node*, const Node*> done_;
};

}  // namespace

Parts split_header(std::string_view text) {
    Parts parts;
    bool has_spec = false;
    std::size_t at = 0;
    int lines = 0;
    while (at < text.size()) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        ++lines;
        if (line.starts_with("spec:")) has_spec = true;
        if (has_spec && line.starts_with("---")) {
            parts.header = std::string(text.substr(0, at));
            parts.body = std::string(static_cast<std::size_t>(lines), '\n') + std::string(text.substr(std::min(end + 1, text.size())));
            return parts;
        }
        if (!has_spec && !line.empty() && line[0] != '#' && line[0] != ' ' && !line.starts_with("---")) break;
        at = end + 1;
    }
    parts.body = std::string(text);
    return parts;
}

const Node* with_inputs(Reader& r, const Node& root, const Node* header, const Node* given) {
    Inputs inputs;
    const Node* spec = header ? header->find("spec") : nullptr;
    const Node* declared = spec && spec->kind == NodeKind::map ? spec->find("inputs") : nullptr;
    if (declared && declared->kind == NodeKind::map) {
        for (const auto& [key, about] : declared->members) {
            const Node* value = given && given->kind == NodeKind::map ? given->find(key->text) : nullptr;
            if (!value && about->kind == NodeKind::map) value = about->find("default");
            if (value) inputs[key->text] = value;
            else if (given) r.error(*given, "the included file needs the input '" + key->text + "'", "give it under 'inputs'");
            else r.missing(*key, "input " + key->text, "the input '" + key->text + "' has no value: it has no default"), inputs[key->text] = r.make_text("", *key);
        }
    }
    if (given && given->kind == NodeKind::map)
        for (const auto& member : given->members)
            if (!inputs.contains(member.key->text)) r.error(*member.key, "the included file has no input '" + member.key->text + "'");
    return Filler(r, inputs).fill(root);
}

}  // namespace cicd::pipeline::gitlab
