#include "common/pipeline/comments.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <optional>

/// Lines are read one by one; what is in block scalars and in quotes is no comment.
namespace cicd::pipeline {
namespace {

struct Line {
    std::size_t indent = 0;
    std::string code, comment;
    [[nodiscard]] bool empty() const { return code.empty() && comment.empty(); }
};

class Scanner {
public:
    /// Nothing: the line is inside of a text.
    std::optional<Line> read(std::string_view row) {
        while (!row.empty() && (row.back() == '\r' || row.back() == ' ')) row.remove_suffix(1);
        Line line;
        line.indent = std::min(row.find_first_not_of(' '), row.size());
        if (block_ && (row.empty() || line.indent >= *block_)) return std::nullopt;
        block_.reset();
        const bool inside = quote_ != 0;
        const auto begin = comment_in(row);
        line.code = trim(row.substr(0, begin));
        if (begin < row.size()) line.comment = row.substr(begin);
        if (inside) return std::nullopt;
        if (quote_ == 0 && begins_block(line.code)) block_ = line.indent + dashes(line.code) + 1;
        return line;
    }

private:
    /// Where the comment begins; the row's end where there is none.
    std::size_t comment_in(std::string_view row) {
        char before = ' ';
        for (std::size_t i = 0; i < row.size(); ++i) {
            const char c = row[i];
            if (quote_ != 0) {
                if (quote_ == '"' && c == '\\') ++i;
                else if (c == quote_) quote_ = 0;
            } else if (c == '#' && (before == ' ' || before == '\t')) {
                return i;
            } else if ((c == '"' || c == '\'') && std::string_view(" \t[{,(").find(before) != std::string_view::npos) {
                quote_ = c;
            }
            before = c;
        }
        return row.size();
    }

    /// "key: |", "- >-"
    static bool begins_block(std::string_view code) {
        const auto space = code.rfind(' ');
        const auto last = code.substr(space == code.npos ? 0 : space + 1);
        if (last.empty() || (last[0] != '|' && last[0] != '>') || last.find_first_not_of("|>+-0123456789") != last.npos) return false;
        const auto before = trim(code.substr(0, code.size() - last.size()));
        return before.ends_with(':') || before.ends_with('-') || before.find(": !") != before.npos || before.find(": &") != before.npos;
    }

    /// What belongs to "- key:" stands further in than the key.
    static std::size_t dashes(std::string_view code) {
        std::size_t at = 0;
        while (code.substr(at).starts_with("- ")) at = std::min(code.find_first_not_of(' ', at + 1), code.size());
        const bool item_only = at > 0 && code.substr(at).find_first_of("|>") == 0;
        return item_only ? 0 : at;
    }

    std::optional<std::size_t> block_;
    char quote_ = 0;
};

/// Says what a file of another kind is.
bool is_for_editors(std::string_view comment) { return comment.find("yaml-language-server:") != comment.npos; }

}  // namespace

std::vector<Comment> comments_of(std::string_view yaml) {
    if (yaml.starts_with("\xEF\xBB\xBF")) yaml.remove_prefix(3);
    std::vector<Comment> comments;
    std::vector<std::pair<std::size_t, std::string>> waiting;  // for what they stand above
    Scanner scanner;
    int number = 0, last_code = 0;
    bool top = true;
    const auto flush = [&](int line) {
        if (waiting.empty()) return;
        Comment comment{line, {}};
        for (auto& [indent, text] : waiting) comment.text.push_back(std::move(text));
        waiting.clear();
        comments.push_back(std::move(comment));
    };
    for (const auto& row : split(yaml, '\n')) {
        ++number;
        const auto line = scanner.read(row);
        if (!line) continue;
        if (top && (line->empty() || !line->code.empty())) top = line->code == "---", flush(0);
        if (line->code.empty() && !line->comment.empty() && !is_for_editors(line->comment)) waiting.emplace_back(line->indent, line->comment);
        if (line->code.empty() || line->code == "---") continue;
        // What stands further in than what follows ends what was before.
        std::vector<std::pair<std::size_t, std::string>> next;
        if (last_code > 0) {
            const auto inner = std::find_if(waiting.begin(), waiting.end(), [&](const auto& each) { return each.first <= line->indent; });
            next.assign(inner, waiting.end());
            waiting.erase(inner, waiting.end());
            flush(last_code);
            waiting = std::move(next);
        }
        flush(number);
        if (!line->comment.empty() && !is_for_editors(line->comment)) comments.push_back({number, {line->comment}});
        last_code = number;
    }
    flush(top ? 0 : last_code);
    return comments;
}

}  // namespace cicd::pipeline
