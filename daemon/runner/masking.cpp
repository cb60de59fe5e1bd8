#include "daemon/runner/masking.hpp"

#include "common/base/text.hpp"
#include "daemon/runner/forms.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cicd::runner {
namespace {

constexpr std::string_view command_word = "::add-mask::";
constexpr std::string_view mask = "***";
// What a job may add: it would make its own output slow, and its runner large.
constexpr std::size_t most_added = 4096, most_added_bytes = 4 << 20;
constexpr std::size_t longest_seen = 64 * 1024;
constexpr std::size_t longest_command = 64 * 1024 * 3;  // every byte of a value may be percent-encoded

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// Whether "::" is in it. Sixteen bytes at a time where the compiler can: it is asked of every byte of output.
bool has_two_colons(std::string_view text) {
    constexpr std::size_t step = 256;
    std::size_t at = 0;
    for (; at + step < text.size(); at += step) {
        const char* bytes = text.data() + at;
        unsigned char any = 0;
        for (std::size_t i = 0; i < step; ++i)
            any |= static_cast<unsigned char>((bytes[i] == ':') & (bytes[i + 1] == ':'));
        if (any != 0) return true;
    }
    return text.find("::", at) != std::string_view::npos;
}

/// GitHub's escapes in the data of workflow commands.
std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto code = text.substr(i, 3);
        if (code == "%25")
            result += '%', i += 2;
        else if (code == "%0D")
            result += '\r', i += 2;
        else if (code == "%0A")
            result += '\n', i += 2;
        else
            result += text[i];
    }
    return result;
}

/// The finder's matches as `***`, up to `limit`; begins behind the first `done` bytes. Gives up to where all is shown.
std::size_t replace(std::string_view text, const std::vector<Finder::Match>& matches, std::size_t done,
                    std::size_t limit, std::string& shown) {
    for (const auto& match : matches) {
        if (match.begin >= limit) break;
        if (match.begin >= done) {
            shown += text.substr(done, match.begin - done);
            shown += mask;
        }
        done = std::max(done, match.end);
    }
    if (done < limit) shown += text.substr(done, limit - done);
    return std::max(done, limit);
}

}  // namespace

void Masking::hide(std::string_view value) {
    auto more = forms_of(value);
    if (more.empty()) return;
    forms_.insert(forms_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    is_stale_ = true;
}

const Finder* Masking::finder() {
    if (std::exchange(is_stale_, false)) finder_ = std::make_unique<const Finder>(forms_);
    return finder_.get();
}

std::string_view Masking::pass(MaskedStream& stream, std::string_view bytes) {
    return masked(stream, without_commands(stream, bytes, false), false);
}

std::string_view Masking::rest(MaskedStream& stream) {
    return masked(stream, without_commands(stream, {}, true), true);
}

std::string_view Masking::without_commands(MaskedStream& stream, std::string_view bytes, bool last) {
    auto& [step, begun, blank, seen, swallowing, held, covered] = stream;
    const bool plain = begun.empty() && !swallowing && !see_ && seen.empty() && (bytes.empty() || bytes.back() != ':') && !has_two_colons(bytes);
    if (plain) {
        const auto newline = bytes.rfind('\n');
        const auto tail = newline == std::string_view::npos ? bytes : bytes.substr(newline + 1);
        blank = (newline != std::string_view::npos || blank) && std::all_of(tail.begin(), tail.end(), is_blank);
        return bytes;
    }
    begun += bytes;
    const auto text = std::exchange(begun, {});
    kept_lines_.clear();
    for (std::size_t at = 0; at < text.size();) {
        const auto newline = text.find('\n', at);
        const bool whole = newline != std::string::npos;
        const auto line = std::string_view(text).substr(at, whole ? newline + 1 - at : std::string::npos);
        at += line.size();
        if (swallowing) {
            swallowing = !whole;
            blank = whole;
            continue;
        }
        const auto word =
            blank ? line.substr(std::min(line.size(), line.find_first_not_of(" \t"))) : std::string_view();
        const bool is_command = word.starts_with(command_word);
        const bool may_be_other = obey_ && (word == ":" || word.starts_with("::"));
        std::optional<std::string> answer;
        if (may_be_other && (whole || last)) answer = obey_(step, word);
        if (answer) {
            kept_lines_ += *answer;
            blank = true;
        } else if (is_command && (whole || last)) {
            obey(word);
            blank = true;
        } else if (is_command && word.size() > longest_command) {
            swallowing = refused_ = true;
        } else if (!last && !whole && !word.empty() && word.size() <= longest_command &&
                   (is_command || may_be_other || command_word.starts_with(word))) {
            begun = line;
        } else {
            kept_lines_ += line;
            if (see_ || !seen.empty()) let_see(stream, line, whole || last);
            blank = whole || (blank && word.empty());
        }
    }
    return kept_lines_;
}

void Masking::let_see(MaskedStream& stream, std::string_view piece, bool whole) {
    if (stream.seen_.size() < longest_seen) stream.seen_ += piece;
    if (!whole) return;
    const auto line = std::exchange(stream.seen_, {});
    if (see_) see_(stream.step_, line);
}

void Masking::obey(std::string_view command) {
    auto value = command.substr(command_word.size());
    while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
    if (trim(value).empty() || added_.contains(value)) return;
    refused_ = refused_ || added_.size() >= most_added || added_bytes_ + value.size() > most_added_bytes;
    if (refused_) return;
    added_.emplace(value);
    added_bytes_ += value.size();
    hide(unescaped(value));
}

std::string_view Masking::masked(MaskedStream& stream, std::string_view bytes, bool last) {
    const auto* finder = this->finder();
    if (!finder) return bytes;
    auto text = bytes;
    if (!stream.held_.empty()) text = stream.held_ += bytes;
    const auto limit = last ? text.size() : finder->unfinished(text);
    finder->find(text, matches_);
    if (matches_.empty() && stream.covered_ == 0 && stream.held_.empty()) {
        stream.held_ = text.substr(limit);
        return text.substr(0, limit);
    }
    shown_.clear();
    const auto done = replace(text, matches_, stream.covered_, limit, shown_);
    std::string left(text.substr(limit));
    stream.covered_ = done - limit;
    stream.held_ = std::move(left);
    return shown_;
}

std::string Masking::whole(std::string_view text) {
    const auto* finder = this->finder();
    if (!finder) return std::string(text);
    std::vector<Finder::Match> matches;
    finder->find(text, matches);
    std::string shown;
    replace(text, matches, 0, text.size(), shown);
    return shown;
}

bool Masking::would_hide(std::string_view text) {
    const auto* finder = this->finder();
    if (!finder) return false;
    std::vector<Finder::Match> matches;
    finder->find(text, matches);
    return !matches.empty();
}

}  // namespace cicd::runner
