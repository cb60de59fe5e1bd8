#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace cicd {

/// A regular expression, compiled once by PCRE2. Its effort for one text is bounded, so none can hold up who asks; a text need
/// not be UTF-8, it matches as its bytes allow. One thread at a time.
class Regex {
public:
    struct Rules {
        bool ecma_script = false;  ///< escapes and unset groups as there; `$` is the end of the text only
        bool caseless = false, multiline = false, dot_all = false, ungreedy = false;
        bool often = false;        ///< compiled for this machine: it will be matched many times
        std::uint32_t most_steps = 200'000, most_heap_kib = 8 * 1024;
    };
    static constexpr std::size_t longest = 4096;
    /// The error's message says only why, and at which character.
    static Result<Regex> compile(std::string_view expression, const Rules& rules);
    ~Regex();
    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;

    enum class Outcome { none, found, too_long };
    /// `groups`: of a match, where wanted; 0 is all of it, one that took no part is empty.
    Outcome match(std::string_view text, std::vector<std::string_view>* groups = nullptr) const;
    [[nodiscard]] std::uint32_t groups() const;

private:
    struct State;
    explicit Regex(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cicd
