#include "common/pipeline/gitlab/open.hpp"

#include "common/base/text.hpp"
#include "common/expr/expression.hpp"
#include "common/pipeline/gitlab/pattern.hpp"
#include "common/pipeline/gitlab/shapes.hpp"
#include "common/pipeline/rewrite.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace cicd::pipeline::gitlab {
namespace {

using Kind = Term::Kind;

constexpr std::size_t most_terms = 200;

struct Word {
    std::string_view theirs, ours;
};
/// What starts a run by our names. GitLab's other words begin nothing here.
constexpr std::array<Word, 6> words{{{"push", "push"}, {"merge_request_event", "pull_request"}, {"web", "manual"}, {"schedule", "schedule"},
                                     {"trigger", "webhook"}, {"pipeline", "pipeline"}}};

std::size_t terms_in(const Term& term) {
    std::size_t count = 1;
    for (const auto& part : term.parts) count += terms_in(part);
    return count;
}

/// The whole of an `any` or `all` that was read two by two.
void collect(const Term& term, Kind kind, std::vector<const Term*>& into) {
    if (term.kind != kind) return into.push_back(&term);
    for (const auto& part : term.parts) collect(part, kind, into);
}

bool has_letters(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
}

Formula not_empty(const Asked& asked) {
    if (asked.never_empty) return asked.set;
    return asked.set && !Formula::equal(asked.expression, "");
}

Formula of_shape(const std::string& expression, const Shape& shape) {
    const auto call = [&](const char* name, const std::string& text) { return Formula::call(std::string(name) + "(" + expression + ", " + as_literal(text) + ")"); };
    if (shape.whole) return Formula::equal(expression, shape.begin);
    auto all = Formula::constant(true);
    if (!shape.begin.empty()) all = all && call("startsWith", shape.begin);
    if (!shape.end.empty()) all = all && call("endsWith", shape.end);
    if (!shape.within.empty()) all = all && call("contains", shape.within);
    if (shape.more) all = all && !Formula::equal(expression, shape.begin + shape.end);
    return all;
}

/// What holds wherever the pattern matches: so where it does not, at least the opposite of the pattern is known.
Formula may_match(const std::string& expression, const std::string& pattern) {
    std::vector<Formula> parts;
    for (const auto& text : beginnings_of(pattern)) parts.push_back(Formula::call("startsWith(" + expression + ", " + as_literal(text) + ")"));
    return parts.empty() ? Formula::constant(true) : Formula::any_of(std::move(parts));
}

}  // namespace

Formula is_merge_request() { return Formula::equal("run.event", of_merge_request); }

Formula of_event(std::string_view word) {
    for (const auto& [theirs, ours] : words)
        if (theirs == word) return Formula::equal("run.event", std::string(ours));
    return Formula::constant(false);
}

std::string event_expression() {
    return "case(run.event == 'pull_request', 'merge_request_event', run.event == 'manual', 'web', run.event == 'webhook', 'trigger', run.event)";
}

std::string Questions::value(const std::string& text) const {
    const std::string_view whole = trim(text);
    const auto inner = trim(expr::strip_braces(whole));
    const auto embedded = expr::embedded_expressions(text);
    if (inner == whole || !embedded || embedded->size() != 1) return as_expression(Value(text));
    return inner.find(' ') == inner.npos || inner.starts_with("case(") ? std::string(inner) : "(" + std::string(inner) + ")";
}

Formula Questions::ask(const Node& at, const std::string& condition) {
    at_ = &at;
    condition_ = std::string(trim(condition));
    if (condition_.empty()) return Formula::unknown("line " + std::to_string(at.line));  // a reference that leads nowhere, which is told
    const auto term = parse_if(condition);
    if (!term) {
        s_.r.error(at, term.error().message, term.error().hint);
        return Formula::constant(false);
    }
    if (terms_in(*term) > most_terms) return cannot("it is too long");
    return of(*term);
}

Formula Questions::cannot(const std::string& why, const std::string& of) {
    const auto shown = condition_.size() > 160 ? condition_.substr(0, 157) + "..." : condition_;
    s_.r.unsupported(*at_, shown, why + "; it is taken not to hold, so give the job the condition that you want");
    return Formula::unknown(of.empty() ? condition_ : of);
}

Questions::Side Questions::side(const Term& term) {
    switch (term.kind) {
        case Kind::null: return {};
        case Kind::text:
        case Kind::pattern: return {{.text = term.text}, {}};
        case Kind::variable: return {variable(term.text), {}};
        case Kind::truth:
        case Kind::group:
        case Kind::any:
        case Kind::all:
        case Kind::equal:
        case Kind::differs:
        case Kind::matches:
        case Kind::matches_not: break;
    }
    return {{}, of(term)};
}

