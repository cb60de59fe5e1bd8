#pragma once

#include "common/pipeline/front.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::pipeline::gitlab {

/// A variable of a job. `late` ones hold one of our expressions, which only the run can tell.
struct Variable {
    std::string value;
    bool late = false, expand = true;
    std::string later = {};  ///< our expression that gives it in any run; empty: `value` holds
};

/// In the order in which they were first set; setting one again replaces its value.
class Variables {
public:
    void set(const std::string& name, Variable variable);
    void set(const std::string& name, std::string value) { set(name, Variable{std::move(value)}); }
    /// What gives a variable that is there in any run.
    void set_later(const std::string& name, std::string expression);
    void add(const Variables& others);
    void remove(const std::string& name);
    [[nodiscard]] const Variable* find(const std::string& name) const;
    /// As GitLab knows it when it creates the pipeline, with the variables in it; nothing for what it does not know then.
    [[nodiscard]] std::optional<std::string> known(const std::string& name) const;
    /// A text of the file, with its variables: for the run, so what is in it must not look like an expression of ours.
    [[nodiscard]] std::string expand(std::string_view text) const;
    /// The same, for what is decided when the pipeline is made.
    [[nodiscard]] std::string expand_known(std::string_view text) const;
    /// All of them as an environment of ours.
    [[nodiscard]] model::Texts environment() const;
    [[nodiscard]] const std::vector<std::string>& names() const { return order_; }

private:
    enum class Purpose { run, decision };
    std::string expand(std::string_view text, Purpose purpose, std::vector<std::string>& open) const;
    std::string value_of(const std::string& name, Purpose purpose, std::vector<std::string>& open) const;

    std::vector<std::string> order_;
    std::map<std::string, Variable> variables_;
};

/// A text that our expressions leave as it is.
std::string escaped(std::string_view text);

/// CI_* and GITLAB_* that are the same for all jobs. For every run: what the run will tell is an expression of ours as well.
Variables predefined(const FrontFacts& facts, const std::string& event, const std::string& file);
/// Lower case, with '-' for all but letters and digits, at most 63 of them.
std::string slug(std::string_view text);

}  // namespace cicd::pipeline::gitlab
