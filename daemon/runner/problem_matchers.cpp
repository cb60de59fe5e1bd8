#include "daemon/runner/problem_matchers.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace cicd::runner {
namespace {

constexpr std::size_t most_matchers = 100, most_patterns = 20, longest_line = 16 * 1024;
constexpr const char* group_names[] = {"file", "fromPath", "line", "column", "endLine", "endColumn", "severity", "code", "message"};

Error bad(const std::string& why) { return invalid("JOB_002", "the problem matcher cannot be read: " + why); }

std::string text_of(const Value& value) { return value.is_string() ? value.as_string() : std::string(); }

/// Without the sequences by which terminals colour.
std::string plain(std::string_view line) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
            i += 2;
            while (i < line.size() && (line[i] < '@' || line[i] > '~')) ++i;
            continue;
        }
        text += line[i];
    }
    return text;
}

int number(const std::string& text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::max(value, 0);
}

}  // namespace

Result<ProblemMatchers::Pattern> ProblemMatchers::read_pattern(const Value& given) {
    if (!given["regexp"].is_string()) return bad("a pattern has no 'regexp'");
    auto regex = Regex::compile(given["regexp"].as_string(), {.ecma_script = true, .often = true});
    if (!regex) return bad("'" + given["regexp"].as_string().substr(0, 200) + "': " + regex.error().message);
    Pattern pattern{std::move(*regex), {}, given["loop"].is_bool() && given["loop"].as_bool()};
    for (const char* name : group_names) {
        if (!given[name].is_number()) continue;
        const double group = given[name].as_number();
        if (!(group >= 0 && group <= pattern.regex.groups())) return bad(std::string("'") + name + "' is no group of '" + given["regexp"].as_string().substr(0, 200) + "'");
        pattern.groups.emplace(name, static_cast<std::uint32_t>(group));
    }
    return pattern;
}

Result<ProblemMatchers::Matcher> ProblemMatchers::read(const Value& given) {
    Matcher matcher{text_of(given["owner"]), to_lower(text_of(given["severity"])), {}, {}};
    if (matcher.owner.empty()) return bad("one has no 'owner'");
    const auto patterns = given["pattern"].is_object() ? Value(Array{given["pattern"]}) : given["pattern"];
    if (!patterns.is_array() || patterns.as_array().empty()) return bad("'" + matcher.owner + "' has no 'pattern'");
    if (patterns.as_array().size() > most_patterns) return bad("'" + matcher.owner + "' has more than 20 patterns");
    for (const auto& each : patterns.as_array()) {
        CICD_TRY(auto pattern, read_pattern(each));
        if (pattern.loop && &each != &patterns.as_array().back()) return bad("only the last pattern of '" + matcher.owner + "' may have 'loop'");
        matcher.patterns.push_back(std::move(pattern));
    }
    if (!matcher.patterns.back().groups.contains("message")) return bad("the last pattern of '" + matcher.owner + "' has no 'message'");
    return matcher;
}

Result<void> ProblemMatchers::add(std::string_view json) {
    CICD_TRY(const auto given, codec::parse_json(json));
    if (!given["problemMatcher"].is_array()) return bad("it has no list 'problemMatcher'");
    std::vector<Matcher> added;
    for (const auto& each : given["problemMatcher"].as_array()) {
        CICD_TRY(auto matcher, read(each));
        added.push_back(std::move(matcher));
    }
    for (auto& matcher : added) {
        remove(matcher.owner);
        if (matchers_.size() >= most_matchers) return bad("the job has 100 of them already");
        matchers_.push_back(std::move(matcher));
    }
    return {};
}

void ProblemMatchers::remove(std::string_view owner) {
    std::erase_if(matchers_, [&](const Matcher& matcher) { return matcher.owner == owner; });
}

std::vector<std::string> ProblemMatchers::owners(std::string_view json) {
    std::vector<std::string> names;
    const auto given = codec::parse_json(json);
    if (!given || !(*given)["problemMatcher"].is_array()) return names;
    for (const auto& each : (*given)["problemMatcher"].as_array()) names.push_back(text_of(each["owner"]));
    return names;
}

/// From the last pattern to the first, so that no line is taken by two: what the one before has found waits for the next line.
ProblemMatchers::Seen ProblemMatchers::see(Matcher& matcher, std::uint32_t step, std::string_view line, Found& found) {
    const auto last = matcher.patterns.size() - 1;
    auto& begun = matcher.begun[step];
    begun.resize(last);
    std::vector<std::string_view> groups;
    for (auto i = last + 1; i-- > 0;) {
        if (i > 0 && !begun[i - 1]) continue;
        const auto& pattern = matcher.patterns[i];
        const auto outcome = pattern.regex.match(line, &groups);
        if (outcome == Regex::Outcome::too_long) return Seen::too_long;
        if (outcome == Regex::Outcome::none) {
            if (i == last && i > 0) begun[i - 1].reset();
            if (i < last) begun[i].reset();
            continue;
        }
        Found now = i > 0 ? *begun[i - 1] : Found();
        for (const auto& [name, group] : pattern.groups) now[name] = std::string(groups[group]);
        if (i < last) {
            begun[i] = std::move(now);
            continue;
        }
        if (!pattern.loop) std::fill(begun.begin(), begun.end(), std::nullopt);
        found = std::move(now);
        return Seen::problem;
    }
    return Seen::nothing;
}

std::optional<model::Annotation> ProblemMatchers::annotation(const Matcher& matcher, Found& found) {
    const auto word = found["severity"].empty() ? matcher.severity : to_lower(found["severity"]);
    auto level = model::AnnotationLevel::error;
    if (word == "warning") level = model::AnnotationLevel::warning;
    else if (word == "notice" || word == "info") level = model::AnnotationLevel::notice;
    else if (!word.empty() && word != "error") return std::nullopt;
    if (trim(found["message"]).empty()) return std::nullopt;
    auto file = found["file"];
    // "fromPath" names what the file is relative to: a project's file beside it.
    if (const auto& from = found["fromPath"]; !from.empty() && !file.empty() && !file.starts_with('/'))
        if (const auto slash = from.rfind('/'); slash != from.npos) file = from.substr(0, slash + 1) + file;
    return model::Annotation{level, to_valid_utf8(trim(found["message"])), to_valid_utf8(found["code"]), to_valid_utf8(file),
                             number(found["line"]), number(found["column"]), number(found["endLine"]), number(found["endColumn"])};
}

std::optional<model::Annotation> ProblemMatchers::see(std::uint32_t step, std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > longest_line) return std::nullopt;
    const auto text = plain(line);
    for (auto matcher = matchers_.begin(); matcher != matchers_.end();) {
        Found found;
        const auto seen = see(*matcher, step, text, found);
        if (seen == Seen::too_long) {
            given_up_.push_back(matcher->owner);
            matcher = matchers_.erase(matcher);
            continue;
        }
        if (seen == Seen::problem) {
            // The line was this one's: others begin anew.
            for (auto& other : matchers_)
                if (&other != &*matcher) other.begun.erase(step);
            return annotation(*matcher, found);
        }
        ++matcher;
    }
    return std::nullopt;
}

}  // namespace cicd::runner
