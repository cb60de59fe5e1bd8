#include "daemon/api/line_pattern.hpp"

#include "common/contract/errors.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

namespace cicd::api {
namespace {

constexpr std::size_t longest_expression = 4096;
constexpr std::uint32_t most_steps = 1'000'000;
constexpr std::uint32_t most_heap_kib = 32 * 1024;

struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

PCRE2_SPTR as_units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

struct LinePattern::State {
    std::unique_ptr<pcre2_code, Free> code;
    std::unique_ptr<pcre2_match_data, Free> data;
    std::unique_ptr<pcre2_match_context, Free> context;
};

LinePattern::LinePattern(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinePattern::~LinePattern() = default;
LinePattern::LinePattern(LinePattern&&) noexcept = default;
LinePattern& LinePattern::operator=(LinePattern&&) noexcept = default;

Result<LinePattern> LinePattern::compile(std::string_view expression) {
    const auto refuse = [&](const std::string& why) {
        return invalid(std::string(contract::code::bad_request), "'grep' is no regular expression: " + why,
                       "put a '\\' before characters that are meant as they are");
    };
    if (expression.size() > longest_expression) return refuse("it is longer than 4096 bytes");
    // As ECMAScript reads escapes and unset groups; lines may hold any bytes (MATCH_INVALID_UTF).
    constexpr std::uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
                                      PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    int error = 0;
    PCRE2_SIZE place = 0;
    auto state = std::make_unique<State>();
    state->code.reset(pcre2_compile(as_units(expression), expression.size(), options, &error, &place, nullptr));
    if (!state->code) {
        std::array<PCRE2_UCHAR, 256> text{};
        pcre2_get_error_message(error, text.data(), text.size());
        return refuse(std::string(reinterpret_cast<const char*>(text.data())) + " at character " + std::to_string(place + 1));
    }
    // Without a just-in-time compiler for this machine, matching is interpreted.
    pcre2_jit_compile(state->code.get(), PCRE2_JIT_COMPLETE);
    state->data.reset(pcre2_match_data_create(1, nullptr));
    state->context.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(state->context.get(), most_steps);
    pcre2_set_heap_limit(state->context.get(), most_heap_kib);
    return LinePattern(std::move(state));
}

bool LinePattern::matches(std::string_view line) const {
    const auto match = [&](std::uint32_t options) {
        return pcre2_match(state_->code.get(), as_units(line), line.size(), 0, options, state_->data.get(),
                           state_->context.get());
    };
    const int found = match(0);
    // Compiled code has little room for backtracking; the interpreter has more.
    return (found == PCRE2_ERROR_JIT_STACKLIMIT ? match(PCRE2_NO_JIT) : found) >= 0;
}

}  // namespace cicd::api
