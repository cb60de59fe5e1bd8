#include "common/pipeline/gitlab/pattern.hpp"

#include "common/regex/regex.hpp"

namespace cicd::pipeline::gitlab {
namespace {

Result<Regex::Rules> rules_of(std::string_view flags) {
    Regex::Rules rules;
    for (const char flag : flags) {
        if (flag == 'i') rules.caseless = true;
        else if (flag == 'm') rules.multiline = true;
        else if (flag == 's') rules.dot_all = true;
        else if (flag == 'U') rules.ungreedy = true;
        else return invalid("PIPELINE_006", std::string("unknown flag '") + flag + "' of a regular expression", "i, m, s or U");
    }
    return rules;
}

}  // namespace

bool is_pattern(std::string_view text) {
    const auto end = text.rfind('/');
    return text.size() >= 2 && text[0] == '/' && end > 0 && end != text.npos && text.find_first_not_of("imsU", end + 1) == text.npos;
}

Result<bool> matches(std::string_view written, std::string_view text) {
    if (!is_pattern(written)) return invalid("PIPELINE_006", "'" + std::string(written) + "' is no regular expression", "write it as /pattern/");
    if (written.size() > Regex::longest) return invalid("PIPELINE_006", "a regular expression is longer than 4096 bytes");
    const auto end = written.rfind('/');
    CICD_TRY(const auto rules, rules_of(written.substr(end + 1)));
    const auto regex = Regex::compile(written.substr(1, end - 1), rules);
    if (!regex) return invalid("PIPELINE_006", "the regular expression " + std::string(written) + " cannot be read: " + regex.error().message);
    const auto outcome = regex->match(text);
    if (outcome == Regex::Outcome::too_long)
        return invalid("PIPELINE_006", "the regular expression " + std::string(written) + " takes too long on this text");
    return outcome == Regex::Outcome::found;
}

}  // namespace cicd::pipeline::gitlab
