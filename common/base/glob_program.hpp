#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd {

/// Text as code points; bytes that are no UTF-8 stand for themselves, beyond all of Unicode.
std::vector<char32_t> to_code_points(std::string_view text);

/// A small automaton that both pattern languages are compiled to. All of its states advance together, one
/// character at a time, so that matching costs at most pattern times text.
class GlobProgram {
public:
    using Range = std::pair<char32_t, char32_t>;

    // Building: instructions are appended; places of jumps are filled in later.
    std::size_t size() const { return steps_.size(); }
    void add_character(char32_t character);
    void add_set(std::vector<Range> ranges, bool negated);  ///< negated sets never hold `/`
    void add_any();                                         ///< any character
    void add_any_but_slash();
    void add_any_run();            ///< `.*`
    void add_segment_run();        ///< `[^/]*`
    void add_folders();            ///< `([^/]*/)*`
    std::size_t add_fork();        ///< goes on with the next step, and also where `target` says
    std::size_t add_jump();
    void target(std::size_t step, std::size_t where);
    void make_optional(std::size_t from);    ///< what was added since `from` may be left out
    void make_repeatable(std::size_t from);  ///< what was added since `from` may come again

    [[nodiscard]] bool matches(std::string_view text) const;

private:
    enum class Kind : std::uint8_t { character, set, any, any_but_slash, fork, jump };
    struct Step {
        Kind kind;
        bool negated = false;
        char32_t character = 0;
        std::size_t other = 0;  ///< fork and jump: where to; set: which
    };
    [[nodiscard]] bool accepts(const Step& step, char32_t character) const;

    std::vector<Step> steps_;
    std::vector<std::vector<Range>> sets_;
};

}  // namespace cicd
