#pragma once

#include "daemon/runner/finder.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::runner {

/// What one stream has begun and not finished: kept here, so that streams do not disturb each other.
class MaskedStream {
public:
    explicit MaskedStream(std::uint32_t step = 0) : step_(step) {}

private:
    friend class Masking;
    std::uint32_t step_;          ///< whose it is
    std::string command_;         ///< of a line that may become, or is, a command
    bool blank_ = true;           ///< nothing but white space stands on the line so far
    std::string seen_;            ///< of a line that somebody wants to see whole
    bool swallowing_ = false;     ///< the rest of a line that nobody is to see
    std::string held_;            ///< may be the begin of something hidden
    std::size_t covered_ = 0;     ///< so much at its begin was shown as *** already
};

/// The one place through which every byte of output passes before it is written anywhere: hidden values become `***`, in
/// all of their forms (see forms.hpp). A line `::add-mask::VALUE` hides that value from then on and is not shown itself.
/// While nothing is hidden, bytes pass as they are.
class Masking {
public:
    void hide(std::string_view value);

    /// Is given each whole line that begins with `::` and gives what is to be shown of it ("" for nothing, else with the
    /// line's end); nothing for a line that means nothing to it.
    using Obey = std::function<std::optional<std::string>(std::uint32_t step, std::string_view line)>;
    void obey_with(Obey obey) { obey_ = std::move(obey); }

    /// Is given each whole line that is no command, as it was written. Nothing: nobody wants to see them.
    using See = std::function<void(std::uint32_t step, std::string_view line)>;
    void see_with(See see) { see_ = std::move(see); }

    /// What can be shown now; valid until the next call. What may be the begin of something hidden is held back until it is
    /// known: at the latest by the line's end, as nothing hidden goes beyond one (but for texts whose lines are all shorter
    /// than four bytes).
    std::string_view pass(MaskedStream& stream, std::string_view bytes);
    /// The stream has ended: what was held back.
    std::string_view rest(MaskedStream& stream);
    /// Of a text that stands for itself.
    [[nodiscard]] std::string whole(std::string_view text);
    [[nodiscard]] bool would_hide(std::string_view text);
    /// Whether a command was not taken since this was asked last: its value was too long, or there were too many.
    bool take_refusal() { return std::exchange(refused_, false); }

private:
    std::string_view without_commands(MaskedStream& stream, std::string_view bytes, bool last);
    void obey(std::string_view command);
    void let_see(MaskedStream& stream, std::string_view piece, bool whole);
    std::string_view masked(MaskedStream& stream, std::string_view bytes, bool last);
    /// Nothing while nothing is hidden. Made when it is needed: commands often come many at once.
    const Finder* finder();

    std::vector<std::string> forms_;
    std::unique_ptr<const Finder> finder_;
    bool is_stale_ = false;
    std::set<std::string, std::less<>> added_;  ///< by commands
    std::size_t added_bytes_ = 0;
    std::vector<Finder::Match> matches_;
    std::string kept_lines_, shown_;
    bool refused_ = false;
    Obey obey_;
    See see_;
};

}  // namespace cicd::runner
