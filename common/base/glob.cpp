#include "common/base/glob.hpp"

#include "common/base/glob_program.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <limits>

namespace cicd {
namespace {

using Points = std::vector<char32_t>;

constexpr std::size_t longest_pattern = 16'384;
constexpr int deepest_braces = 32;

Error bad_pattern(std::string_view pattern, std::size_t column, const std::string& why, const std::string& hint) {
    return invalid("CICD_400",
                   "bad pattern '" + to_valid_utf8(pattern.substr(0, 200)) + "', character " + std::to_string(column) +
                       ": " + why,
                   hint);
}

/// What a reader of patterns holds: the characters, a place in them and the automaton so far.
class PatternReader {
public:
    PatternReader(std::string_view text, std::size_t skipped)
        : text_(text), points_(to_code_points(text.substr(skipped))), skipped_(skipped) {}

    Result<GlobProgram> filter_pattern() {
        CICD_CHECK(check_length());
        while (!at_end()) CICD_CHECK(filter_piece());
        return std::move(program_);
    }

    Result<GlobProgram> file_glob() {
        CICD_CHECK(check_length());
        CICD_CHECK(sequence(0));
        return std::move(program_);
    }

private:
    [[nodiscard]] bool at_end() const { return at_ >= points_.size(); }
    [[nodiscard]] char32_t peek(std::size_t ahead = 0) const {
        return at_ + ahead < points_.size() ? points_[at_ + ahead] : std::numeric_limits<char32_t>::max();
    }
    [[nodiscard]] bool at_segment_start(std::size_t at) const { return at == 0 || points_[at - 1] == '/'; }
    [[nodiscard]] Error bad(std::size_t at, const std::string& why, const std::string& hint) const {
        return bad_pattern(text_, skipped_ + at + 1, why, hint);
    }

    Result<bool> check_length() const {
        if (points_.size() <= longest_pattern) return true;
        return bad(longest_pattern, "the pattern is too long", "split it into several patterns");
    }

    Result<bool> escaped_character() {
        if (at_ + 1 >= points_.size())
            return bad(at_, "there is nothing after the '\\'", "write '\\\\' for a backslash");
        program_.add_character(points_[at_ + 1]);
        at_ += 2;
        return true;
    }

    /// `[a-z]`, `[^…]`, `[!…]`, with `\` before what is meant literally.
    Result<bool> set() {
        const std::size_t open = at_++;
        const auto unclosed = [&] { return bad(open, "the '[' is not closed", "close it with ']', or write '\\['"); };
        const bool negated = peek() == '^' || peek() == '!';
        if (negated) ++at_;
        if (!at_end() && peek() == ']') return bad(open, "the set is empty", "list characters between '[' and ']'");
        std::vector<GlobProgram::Range> ranges;
        bool may_start_range = false;
        while (!at_end() && peek() != ']') {
            const bool range = peek() == '-' && may_start_range && at_ + 1 < points_.size() && peek(1) != ']';
            if (range) ++at_;
            if (peek() == '\\') ++at_;
            if (at_end()) return unclosed();
            const char32_t character = points_[at_++];
            if (range)
                ranges.back().second = character;
            else
                ranges.emplace_back(character, character);
            may_start_range = !range;
        }
        if (at_end()) return unclosed();
        ++at_;
        program_.add_set(std::move(ranges), negated);
        return true;
    }

    // GitHub's filter patterns

    Result<bool> filter_piece() {
        const std::size_t from = program_.size();
        if (peek() == '*') {
            filter_stars();
            while (peek() == '?' || peek() == '+') ++at_;  // repeating a star adds nothing
            return true;
        }
        if (peek() == '?' || peek() == '+')
            return bad(at_, "there is nothing before it to repeat", "'?' and '+' repeat the character before them");
        if (peek() == '[') {
            CICD_CHECK(set());
        } else if (peek() == '\\') {
            CICD_CHECK(escaped_character());
        } else {
            program_.add_character(points_[at_++]);
        }
        bool optional = false;
        bool repeatable = false;
        for (; peek() == '?' || peek() == '+'; ++at_) (peek() == '?' ? optional : repeatable) = true;
        if (repeatable) program_.make_repeatable(from);
        if (optional) program_.make_optional(from);
        return true;
    }

