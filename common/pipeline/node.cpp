#include "common/pipeline/node.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace cicd::pipeline {
namespace {

bool all_of(std::string_view text, std::string_view allowed) {
    return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// [-+]?[0-9]+ | 0o[0-7]+ | 0x[0-9a-fA-F]+ | [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? | [-+]?.inf | .nan
bool read_based(std::string_view digits, int base, std::string_view allowed, double& number) {
    if (!all_of(digits, allowed)) return false;
    number = 0;
    for (const char c : digits) {
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        number = number * base + digit;
    }
    return true;
}

bool is_float(std::string_view text) {
    constexpr std::string_view digits = "0123456789";
    const auto whole = std::min(text.find_first_not_of(digits), text.size());
    std::size_t at = whole;
    if (at < text.size() && text[at] == '.') {
        const auto end = std::min(text.find_first_not_of(digits, at + 1), text.size());
        if (whole == 0 && end == at + 1) return false;
        at = end;
    } else if (whole == 0) {
        return false;
    }
    if (at == text.size()) return true;
    if (text[at] != 'e' && text[at] != 'E') return false;
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    return all_of(text.substr(std::min(at, text.size())), digits);
}

bool read_number(std::string_view text, double& number) {
    if (text.starts_with("0o")) return read_based(text.substr(2), 8, "01234567", number);
    if (text.starts_with("0x")) return read_based(text.substr(2), 16, "0123456789abcdefABCDEF", number);
    if (text == ".nan" || text == ".NaN" || text == ".NAN") {
        number = std::numeric_limits<double>::quiet_NaN();
        return true;
    }
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text == ".inf" || text == ".Inf" || text == ".INF") {
        number = std::numeric_limits<double>::infinity();
    } else if (is_float(text)) {
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        // Beyond double's range: from_chars leaves the value alone, so say which end it fell off.
        if (code == std::errc::result_out_of_range)
            number = text.find("e-") != text.npos || text.find("E-") != text.npos
                         ? 0
                         : std::numeric_limits<double>::infinity();
    } else {
        return false;
    }
    if (negative) number = -number;
    return true;
}

}  // namespace

void resolve_plain(Node& node) {
    const std::string_view text = node.text;
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
        node.kind = NodeKind::null;
    } else if (text == "true" || text == "True" || text == "TRUE") {
        node.kind = NodeKind::boolean;
        node.boolean = true;
    } else if (text == "false" || text == "False" || text == "FALSE") {
        node.kind = NodeKind::boolean;
    } else {
        node.kind = read_number(text, node.number) ? NodeKind::number : NodeKind::text;
    }
}

const Node* Node::find(std::string_view key) const {
    for (const auto& member : members)
        if (member.key->text == key) return member.value;
    return nullptr;
}

std::string Node::describe() const {
    const auto shortened = [&] { return text.size() > 40 ? text.substr(0, 37) + "..." : text; };
    switch (kind) {
        case NodeKind::null:
            return "nothing";
        case NodeKind::boolean:
            return "the boolean " + text;
        case NodeKind::number:
            return "the number " + shortened();
        case NodeKind::text:
            return text.empty() ? "an empty text" : "the text '" + shortened() + "'";
        case NodeKind::list:
            return "a list";
        case NodeKind::map:
            return "a map";
    }
    return "";
}

Value to_value(const Node& node) {
    switch (node.kind) {
        case NodeKind::null:
            return {};
        case NodeKind::boolean:
            return node.boolean;
        case NodeKind::number:
            return node.number;
        case NodeKind::text:
            return node.text;
        case NodeKind::list: {
            Array items;
            items.reserve(node.items.size());
            for (const Node* item : node.items) items.push_back(to_value(*item));
            return items;
        }
        case NodeKind::map: {
            Object object;
            for (const auto& [key, value] : node.members) object.set(key->text, to_value(*value));
            return object;
        }
    }
    return {};
}

namespace {

class ValueLoader {
public:
    ValueLoader(Document& document, const std::string& file) : document_(document), file_(file) {}

    const Node* load(const Value& value, int depth) {
        if (depth > limits::depth || document_.nodes.size() >= limits::nodes) return refuse(depth);
        Node& node = document_.nodes.emplace_back();
        if (value.is_bool()) {
            node.kind = NodeKind::boolean;
            node.boolean = value.as_bool();
            node.text = node.boolean ? "true" : "false";
        } else if (value.is_number()) {
            node.kind = NodeKind::number;
            node.number = value.as_number();
            node.text = number_text(node.number);
        } else if (value.is_string()) {
            node.kind = NodeKind::text;
            node.text = value.as_string();
        } else if (value.is_array()) {
            node.kind = NodeKind::list;
            for (const auto& item : value.as_array())
                if (const Node* child = load(item, depth + 1)) node.items.push_back(child);
        } else if (value.is_object()) {
            node.kind = NodeKind::map;
            for (const auto& [key, member] : value.as_object()) {
                Node& name = document_.nodes.emplace_back();
                name.kind = NodeKind::text;
                name.text = key;
                if (const Node* child = load(member, depth + 1)) node.members.push_back({&name, child});
            }
        }
        return &node;
    }

private:
    const Node* refuse(int depth) {
        if (document_.problems.empty()) {
            const auto message = depth > limits::depth
                                     ? "nested deeper than " + std::to_string(limits::depth) + " levels"
                                     : "more than " + std::to_string(limits::nodes) + " values";
            document_.problems.push_back({Severity::error, file_, 0, 0, "", message, ""});
        }
        return nullptr;
    }

    Document& document_;
    const std::string& file_;
};

}  // namespace

Document load_value(const Value& value, const std::string& file) {
    Document document;
    document.root = ValueLoader(document, file).load(value, 1);
    return document;
}

std::string scalar_text(const Node& node, bool (*stays)(std::string_view text)) {
    switch (node.kind) {
        case NodeKind::boolean:
            return node.boolean ? "true" : "false";
        case NodeKind::number:
            return stays(node.text) || !std::isfinite(node.number) ? node.text : number_text(node.number);
        case NodeKind::text:
            return node.text;
        case NodeKind::null:
        case NodeKind::list:
        case NodeKind::map:
            break;
    }
    return {};
}

}  // namespace cicd::pipeline
