#include "common/base/text.hpp"
#include "common/pipeline/node.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <istream>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>

namespace cicd::pipeline {
namespace {

/// Ends the parse; caught in load_yaml, never leaves this file.
struct Refused {
    int line, column;
    std::string message, suggestion;
};

struct ViewBuffer : std::streambuf {
    explicit ViewBuffer(std::string_view text) {
        char* begin = const_cast<char*>(text.data());
        setg(begin, begin, begin + text.size());
    }
};

/// yaml-cpp gives the escapes `\N` (U+0085) and `\_` (U+00A0) as one byte each, which is no UTF-8. The file was, so there
/// is no other way for a byte that continues nothing to come here.
std::string with_whole_escapes(std::string text) {
    if (is_valid_utf8(text)) return text;
    std::string whole;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x80 && byte < 0xC0) whole += '\xC2';
        const std::size_t size = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        whole.append(text, i, size);
        i += size;
    }
    return whole;
}

class TreeMaker final : public YAML::EventHandler {
public:
    TreeMaker(Document& document, const std::string& file, const YamlOptions& options)
        : document_(document), file_(file), options_(options) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1)
            throw Refused{mark.line + 1, mark.column + 1, "a second YAML document starts here; a file holds one",
                          "remove the '---' line, or move this document to a file of its own"};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node& node = make(mark, anchor);
        // The parser only notices at the next token that nothing came: the key is the better place.
        if (!frames_.empty() && frames_.back().key) {
            node.line = frames_.back().key->line;
            node.column = frames_.back().key->column;
        }
        finish(node);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = anchors_.find(anchor);
        if (known == anchors_.end())
            throw Refused{mark.line + 1, mark.column + 1, "an anchor cannot contain itself", ""};
        spend(known->second->weight, mark.line + 1, mark.column + 1);
        if (static_cast<int>(frames_.size()) + known->second->height > limits::depth) too_deep(mark);
        attach(*known->second, mark);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        Node& node = make(mark, anchor);
        node.text = with_whole_escapes(value);
        node.kind = NodeKind::text;
        if (tag == "?") {
            resolve_plain(node);
            node.plain_merge_key = value == "<<";
        } else if (tag == "!") {
            last_quoted_ = mark;
        } else if (tag != "tag:yaml.org,2002:str" && !tag.empty()) {
            apply_tag(node, tag, mark);
        }
        finish(node);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(NodeKind::list, mark, tag, "tag:yaml.org,2002:seq", anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(NodeKind::map, mark, tag, "tag:yaml.org,2002:map", anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override {
        check_keys(*frames_.back().node);
        merge(*frames_.back().node);
        close();
    }

    /// Where the last text in quotes (or block scalar) began.
    [[nodiscard]] YAML::Mark last_quoted() const { return last_quoted_; }

private:
    struct Frame {
        Node* node;
        YAML::anchor_t anchor;
        const Node* key = nullptr;
    };

    [[noreturn]] static void too_deep(const YAML::Mark& mark) {
        throw Refused{mark.line + 1, mark.column + 1, "nested deeper than " + std::to_string(limits::depth) + " levels",
                      ""};
    }

    void spend(std::size_t nodes, int line, int column) {
        spent_ += nodes;
        if (spent_ > limits::nodes)
            throw Refused{line, column,
                          "more than " + std::to_string(limits::nodes) + " values once aliases are expanded",
                          "split the file, or use fewer aliases inside what is aliased"};
    }

    Node& make(const YAML::Mark& mark, YAML::anchor_t anchor) {
        spend(1, mark.line + 1, mark.column + 1);
        Node& node = document_.nodes.emplace_back();
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        node.file = options_.file;
        if (anchor) pending_anchor_ = anchor;
        return node;
    }

    void finish(Node& node) {
        if (pending_anchor_) anchors_[pending_anchor_] = &node;
        pending_anchor_ = 0;
        attach(node, {});
    }

    void open(NodeKind kind, const YAML::Mark& mark, const std::string& tag, std::string_view own_tag,
              YAML::anchor_t anchor) {
        if (static_cast<int>(frames_.size()) >= limits::depth) too_deep(mark);
        const bool reference = options_.references && kind == NodeKind::list && tag == "!reference";
        if (tag != "?" && tag != "!" && !tag.empty() && tag != own_tag && !reference) unknown_tag(tag, mark);
        Node& node = make(mark, 0);
        node.reference = reference;
        node.kind = kind;
        frames_.push_back({&node, anchor});
    }

    void close() {
        const Frame frame = frames_.back();
        frames_.pop_back();
        Node& node = *frame.node;
        for (const Node* item : node.items) grow(node, *item);
        for (const auto& member : node.members) grow(node, *member.value);
        if (frame.anchor) anchors_[frame.anchor] = &node;
        attach(node, {});
    }

    static void grow(Node& node, const Node& child) {
        node.weight = std::min(node.weight + child.weight, limits::nodes * 2);
        node.height = std::max(node.height, child.height + 1);
    }

    void attach(const Node& node, const YAML::Mark&) {
        if (frames_.empty()) {
            document_.root = &node;
            return;
        }
        Frame& frame = frames_.back();
        if (frame.node->kind == NodeKind::list) {
            frame.node->items.push_back(&node);
        } else if (!frame.key) {
            if (!node.is_scalar())
                throw Refused{node.line, node.column, "a key must be text, not " + node.describe(), ""};
            frame.key = &node;
        } else {
            frame.node->members.push_back({frame.key, &node});
            frame.key = nullptr;
            if (frame.node->members.size() > limits::map_keys)
                throw Refused{node.line, node.column,
                              "a map with more than " + std::to_string(limits::map_keys) + " keys", ""};
        }
    }

    void check_keys(Node& node) {
        std::unordered_map<std::string_view, const Node*> seen;
        std::vector<Node::Member> kept;
        bool merged = false;
        for (const auto& member : node.members) {
            if (member.key->plain_merge_key && (!merged || options_.repeated_keys)) {
                merged = true;
                kept.push_back(member);
                continue;
            }
            const auto [first, is_new] = seen.emplace(member.key->text, member.key);
            if (is_new && !member.key->plain_merge_key) {
                kept.push_back(member);
            } else if (options_.repeated_keys) {
                report(*member.key, "the key '" + member.key->text + "' is written twice in this map; this one counts",
                       "keep one of the two", Severity::warning);
                for (auto& known : kept)
                    if (known.key->text == member.key->text) known = member;
            } else {
                report(*member.key,
                       "the key '" + member.key->text + "' is written twice in this map" +
                           (is_new ? "" : "; first on line " + std::to_string(first->second->line)),
                       member.key->plain_merge_key ? "merge several maps with '<<: [*a, *b]'" : "keep one of the two");
            }
        }
        node.members = std::move(kept);
    }

    void report(const Node& where, std::string message, std::string suggestion, Severity severity = Severity::error) {
        if (document_.problems.size() >= 100) return;
        document_.problems.push_back(
            {severity, file_, where.line, where.column, "", std::move(message), std::move(suggestion)});
    }

    // `<<`: own keys win, then the earlier of the merged maps.
    void merge(Node& node) {
        const auto at = std::find_if(node.members.begin(), node.members.end(),
                                     [](const Node::Member& m) { return m.key->plain_merge_key; });
        if (at == node.members.end()) return;
        const Node& source = *at->value;
        std::vector<const Node*> maps{&source};
        if (source.kind == NodeKind::list) maps = source.items;
        std::unordered_set<std::string_view> taken;
        for (const auto& member : node.members)
            if (!member.key->plain_merge_key) taken.insert(member.key->text);
        std::vector<Node::Member> added;
        for (const Node* map : maps) {
            if (map->kind != NodeKind::map) {
                report(*map, "'<<' merges maps; this is " + map->describe(),
                       "give an alias of a map, such as '<<: *name'");
                continue;
            }
            spend(map->weight, at->key->line, at->key->column);
            for (const auto& member : map->members)
                if (taken.insert(member.key->text).second) added.push_back(member);
        }
        const auto place = node.members.erase(at);
        node.members.insert(place, added.begin(), added.end());
        merge(node);  // where `<<` may be written more than once
    }

    [[noreturn]] static void unknown_tag(const std::string& tag, const YAML::Mark& mark) {
        throw Refused{mark.line + 1, mark.column + 1, "unknown tag '" + tag + "'",
                      "a value that begins with '!' must be quoted"};
    }

    static void apply_tag(Node& node, const std::string& tag, const YAML::Mark& mark) {
        constexpr std::string_view core = "tag:yaml.org,2002:";
        if (!tag.starts_with(core)) unknown_tag(tag, mark);
        const std::string_view type = std::string_view(tag).substr(core.size());
        resolve_plain(node);
        const bool fits =
            (type == "int" && node.kind == NodeKind::number) || (type == "float" && node.kind == NodeKind::number) ||
            (type == "bool" && node.kind == NodeKind::boolean) || (type == "null" && node.kind == NodeKind::null);
        if (fits) return;
        if (type != "int" && type != "float" && type != "bool" && type != "null") unknown_tag(tag, mark);
        throw Refused{node.line, node.column, "'" + node.text + "' does not fit its tag !!" + std::string(type), ""};
    }

    Document& document_;
    const std::string& file_;
    const YamlOptions& options_;
    std::vector<Frame> frames_;
    std::unordered_map<YAML::anchor_t, const Node*> anchors_;
    YAML::anchor_t pending_anchor_ = 0;
    std::size_t spent_ = 0;
    int documents_ = 0;
    YAML::Mark last_quoted_ = YAML::Mark::null_mark();
};

/// What YAML cannot hold, before the parser sees it. Line by line, so that the place is known.
void check_characters(std::string_view text) {
    int line = 1;
    for (std::size_t begin = 0; begin <= text.size(); ++line) {
        const auto end = std::min(text.find('\n', begin), text.size());
        const std::string_view row = text.substr(begin, end - begin);
        for (std::size_t i = 0; i < row.size(); ++i) {
            const auto byte = static_cast<unsigned char>(row[i]);
            if (byte >= 0x20 || byte == '\t' || (byte == '\r' && i + 1 == row.size())) continue;
            const char* hex = "0123456789ABCDEF";
            const std::string name = std::string("U+00") + hex[byte >> 4] + hex[byte & 15];
            const std::string what = byte == 0      ? "a NUL byte (is this a text file in UTF-8?)"
                                     : byte == '\r' ? "a carriage return inside a line"
                                                    : "the control character " + name;
            throw Refused{line, static_cast<int>(i) + 1, what,
                          "write it as \"\\x" + name.substr(4) + "\" in double quotes"};
        }
        if (!is_valid_utf8(row)) {
            std::size_t good = 0;
            for (std::size_t i = 1; i <= row.size(); ++i)
                if ((i == row.size() || (static_cast<unsigned char>(row[i]) & 0xC0) != 0x80)) {
                    if (!is_valid_utf8(row.substr(good, i - good))) break;
                    good = i;
                }
            throw Refused{line, static_cast<int>(good) + 1, "invalid UTF-8", "save the file as UTF-8"};
        }
        begin = end + 1;
    }
}

/// The parser takes the end of the file for the closing quote; only the last quoted text can be such a one.
void check_closed(std::string_view text, const YAML::Mark& mark) {
    if (mark.pos < 0 || static_cast<std::size_t>(mark.pos) >= text.size()) return;
    auto at = static_cast<std::size_t>(mark.pos);
    while (at < text.size() && (text[at] == '&' || text[at] == '!'))
        at = std::min(text.find_first_not_of(" \t\r\n", std::min(text.find_first_of(" \t\r\n", at), text.size())),
                      text.size());
    if (at == text.size() || (text[at] != '"' && text[at] != '\'')) return;
    const char quote = text[at];
    for (std::size_t i = at + 1; i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\')
            ++i;
        else if (text[i] == quote && quote == '\'' && i + 1 < text.size() && text[i + 1] == quote)
            ++i;
        else if (text[i] == quote)
            return;
    }
    throw Refused{mark.line + 1, mark.column + 1, std::string("the quote ") + quote + " is never closed", "close it"};
}

std::string_view line_of(std::string_view text, int line) {
    std::size_t begin = 0;
    for (int i = 1; i < line; ++i) {
        begin = text.find('\n', begin);
        if (begin == std::string_view::npos) return {};
        ++begin;
    }
    return text.substr(begin, text.find('\n', begin) - begin);
}

// The parser's own words for the commonest slips do not tell what to do.
std::string advice(std::string_view text, int line) {
    for (int candidate = line; candidate >= 1 && candidate >= line - 1; --candidate) {
        const auto row = line_of(text, candidate);
        const auto indent = row.substr(0, std::min(row.find_first_not_of(" \t"), row.size()));
        if (indent.find('\t') != std::string_view::npos)
            return "line " + std::to_string(candidate) + " is indented with a tab; YAML wants spaces";
    }
    const auto row = trim(line_of(text, line));
    if (row.find('?') != row.npos && row.find_first_of("[{") != row.npos)
        return "a value that holds '?' must be quoted inside [ ] and { }";
    if (row.find(": @") != row.npos || row.find(": `") != row.npos || row.find(": %") != row.npos)
        return "a value that begins with @, ` or % must be quoted";
    if (std::count(row.begin(), row.end(), ':') > 1) return "a value that holds ': ' must be quoted";
    return "check the indentation and the quotes around this line";
}

}  // namespace

