#pragma once

#include "common/model/run.hpp"
#include "common/regex/regex.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::runner {

/// What finds the problems that compilers and linters print: regular expressions for lines, or for lines one after another.
/// The format is GitHub's ("Problem Matchers", which it took over from Visual Studio Code).
class ProblemMatchers {
public:
    /// `json`: {"problemMatcher": [{owner, severity?, pattern: [{regexp, file?, fromPath?, line?, column?, severity?, code?,
    /// message, loop?}]}]}. Replaces those of the same owners.
    Result<void> add(std::string_view json);
    void remove(std::string_view owner);
    /// The owners that a file of matchers names.
    static std::vector<std::string> owners(std::string_view json);
    [[nodiscard]] bool is_empty() const { return matchers_.empty(); }

    /// A whole line, its end may be there, of step `step`. Its file is as the line names it.
    std::optional<model::Annotation> see(std::uint32_t step, std::string_view line);
    /// The owners of those that took too long on a line; they are gone.
    std::vector<std::string> take_given_up() { return std::exchange(given_up_, {}); }

private:
    struct Pattern {
        Regex regex;
        std::map<std::string, std::uint32_t, std::less<>> groups;  ///< by what they tell
        bool loop = false;
    };
    using Found = std::map<std::string, std::string, std::less<>>;
    struct Matcher {
        std::string owner, severity;
        std::vector<Pattern> patterns;
        std::map<std::uint32_t, std::vector<std::optional<Found>>> begun;  ///< by step: what each pattern but the last has found
    };
    static Result<Matcher> read(const Value& given);
    static Result<Pattern> read_pattern(const Value& given);
    enum class Seen { nothing, problem, too_long };
    static Seen see(Matcher& matcher, std::uint32_t step, std::string_view line, Found& found);
    static std::optional<model::Annotation> annotation(const Matcher& matcher, Found& found);

    std::vector<Matcher> matchers_;
    std::vector<std::string> given_up_;
};

}  // namespace cicd::runner
