#include "common/regex/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <string>
#include <utility>

namespace cicd {
namespace {

struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

PCRE2_SPTR as_units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::uint32_t options_of(const Regex::Rules& rules) {
    std::uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (rules.ecma_script) options |= PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_DOLLAR_ENDONLY;
    for (const auto& [wanted, option] : {std::pair{rules.caseless, PCRE2_CASELESS}, std::pair{rules.multiline, PCRE2_MULTILINE},
                                         std::pair{rules.dot_all, PCRE2_DOTALL}, std::pair{rules.ungreedy, PCRE2_UNGREEDY}})
        if (wanted) options |= option;
    return options;
}

}  // namespace

struct Regex::State {
    std::unique_ptr<pcre2_code, Free> code;
    std::unique_ptr<pcre2_match_data, Free> data;
    std::unique_ptr<pcre2_match_context, Free> context;
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

Result<Regex> Regex::compile(std::string_view expression, const Rules& rules) {
    if (expression.size() > longest) return invalid("", "it is longer than 4096 bytes");
    int error = 0;
    PCRE2_SIZE place = 0;
    auto state = std::make_unique<State>();
    state->code.reset(pcre2_compile(as_units(expression), expression.size(), options_of(rules), &error, &place, nullptr));
    if (!state->code) {
        std::array<PCRE2_UCHAR, 256> text{};
        pcre2_get_error_message(error, text.data(), text.size());
        return invalid("", std::string(reinterpret_cast<const char*>(text.data())) + " at character " + std::to_string(place + 1));
    }
    // Where there is no such compiler, matching is interpreted.
    if (rules.often) pcre2_jit_compile(state->code.get(), PCRE2_JIT_COMPLETE);
    state->data.reset(pcre2_match_data_create_from_pattern(state->code.get(), nullptr));
    state->context.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(state->context.get(), rules.most_steps);
    pcre2_set_heap_limit(state->context.get(), rules.most_heap_kib);
    return Regex(std::move(state));
}

Regex::Outcome Regex::match(std::string_view text, std::vector<std::string_view>* groups) const {
    const auto match = [&](std::uint32_t options) {
        return pcre2_match(state_->code.get(), as_units(text), text.size(), 0, options, state_->data.get(), state_->context.get());
    };
    int found = match(0);
    // Compiled code has little room for backtracking; the interpreter has more.
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = match(PCRE2_NO_JIT);
    if (found == PCRE2_ERROR_NOMATCH) return Outcome::none;
    if (found < 0) return Outcome::too_long;
    if (!groups) return Outcome::found;
    groups->clear();
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(state_->data.get());
    for (std::uint32_t i = 0; i <= this->groups(); ++i) {
        const bool took_part = static_cast<int>(i) < found && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1];
        groups->push_back(took_part ? text.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i]) : std::string_view());
    }
    return Outcome::found;
}

std::uint32_t Regex::groups() const {
    std::uint32_t count = 0;
    pcre2_pattern_info(state_->code.get(), PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

}  // namespace cicd
