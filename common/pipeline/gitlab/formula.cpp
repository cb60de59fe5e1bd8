#include "common/pipeline/gitlab/formula.hpp"

#include "common/base/text.hpp"

#include <algorithm>

namespace cicd::pipeline::gitlab {
namespace {

constexpr char nobody_knows = '?';

}  // namespace

std::string as_literal(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        result += c;
        if (c == '\'') result += c;
    }
    return result + "'";
}

Formula Formula::constant(bool value) { return Formula(value ? Kind::yes : Kind::no); }

Formula Formula::equal(std::string subject, std::string literal) {
    Formula formula(Kind::atom);
    formula.compares_ = true;
    formula.subject_ = std::move(subject);
    formula.literal_ = std::move(literal);
    return formula;
}

Formula Formula::call(std::string text) {
    Formula formula(Kind::atom);
    formula.subject_ = std::move(text);
    return formula;
}

Formula Formula::unknown(std::string_view what) { return call(nobody_knows + std::string(what)); }

Formula Formula::operator!() const {
    if (kind_ == Kind::yes || kind_ == Kind::no) return constant(kind_ == Kind::no);
    Formula formula = *this;
    if (kind_ == Kind::atom) {
        formula.opposite_ = !opposite_;
        return formula;
    }
    formula.kind_ = kind_ == Kind::all ? Kind::any : Kind::all;
    for (auto& part : formula.parts_) part = !part;
    return formula;
}

Formula Formula::known() const {
    if (kind_ == Kind::atom && subject_.starts_with(nobody_knows)) return constant(false);
    if (parts_.empty()) return *this;
    std::vector<Formula> parts;
    for (const auto& part : parts_) parts.push_back(part.known());
    return combine(kind_, std::move(parts));
}

Formula Formula::given(const Formula& atom) const {
    if (kind_ == Kind::atom) {
        if (subject_ != atom.subject_ || compares_ != atom.compares_) return *this;
        if (!compares_ || to_lower(literal_) == to_lower(atom.literal_)) return constant(opposite_ == atom.opposite_);
        return atom.opposite_ ? *this : constant(opposite_);  // it has another value
    }
    if (parts_.empty()) return *this;
    std::vector<Formula> parts;
    for (const auto& part : parts_) parts.push_back(part.given(atom));
    return combine(kind_, std::move(parts));
}

bool Formula::mentions(const std::string& subject) const {
    if (kind_ == Kind::atom) return subject_ == subject;
    return std::any_of(parts_.begin(), parts_.end(), [&](const Formula& part) { return part.mentions(subject); });
}

/// Where all must hold, each part may count on the others; where any is enough, on the others not holding.
bool Formula::shorten(Kind kind, std::vector<Formula>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].kind_ != Kind::atom) continue;
        const auto sure = kind == Kind::all ? parts[i] : !parts[i];
        for (std::size_t j = 0; j < parts.size(); ++j) {
            if (i == j || !parts[j].mentions(parts[i].subject_)) continue;
            auto shorter = parts[j].given(sure);
            if (shorter == parts[j]) continue;
            parts[j] = std::move(shorter);
            return true;
        }
    }
    return false;
}

Formula Formula::combine(Kind kind, std::vector<Formula> given) {
    const auto neutral = kind == Kind::all ? Kind::yes : Kind::no;
    const auto strong = kind == Kind::all ? Kind::no : Kind::yes;
    std::vector<Formula> parts;
    do {
        parts.clear();
        for (auto& part : given) {
            if (part.kind_ == strong) return Formula(strong);
            if (part.kind_ == neutral) continue;
            if (part.kind_ != kind) parts.push_back(std::move(part));
            else parts.insert(parts.end(), part.parts_.begin(), part.parts_.end());
        }
        given = parts;
    } while (shorten(kind, given));
    std::vector<Formula> distinct;
    for (auto& part : given)
        if (std::find(distinct.begin(), distinct.end(), part) == distinct.end()) distinct.push_back(std::move(part));
    if (distinct.empty()) return Formula(neutral);
    if (distinct.size() == 1) return distinct.front();
    if (kind == Kind::any)
        if (auto common = factored(distinct)) return *common;
    Formula formula(kind);
    formula.parts_ = std::move(distinct);
    return formula;
}

/// a && b || a && c is a && (b || c)
std::optional<Formula> Formula::factored(const std::vector<Formula>& parts) {
    std::vector<Formula> common, rests;
    for (const auto& atom : parts.front().demands())
        if (std::all_of(parts.begin(), parts.end(), [&](const Formula& part) {
                const auto demands = part.demands();
                return std::find(demands.begin(), demands.end(), atom) != demands.end();
            }))
            common.push_back(atom);
    if (common.empty()) return std::nullopt;
    for (const auto& part : parts) {
        auto rest = part.demands();
        std::erase_if(rest, [&](const Formula& demand) { return std::find(common.begin(), common.end(), demand) != common.end(); });
        rests.push_back(combine(Kind::all, std::move(rest)));
    }
    common.push_back(combine(Kind::any, std::move(rests)));
    return combine(Kind::all, std::move(common));
}

Formula Formula::where(const Formula& sure) const {
    auto result = *this;
    for (const auto& demand : sure.demands())
        if (demand.kind_ == Kind::atom) result = result.given(demand);
    return result;
}

std::optional<Formula::Comparison> Formula::as_comparison() const {
    if (kind_ != Kind::atom || !compares_) return std::nullopt;
    return Comparison{subject_, literal_, opposite_};
}

std::optional<Formula::Call> Formula::as_call() const {
    const auto open = subject_.find('('), comma = subject_.rfind(", '");
    if (kind_ != Kind::atom || compares_ || opposite_ || open == std::string::npos || comma == std::string::npos || !subject_.ends_with("')")) return std::nullopt;
    const auto literal = subject_.substr(comma + 3, subject_.size() - comma - 5);
    if (comma < open || literal.find('\'') != std::string::npos) return std::nullopt;
    return Call{subject_.substr(0, open), subject_.substr(open + 1, comma - open - 1), literal};
}

std::size_t Formula::size() const {
    std::size_t size = kind_ == Kind::atom ? 1 : 0;
    for (const auto& part : parts_) size += part.size();
    return size;
}

bool Formula::asks(std::string_view subject, std::string_view literal) const {
    if (kind_ == Kind::atom) return compares_ && !opposite_ && subject_ == subject && literal_ == literal;
    return std::any_of(parts_.begin(), parts_.end(), [&](const Formula& part) { return part.asks(subject, literal); });
}

std::string Formula::text() const {
    switch (kind_) {
        case Kind::no: return "false";
        case Kind::yes: return "true";
        case Kind::atom: return compares_ ? subject_ + (opposite_ ? " != " : " == ") + as_literal(literal_) : (opposite_ ? "!" : "") + subject_;
        case Kind::all:
        case Kind::any: break;
    }
    std::vector<std::string> texts;
    for (const auto& part : parts_) texts.push_back(part.kind_ == Kind::any ? "(" + part.text() + ")" : part.text());
    return join(texts, kind_ == Kind::all ? " && " : " || ");
}

}  // namespace cicd::pipeline::gitlab