Formula Questions::of(const Term& term) {
    switch (term.kind) {
        case Kind::null: return Formula::constant(false);
        case Kind::truth: return Formula::constant(term.truth);
        case Kind::text:
        case Kind::pattern: return Formula::constant(!term.text.empty());
        case Kind::variable: {
            const auto asked = variable(term.text);
            return asked.is_known() ? Formula::constant(asked.text && !asked.text->empty()) : not_empty(asked);
        }
        case Kind::group: return of(term.parts[0]);
        case Kind::any:
        case Kind::all: {
            std::vector<const Term*> terms;
            collect(term, term.kind, terms);
            std::vector<Formula> parts;
            for (const auto* each : terms) parts.push_back(term.kind == Kind::any ? of(*each) : !of(*each));
            return term.kind == Kind::any ? Formula::any_of(std::move(parts)) : !Formula::any_of(std::move(parts));
        }
        case Kind::equal: return equal(side(term.parts[0]), side(term.parts[1]));
        case Kind::differs: return !equal(side(term.parts[0]), side(term.parts[1]));
        case Kind::matches: return matches(side(term.parts[0]), side(term.parts[1]));
        case Kind::matches_not: return !matches(side(term.parts[0]), side(term.parts[1]));
    }
    return Formula::constant(false);
}

Formula Questions::equal(const Side& left, const Side& right) {
    if (left.truth && right.truth) return (*left.truth && *right.truth) || (!*left.truth && !*right.truth);
    if (left.truth || right.truth) return Formula::constant(false);
    const auto &a = left.value, &b = right.value;
    if (a.is_known() && b.is_known()) return Formula::constant(a.text == b.text);
    if (a.is_known()) return equal(b, a.text);
    if (b.is_known()) return equal(a, b.text);
    const auto both = a.set && b.set && Formula::call("(" + a.expression + " == " + b.expression + ")");
    return both || (!a.set && !b.set);
}

Formula Questions::equal(const Asked& open, const std::optional<std::string>& text) {
    if (!text) return open.empty_is_unset ? !not_empty(open) : !open.set;
    if (open.is_event) return of_event(*text);
    if (text->empty() && (open.never_empty || open.empty_is_unset)) return Formula::constant(false);
    if (has_letters(*text)) s_.r.find_of_file(Carried::approximated, *at_, "texts in rules", "ours are the same in upper and lower case; GitLab's are not");
    return open.set && Formula::equal(open.expression, *text);
}

Formula Questions::matches(const Side& left, const Side& right) {
    if (left.truth || right.truth) return cannot("it compares with a pattern what is no text");
    if (!right.value.is_known()) return cannot("its pattern is only known when it runs");
    const auto pattern = right.value.text.value_or("");
    if (pattern.empty()) return Formula::constant(false);
    return matches(*at_, left.value, pattern);
}

Formula Questions::matches(const Node& at, const Asked& left, const std::string& pattern) {
    if (at_ != &at) at_ = &at, condition_ = pattern;
    const bool plain = !is_pattern(pattern);
    const auto fits = [&](const std::string& text) -> Result<bool> {
        if (plain) return text.find(pattern) != std::string::npos;
        return gitlab::matches(pattern, text);
    };
    const auto sound = fits("");
    if (!sound) {
        s_.r.error(at, sound.error().message, sound.error().hint);
        return Formula::constant(false);
    }
    if (left.is_known()) {
        const auto found = fits(left.text.value_or(""));
        return Formula::constant(left.text && found && *found);
    }
    if (left.is_event) {
        std::vector<Formula> events;
        for (const auto& word : words)
            if (const auto found = fits(std::string(word.theirs)); found && *found) events.push_back(of_event(word.theirs));
        return events.size() == words.size() ? Formula::constant(true) : Formula::any_of(std::move(events));
    }
    if (plain) return left.set && Formula::call("contains(" + left.expression + ", " + as_literal(pattern) + ")");
    const auto shapes = shapes_of(pattern);
    if (!shapes) return left.set && may_match(left.expression, pattern) && cannot("our expressions have no patterns such as " + pattern, left.expression + " =~ " + pattern);
    std::vector<Formula> parts;
    for (const auto& shape : *shapes) parts.push_back(of_shape(left.expression, shape));
    auto any = left.set && Formula::any_of(std::move(parts));
    return *sound && left.empty_is_unset ? any && not_empty(left) : any;
}

