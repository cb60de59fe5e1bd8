#pragma once

#include "common/pipeline/gitlab/condition.hpp"
#include "common/pipeline/gitlab/decide.hpp"
#include "common/pipeline/gitlab/formula.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Rules that stay open: a file that is read for all of its runs keeps what it asks of the event, as conditions of ours.
namespace cicd::pipeline::gitlab {

/// What conditions of the whole file asked for.
struct Asking {
    std::set<std::string> unset;  ///< variables that nothing in the file sets: parameters of ours
    std::vector<model::Parameter> parameters;
};

/// A variable in any run: a text that is known already, an expression of ours, or not set.
struct Asked {
    std::optional<std::string> text = {};
    std::string expression = {};
    Formula set = Formula::constant(true);  ///< when the expression holds it at all
    bool never_empty = false;               ///< where it is set
    bool empty_is_unset = false;
    bool is_event = false;                  ///< CI_PIPELINE_SOURCE: its words are compared with ours
    [[nodiscard]] bool is_known() const { return expression.empty(); }
};

/// The answers to what rules ask, in any run of one job, or of the file.
class Questions {
public:
    /// `variables`: all there are, in the form they have for the run; `own`: names among them that the file itself sets.
    Questions(const Setting& setting, Asking& asking, const Variables& variables, std::set<std::string> own)
        : s_(setting), asking_(asking), variables_(variables), own_(std::move(own)) {}

    Formula ask(const Node& at, const std::string& condition);
    Formula matches(const Node& at, const Asked& left, const std::string& pattern);
    /// What the expressions of ours for a text of the file are.
    [[nodiscard]] std::string value(const std::string& text) const;
    const Setting& setting() const { return s_; }
    const Variables& variables() const { return variables_; }

private:
    struct Side {
        Asked value;
        std::optional<Formula> truth;
    };
    Side side(const Term& term);
    Formula of(const Term& term);
    Formula equal(const Side& left, const Side& right);
    Formula equal(const Asked& open, const std::optional<std::string>& text);
    Formula matches(const Side& left, const Side& right);
    /// `of`: what it is that cannot be asked; empty: the whole condition.
    Formula cannot(const std::string& why, const std::string& of = {});
    Asked variable(const std::string& name);
    std::optional<Asked> event_variable(const std::string& name);
    Asked decided_now(const std::string& name, std::string text);

    const Setting& s_;
    Asking& asking_;
    const Variables& variables_;
    std::set<std::string> own_;
    const Node* at_ = nullptr;
    std::string condition_;
};

/// The runs that begin by what GitLab calls so.
Formula of_event(std::string_view word);
/// run.event as GitLab calls it.
std::string event_expression();
inline constexpr const char* of_parent = "parent_pipeline";  ///< how a child pipeline begins, whatever began its parent
inline constexpr const char* of_merge_request = "pull_request";
Formula is_merge_request();

struct OpenRule {
    Formula applies;
    Outcome outcome;
};
/// In their order: the first one that applies counts; none of them: the job has no place.
std::vector<OpenRule> open_rules(Questions& questions, const Node& rules);
/// `only` and `except` as a condition.
Formula open_only(Questions& questions, const Node* only, const Node* except);

/// Where the rule that counts is one of those wanted.
template <class Wanted>
Formula where(const std::vector<OpenRule>& rules, Wanted wanted) {
    auto result = Formula::constant(false);
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule)
        result = wanted(rule->outcome) ? rule->applies || result : !rule->applies && result;
    return result.known();
}
/// A text that depends on the rule that counts; `otherwise` is of those that do not say.
std::string chosen_text(const std::vector<OpenRule>& rules, const std::string& variable, const std::string& otherwise, const Variables& variables);

}  // namespace cicd::pipeline::gitlab