Document load_yaml(std::string_view text, const std::string& file, const YamlOptions& options) {
    Document document;
    const auto refuse = [&](int line, int column, std::string message, std::string suggestion) {
        document.root = nullptr;
        document.problems.push_back(
            {Severity::error, file, line, column, "", std::move(message), std::move(suggestion)});
    };
    if (text.size() > limits::bytes) {
        refuse(1, 1, "the file is larger than 1 MiB", "split it with 'include'");
        return document;
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    try {
        check_characters(text);
        ViewBuffer buffer(text);
        std::istream stream(&buffer);
        YAML::Parser parser(stream);
        TreeMaker maker(document, file, options);
        while (parser.HandleNextDocument(maker)) {
        }
        check_closed(text, maker.last_quoted());
        if (!document.root) {  // nothing, or comments only
            document.root = &document.nodes.emplace_back();
            document.nodes.back().line = document.nodes.back().column = 1;
        }
    } catch (const Refused& refused) {
        refuse(refused.line, refused.column, refused.message, refused.suggestion);
    } catch (const YAML::Exception& error) {
        const int line = std::max(error.mark.line, 0) + 1;
        const bool open_quote = error.msg == YAML::ErrorMsg::EOF_IN_SCALAR;
        refuse(line, std::max(error.mark.column, 0) + 1, "this is not YAML: " + error.msg,
               open_quote ? "a quote is opened and never closed" : advice(text, line));
    } catch (const std::exception& error) {
        refuse(1, 1, std::string("this is not YAML: ") + error.what(), "");
    }
    return document;
}

}  // namespace cicd::pipeline