Asked Questions::decided_now(const std::string& name, std::string text) {
    s_.r.find_of_file(Carried::approximated, *at_, "$" + name, "rules take it for '" + text + "', as it is here");
    return {.text = std::move(text)};
}

/// Variables of GitLab's that tell of the event, as contexts of ours.
std::optional<Asked> Questions::event_variable(const std::string& name) {
    if (name == "CI_PIPELINE_SOURCE" && s_.event == of_parent) return Asked{.text = of_parent};
    if (name == "CI_PIPELINE_SOURCE") return Asked{.expression = event_expression(), .never_empty = true, .is_event = true};
    if (name == "CI_COMMIT_BRANCH") return Asked{.expression = "git.branch", .set = !is_merge_request(), .empty_is_unset = true};
    if (name == "CI_COMMIT_TAG") return Asked{.expression = "git.tag", .empty_is_unset = true};
    if (name == "CI_COMMIT_REF_NAME") return Asked{.expression = "git.refName"};
    static const std::map<std::string, const char*> always{{"CI_COMMIT_SHA", "git.commit"}, {"CI_COMMIT_MESSAGE", "git.message"}, {"CI_COMMIT_AUTHOR", "git.author"},
                                                           {"GITLAB_USER_LOGIN", "run.actor"}, {"GITLAB_USER_NAME", "git.author"}, {"GITLAB_USER_EMAIL", "git.authorEmail"}};
    if (const auto found = always.find(name); found != always.end()) return Asked{.expression = found->second};
    static const std::map<std::string, const char*> of_request{
        {"CI_MERGE_REQUEST_ID", "git.pullRequest"}, {"CI_MERGE_REQUEST_IID", "git.pullRequest"}, {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "git.branch"},
        {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "git.base"}, {"CI_MERGE_REQUEST_EVENT_TYPE", "'detached'"}, {"CI_MERGE_REQUEST_DIFF_BASE_SHA", "git.base"}};
    if (const auto found = of_request.find(name); found != of_request.end())
        return Asked{.expression = found->second, .set = is_merge_request(), .never_empty = true};
    if (name == "CI_COMMIT_TITLE" || name == "CI_MERGE_REQUEST_TITLE") {
        s_.r.approximated(*at_, "$" + name, "the commit's whole message is asked");
        return Asked{.expression = "git.message", .set = name == "CI_COMMIT_TITLE" ? Formula::constant(true) : is_merge_request()};
    }
    if (name == "CI_COMMIT_REF_PROTECTED") {
        s_.r.approximated(*at_, "$" + name, "the branches main and master are taken for protected");
        return Asked{.expression = "case(git.refName == 'main' || git.refName == 'master', 'true', 'false')"};
    }
    // The same project on both sides.
    for (const char* of : {"CI_MERGE_REQUEST_SOURCE_PROJECT_", "CI_MERGE_REQUEST_TARGET_PROJECT_", "CI_MERGE_REQUEST_PROJECT_"})
        if (name.starts_with(of))
            if (const auto text = variables_.known("CI_PROJECT_" + name.substr(std::string_view(of).size())))
                return Asked{.expression = as_literal(*decided_now(name, *text).text), .set = is_merge_request(), .never_empty = true};
    return std::nullopt;
}

Asked Questions::variable(const std::string& name) {
    const auto& given = s_.options.facts.variables;
    for (const auto& [known, text] : given)
        if (known == name) return {.text = text};
    const bool own = own_.contains(name);
    if (!own)
        if (auto asked = event_variable(name)) return *asked;
    if (variables_.find(name)) {
        const auto text = variables_.expand("${" + name + "}");
        if (text.find("${{") != std::string::npos) return {.expression = value(text), .empty_is_unset = asking_.unset.contains(name)};
        static const std::set<std::string, std::less<>> same_everywhere{"CI", "GITLAB_CI", "CI_SERVER", "CI_SERVER_NAME"};
        if (own || same_everywhere.contains(name) || name.starts_with("CI_JOB_")) return {.text = text};
        return decided_now(name, text);
    }
    if (name.starts_with("CI_") || name.starts_with("GITLAB_")) {
        s_.r.find_of_file(Carried::unsupported, *at_, "$" + name, "nothing of ours tells it; rules take it for not set");
        return {};
    }
    if (asking_.unset.insert(name).second)
        s_.r.find_of_file(Carried::manual, *at_, "$" + name, "the file does not set it: it is a parameter here (cicdctl run --param " + name + "=...); what is secret belongs to cicdctl secret set");
    return {.expression = "params." + name, .empty_is_unset = true};
}

}  // namespace cicd::pipeline::gitlab
