#include "common/base/glob_program.hpp"

#include <algorithm>

namespace cicd {

std::vector<char32_t> to_code_points(std::string_view text) {
    std::vector<char32_t> points;
    points.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
        char32_t point = length == 1 ? lead : lead & (0xFFu >> (length + 1));
        bool whole = lead < 0x80 || length > 1;
        for (std::size_t k = 1; k < length && whole; ++k) {
            whole = i + k < text.size() && (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
            if (whole) point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
        }
        points.push_back(whole ? point : 0x110000u + lead);
        i += whole ? length : 1;
    }
    return points;
}

void GlobProgram::add_character(char32_t character) { steps_.push_back({Kind::character, false, character, 0}); }
void GlobProgram::add_any() { steps_.push_back({Kind::any}); }
void GlobProgram::add_any_but_slash() { steps_.push_back({Kind::any_but_slash}); }

void GlobProgram::add_set(std::vector<Range> ranges, bool negated) {
    steps_.push_back({Kind::set, negated, 0, sets_.size()});
    sets_.push_back(std::move(ranges));
}

std::size_t GlobProgram::add_fork() {
    steps_.push_back({Kind::fork});
    return steps_.size() - 1;
}

std::size_t GlobProgram::add_jump() {
    steps_.push_back({Kind::jump});
    return steps_.size() - 1;
}

void GlobProgram::target(std::size_t step, std::size_t where) { steps_[step].other = where; }

void GlobProgram::add_any_run() {
    const auto fork = add_fork();
    add_any();
    target(add_jump(), fork);
    target(fork, size());
}

void GlobProgram::add_segment_run() {
    const auto fork = add_fork();
    add_any_but_slash();
    target(add_jump(), fork);
    target(fork, size());
}

void GlobProgram::add_folders() {
    const auto fork = add_fork();
    add_segment_run();
    add_character('/');
    target(add_jump(), fork);
    target(fork, size());
}

void GlobProgram::make_optional(std::size_t from) {
    // Jumps inside move along; those from before `from` now reach the new fork.
    for (std::size_t i = from; i < steps_.size(); ++i)
        if ((steps_[i].kind == Kind::fork || steps_[i].kind == Kind::jump) && steps_[i].other >= from) ++steps_[i].other;
    steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(from), Step{Kind::fork, false, 0, size() + 1});
}

void GlobProgram::make_repeatable(std::size_t from) {
    const auto fork = add_fork();
    target(fork, from);
}

bool GlobProgram::accepts(const Step& step, char32_t character) const {
    switch (step.kind) {
        case Kind::character: return step.character == character;
        case Kind::any: return true;
        case Kind::any_but_slash: return character != '/';
        case Kind::set: {
            const auto& ranges = sets_[step.other];
            const bool inside = std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
                return range.first <= character && character <= range.second;
            });
            return step.negated ? !inside && character != '/' : inside;
        }
        case Kind::fork:
        case Kind::jump: return false;
    }
    return false;
}

bool GlobProgram::matches(std::string_view text) const {
    std::vector<std::size_t> now, next, pending;
    std::vector<std::size_t> seen(steps_.size() + 1, 0);  // the round in which a step was entered last
    std::size_t round = 1;
    const auto enter = [&](std::size_t first, std::vector<std::size_t>& set) {
        pending.push_back(first);
        while (!pending.empty()) {
            const std::size_t at = pending.back();
            pending.pop_back();
            if (seen[at] == round) continue;
            seen[at] = round;
            if (at < steps_.size() && steps_[at].kind == Kind::jump) {
                pending.push_back(steps_[at].other);
            } else if (at < steps_.size() && steps_[at].kind == Kind::fork) {
                pending.push_back(steps_[at].other);
                pending.push_back(at + 1);
            } else {
                set.push_back(at);
            }
        }
    };
    enter(0, now);
    for (const char32_t character : to_code_points(text)) {
        ++round;
        next.clear();
        for (const std::size_t at : now)
            if (at < steps_.size() && accepts(steps_[at], character)) enter(at + 1, next);
        if (next.empty()) return false;
        now.swap(next);
    }
    return std::find(now.begin(), now.end(), steps_.size()) != now.end();
}

}  // namespace cicd