    void filter_stars() {
        const std::size_t start = at_;
        while (peek() == '*') ++at_;
        if (at_ - start == 1) return program_.add_segment_run();
        const std::size_t from = program_.size();
        program_.add_any_run();
        if (!at_segment_start(start) || peek() != '/') return;
        // `**/` at the start of a segment: any folders, or none.
        ++at_;
        program_.add_character('/');
        program_.make_optional(from);
    }

    // doublestar's file globs

    Result<bool> sequence(int depth) {
        while (!at_end() && !(depth > 0 && (peek() == ',' || peek() == '}'))) {
            if (peek() == '*') {
                glob_stars();
            } else if (peek() == '?') {
                ++at_;
                program_.add_any_but_slash();
            } else if (peek() == '[') {
                CICD_CHECK(set());
            } else if (peek() == '{') {
                CICD_CHECK(alternatives(depth));
            } else if (peek() == '\\') {
                CICD_CHECK(escaped_character());
            } else if (peek() == '/' && peek(1) == '*' && peek(2) == '*') {
                slash_stars();
            } else {
                program_.add_character(points_[at_++]);
            }
        }
        return true;
    }

    Result<bool> alternatives(int depth) {
        const std::size_t open = at_;
        if (depth >= deepest_braces) return bad(open, "braces are nested too deeply", "write several patterns");
        std::vector<std::size_t> ends;
        do {
            ++at_;  // the '{' or ','
            const auto fork = program_.add_fork();
            CICD_CHECK(sequence(depth + 1));
            ends.push_back(program_.add_jump());
            program_.target(fork, program_.size());
            if (at_end()) return bad(open, "the '{' is not closed", "close it with '}', or write '\\{'");
        } while (peek() == ',');
        ++at_;
        program_.add_set({}, false);  // after the last alternative's fork: nothing else matches
        for (const auto end : ends) program_.target(end, program_.size());
        return true;
    }

    void glob_stars() {
        const std::size_t start = at_;
        at_ += peek(1) == '*' ? 2 : 1;
        const bool folders = at_ - start == 2 && at_segment_start(start);
        if (folders && at_end()) return program_.add_any_run();
        if (!folders || peek() != '/') return program_.add_segment_run();
        ++at_;
        program_.add_folders();
    }

    /// At the end of a pattern, `/**` and `/**/` match also the folder before them.
    void slash_stars() {
        const std::size_t from = program_.size();
        const bool last = at_ + 3 == points_.size() || (at_ + 4 == points_.size() && points_.back() == '/');
        program_.add_character('/');
        ++at_;
        if (!last) return;
        glob_stars();
        program_.make_optional(from);
    }

    std::string_view text_;
    Points points_;
    std::size_t skipped_;
    std::size_t at_ = 0;
    GlobProgram program_;
};

}  // namespace

Result<FilterPatterns> FilterPatterns::compile(std::span<const std::string> patterns) {
    FilterPatterns compiled;
    for (const auto& text : patterns) {
        const bool exclude = text.starts_with('!');
        CICD_TRY(auto program, PatternReader(text, exclude ? 1 : 0).filter_pattern());
        compiled.patterns_.push_back({exclude, std::make_shared<const GlobProgram>(std::move(program))});
    }
    return compiled;
}

bool FilterPatterns::matches(std::string_view text) const {
    for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern)
        if (pattern->program->matches(text)) return !pattern->exclude;
    return false;
}

bool FilterPatterns::any_selected(std::span<const std::string> paths) const {
    return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) { return matches(path); });
}

bool FilterPatterns::all_ignored(std::span<const std::string> paths) const {
    const auto ignored = [&](const std::string& path) {
        return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
            return pattern.program->matches(path) != pattern.exclude;
        });
    };
    return !paths.empty() && std::all_of(paths.begin(), paths.end(), ignored);
}

Result<FileGlob> FileGlob::compile(std::string_view pattern) {
    CICD_TRY(auto program, PatternReader(pattern, 0).file_glob());
    return FileGlob(std::make_shared<const GlobProgram>(std::move(program)));
}

bool FileGlob::matches(std::string_view path) const { return program_->matches(path); }

Result<bool> glob_match(std::string_view pattern, std::string_view path) {
    CICD_TRY(const auto program, PatternReader(pattern, 0).file_glob());
    return program.matches(path);
}

}  // namespace cicd
