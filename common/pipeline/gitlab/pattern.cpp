#include "common/pipeline/gitlab/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <memory>

namespace cicd::pipeline::gitlab {
namespace {

constexpr std::size_t longest = 4096;
constexpr std::uint32_t most_steps = 200'000;
constexpr std::uint32_t most_heap_kib = 8 * 1024;

struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

PCRE2_SPTR as_units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

Result<std::uint32_t> options_of(std::string_view flags) {
    std::uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    for (const char flag : flags) {
        if (flag == 'i') options |= PCRE2_CASELESS;
        else if (flag == 'm') options |= PCRE2_MULTILINE;
        else if (flag == 's') options |= PCRE2_DOTALL;
        else if (flag == 'U') options |= PCRE2_UNGREEDY;
        else return invalid("PIPELINE_006", std::string("unknown flag '") + flag + "' of a regular expression", "i, m, s or U");
    }
    return options;
}

}  // namespace

bool is_pattern(std::string_view text) {
    const auto end = text.rfind('/');
    return text.size() >= 2 && text[0] == '/' && end > 0 && end != text.npos && text.find_first_not_of("imsU", end + 1) == text.npos;
}

Result<bool> matches(std::string_view written, std::string_view text) {
    if (!is_pattern(written)) return invalid("PIPELINE_006", "'" + std::string(written) + "' is no regular expression", "write it as /pattern/");
    if (written.size() > longest) return invalid("PIPELINE_006", "a regular expression is longer than 4096 bytes");
    const auto end = written.rfind('/');
    CICD_TRY(const auto options, options_of(written.substr(end + 1)));
    const auto pattern = written.substr(1, end - 1);
    int fault = 0;
    PCRE2_SIZE place = 0;
    const std::unique_ptr<pcre2_code, Free> code(pcre2_compile(as_units(pattern), pattern.size(), options, &fault, &place, nullptr));
    if (!code) {
        std::array<PCRE2_UCHAR, 256> why{};
        pcre2_get_error_message(fault, why.data(), why.size());
        return invalid("PIPELINE_006", "the regular expression " + std::string(written) + " cannot be read: " +
                                           reinterpret_cast<const char*>(why.data()) + " at character " + std::to_string(place + 1));
    }
    const std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(1, nullptr));
    const std::unique_ptr<pcre2_match_context, Free> context(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(context.get(), most_steps);
    pcre2_set_heap_limit(context.get(), most_heap_kib);
    const int found = pcre2_match(code.get(), as_units(text), text.size(), 0, 0, data.get(), context.get());
    if (found >= 0) return true;
    if (found == PCRE2_ERROR_NOMATCH) return false;
    return invalid("PIPELINE_006", "the regular expression " + std::string(written) + " takes too long on this text");
}

}  // namespace cicd::pipeline::gitlab
