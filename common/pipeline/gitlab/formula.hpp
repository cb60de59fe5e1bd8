#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::pipeline::gitlab {

/// What only a run can decide, as a condition of ours: put together, made short, written.
class Formula {
public:
    static Formula constant(bool value);
    /// subject == 'literal', without regard to case as all our comparisons are.
    static Formula equal(std::string subject, std::string literal);
    /// A comparison or call as it is written, such as startsWith(git.tag, 'v'), which `!` can stand before.
    static Formula call(std::string text);
    /// What none of our expressions can ask; the text says what, so that it is known to be the same again.
    static Formula unknown(std::string_view what);

    [[nodiscard]] bool is(bool value) const { return kind_ == (value ? Kind::yes : Kind::no); }
    /// Neither what cannot be asked nor its opposite is taken for granted, so this holds less often than it should.
    [[nodiscard]] Formula known() const;
    /// What is left of it where an atom (see `equal`, `call`, or the opposite of one) holds.
    [[nodiscard]] Formula given(const Formula& atom) const;
    /// The same where all that this demands holds.
    [[nodiscard]] Formula where(const Formula& sure) const;
    [[nodiscard]] std::string text() const;

    /// Its parts, any of which is enough.
    [[nodiscard]] std::vector<Formula> alternatives() const { return kind_ == Kind::any ? parts_ : std::vector{*this}; }
    /// Its parts, all of which it needs.
    [[nodiscard]] std::vector<Formula> demands() const { return kind_ == Kind::all ? parts_ : std::vector{*this}; }
    struct Comparison {
        std::string subject, literal;
        bool opposite;
    };
    [[nodiscard]] std::optional<Comparison> as_comparison() const;
    struct Call {
        std::string name, subject, literal;
    };
    /// name(subject, 'literal')
    [[nodiscard]] std::optional<Call> as_call() const;

    Formula operator!() const;
    friend Formula operator&&(const Formula& a, const Formula& b) { return combine(Kind::all, {a, b}); }
    friend Formula operator||(const Formula& a, const Formula& b) { return combine(Kind::any, {a, b}); }
    static Formula any_of(std::vector<Formula> parts) { return combine(Kind::any, std::move(parts)); }
    [[nodiscard]] std::size_t size() const;  ///< atoms
    /// Whether it compares so, not only the other way round.
    [[nodiscard]] bool asks(std::string_view subject, std::string_view literal) const;
    bool operator==(const Formula&) const = default;

private:
    enum class Kind { no, yes, atom, all, any };
    explicit Formula(Kind kind) : kind_(kind) {}
    static Formula combine(Kind kind, std::vector<Formula> parts);
    static std::optional<Formula> factored(const std::vector<Formula>& parts);
    [[nodiscard]] bool mentions(const std::string& subject) const;
    static bool shorten(Kind kind, std::vector<Formula>& parts);

    Kind kind_;
    bool opposite_ = false, compares_ = false;
    std::string subject_, literal_;
    std::vector<Formula> parts_;
};

/// 'it''s'
std::string as_literal(std::string_view text);

}  // namespace cicd::pipeline::gitlab
