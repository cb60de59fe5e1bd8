#include "common/pipeline/gitlab/shapes.hpp"

#include "common/pipeline/gitlab/pattern.hpp"

#include <algorithm>
#include <cctype>

/// A regular expression is unfolded into the fixed texts that it allows, with `.*` between them. Whatever else is in it
/// ends that: then it is no shape.
namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t most_shapes = 24;
constexpr int deepest = 20;

/// Fixed texts and gaps, in order.
struct Piece {
    enum class Kind { text, gap, some, start, stop };  ///< gap: .*  some: .+
    Kind kind;
    char c = 0;
};
using Sequence = std::vector<Piece>;
using Sequences = std::vector<Sequence>;

class Unfolding {
public:
    explicit Unfolding(std::string_view body) : body_(body) {}

    std::optional<Sequences> all() {
        auto result = alternatives(0);
        return result && at_ == body_.size() ? result : std::nullopt;
    }

    /// As far as it is understood, of a pattern without alternatives of its own.
    Sequences beginnings() {
        Sequences all{{}};
        while (!done()) {
            const auto from = at_;
            auto one = single(0);
            const char c = here();
            if (!one || c == '*' || c == '?' || c == '{' || body_[from] == '.') return all;
            if (!append(all, *one) || c == '+') return all;
            if (c == '|') return {};
        }
        return all;
    }

private:
    static bool append(Sequences& all, const Sequences& next) {
        if (all.size() * next.size() > most_shapes) return false;
        Sequences longer;
        for (const auto& first : all)
            for (const auto& second : next) {
                longer.push_back(first);
                longer.back().insert(longer.back().end(), second.begin(), second.end());
            }
        all = std::move(longer);
        return true;
    }

    [[nodiscard]] bool done() const { return at_ >= body_.size(); }
    [[nodiscard]] char here() const { return done() ? '\0' : body_[at_]; }
    bool take(std::string_view token) {
        if (!body_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }

    std::optional<Sequences> alternatives(int depth) {
        if (depth > deepest) return std::nullopt;
        Sequences all;
        do {
            auto one = sequence(depth);
            if (!one) return std::nullopt;
            all.insert(all.end(), one->begin(), one->end());
            if (all.size() > most_shapes) return std::nullopt;
        } while (take("|"));
        return all;
    }

    std::optional<Sequences> sequence(int depth) {
        Sequences all{{}};
        while (!done() && here() != '|' && here() != ')') {
            auto one = repeated(depth);
            if (!one || !append(all, *one)) return std::nullopt;
        }
        return all;
    }

    /// A thing with what says how often. Behind the last thing of all, once is as good as more often.
    std::optional<Sequences> repeated(int depth) {
        const bool dot = here() == '.';
        auto one = single(depth);
        if (!one) return std::nullopt;
        const char c = here();
        if (c == '{') return std::nullopt;
        if (c != '?' && c != '*' && c != '+') return dot ? std::nullopt : one;
        ++at_;
        if (here() == '?' || here() == '+') ++at_;  // lazy, possessive
        if (dot) return c == '?' ? std::nullopt : std::optional(Sequences{{{c == '*' ? Piece::Kind::gap : Piece::Kind::some}}});
        if (c == '?') {
            one->insert(one->begin(), Sequence{});
            return one;
        }
        if (!done()) return std::nullopt;
        return c == '+' ? one : std::optional(Sequences{{}});
    }

    std::optional<Sequences> single(int depth) {
        const char c = body_[at_++];
        switch (c) {
            case '^': return Sequences{{{Piece::Kind::start}}};
            case '$': return Sequences{{{Piece::Kind::stop}}};
            case '.': return Sequences{{}};
            case '(': return group(depth);
            case '[': return one_of();
            case '\\': return escape();
            case '*':
            case '+':
            case '?':
            case '{': return std::nullopt;
            default: return Sequences{{{Piece::Kind::text, c}}};
        }
    }

    std::optional<Sequences> group(int depth) {
        if (here() == '?' && !take("?:")) return std::nullopt;
        auto inner = alternatives(depth + 1);
        return inner && take(")") ? inner : std::nullopt;
    }

    static Sequences any_of(std::string_view letters) {
        Sequences all;
        for (const char c : letters) all.push_back({{Piece::Kind::text, c}});
        return all;
    }

    std::optional<Sequences> escape() {
        if (done()) return std::nullopt;
        const char c = body_[at_++];
        if (c == 'd') return any_of("0123456789");
        if (c == 'A') return Sequences{{{Piece::Kind::start}}};
        if (c == 'z' || c == 'Z') return Sequences{{{Piece::Kind::stop}}};
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) return std::nullopt;
        return Sequences{{{Piece::Kind::text, c}}};
    }

    /// [abc], [0-9]
    std::optional<Sequences> one_of() {
        std::string letters;
        if (here() == '^' || here() == ']') return std::nullopt;
        while (!done() && here() != ']') {
            char c = body_[at_++];
            if (c == '[') return std::nullopt;
            if (c == '\\') {
                if (done() || std::isalnum(static_cast<unsigned char>(here())) != 0) return std::nullopt;
                c = body_[at_++];
            }
            const bool range = here() == '-' && at_ + 1 < body_.size() && body_[at_ + 1] != ']';
            if (!range) {
                letters += c;
                continue;
            }
            const char last = body_[at_ + 1];
            if (last == '\\' || last < c || last - c >= static_cast<int>(most_shapes)) return std::nullopt;
            for (int each = c; each <= last; ++each) letters += static_cast<char>(each);
            at_ += 2;
        }
        if (!take("]") || letters.size() > most_shapes) return std::nullopt;
        return any_of(letters);
    }

    std::string_view body_;
    std::size_t at_ = 0;
};

/// What ends one text may not be what begins the other: then one place could do for both.
bool may_overlap(const std::string& begin, const std::string& end) {
    for (std::size_t n = 1; n <= std::min(begin.size(), end.size()); ++n)
        if (begin.ends_with(end.substr(0, n))) return true;
    return false;
}

std::optional<Shape> shape_of(Sequence pieces) {
    using Kind = Piece::Kind;
    bool start = false, stop = false;
    if (!pieces.empty() && pieces.front().kind == Kind::start) start = true, pieces.erase(pieces.begin());
    if (!pieces.empty() && pieces.back().kind == Kind::stop) stop = true, pieces.pop_back();
    const auto is_gap = [](const Piece& piece) { return piece.kind == Kind::gap || piece.kind == Kind::some; };
    if (pieces.size() == 1 && pieces[0].kind == Kind::some) return Shape{.begin = {}, .end = {}, .within = {}, .more = true};
    bool more = false;
    const auto drop = [&](const Piece& piece, bool& anchored, const bool& other) {
        if (piece.kind == Kind::some && !other) return false;  // what is more could be on either side
        more |= piece.kind == Kind::some;
        anchored = false;
        return true;
    };
    // A gap at an end is the same as no anchor there.
    const bool was_start = start, was_stop = stop;
    while (!pieces.empty() && is_gap(pieces.front())) {
        if (!drop(pieces.front(), start, was_stop)) return std::nullopt;
        pieces.erase(pieces.begin());
    }
    while (!pieces.empty() && is_gap(pieces.back())) {
        if (!drop(pieces.back(), stop, was_start)) return std::nullopt;
        pieces.pop_back();
    }
    Shape shape;
    shape.more = more;
    std::string texts[2];
    int gaps = 0;
    for (const auto& piece : pieces) {
        if (piece.kind == Kind::text) {
            texts[gaps] += piece.c;
        } else if (is_gap(piece) && gaps == 0) {
            ++gaps;
            shape.more |= piece.kind == Kind::some;
        } else {
            return std::nullopt;
        }
    }
    if (gaps == 1) {
        if (!start || !stop || shape.more || may_overlap(texts[0], texts[1])) return std::nullopt;
        shape.begin = texts[0];
        shape.end = texts[1];
        return shape;
    }
    if (start && stop) shape.whole = true, shape.begin = texts[0];
    else if (start) shape.begin = texts[0];
    else if (stop) shape.end = texts[0];
    else shape.within = texts[0];
    if (shape.more && !shape.within.empty()) return std::nullopt;
    return shape;
}

}  // namespace

std::optional<std::vector<Shape>> shapes_of(std::string_view pattern) {
    if (!is_pattern(pattern)) return std::nullopt;
    const auto end = pattern.rfind('/');
    if (pattern.substr(end + 1).find('m') != pattern.npos) return std::nullopt;
    const auto sequences = Unfolding(pattern.substr(1, end - 1)).all();
    if (!sequences) return std::nullopt;
    std::vector<Shape> shapes;
    for (const auto& sequence : *sequences) {
        auto shape = shape_of(sequence);
        if (!shape) return std::nullopt;
        if (std::find(shapes.begin(), shapes.end(), *shape) == shapes.end()) shapes.push_back(std::move(*shape));
    }
    return shapes;
}

std::vector<std::string> beginnings_of(std::string_view pattern) {
    if (!is_pattern(pattern)) return {};
    const auto end = pattern.rfind('/');
    const auto body = pattern.substr(1, end - 1);
    // A '|' that is in no group may be anywhere behind.
    int open = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '\\') ++i;
        else if (body[i] == '(') ++open;
        else if (body[i] == ')') --open;
        else if (body[i] == '|' && open <= 0) return {};
    }
    if (pattern.substr(end + 1).find('m') != pattern.npos) return {};
    std::vector<std::string> texts;
    for (const auto& sequence : Unfolding(body).beginnings()) {
        if (sequence.empty() || sequence.front().kind != Piece::Kind::start) return {};
        std::string text;
        for (std::size_t i = 1; i < sequence.size() && sequence[i].kind == Piece::Kind::text; ++i) text += sequence[i].c;
        if (text.empty()) return {};
        if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
    }
    return texts;
}

}  // namespace cicd::pipeline::gitlab
