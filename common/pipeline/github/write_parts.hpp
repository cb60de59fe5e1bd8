#pragma once

#include "common/pipeline/front.hpp"

#include <map>
#include <string>
#include <vector>

namespace cicd::pipeline::github {

/// What things of ours are called in a workflow, and what has no name there.
class Names {
public:
    Names(const model::Pipeline& pipeline, Report& report, std::string file);

    [[nodiscard]] const std::string& id(const model::Stage& stage, const model::Job& job) const;
    /// The jobs that a need means.
    [[nodiscard]] model::Strings ids(const model::Need& need) const;
    [[nodiscard]] const model::Stage* stage(const std::string& name) const;
    /// What a stage waits for: its own needs, or the stage written before it.
    [[nodiscard]] std::vector<model::Need> needs(const model::Stage& stage) const;

    /// With GitHub's contexts in every `${{ }}`.
    std::string text(const std::string& text, const model::Mark& mark);
    /// Of an expression without its braces.
    std::string expression(const std::string& text, const model::Mark& mark);
    /// A script, which knows the files for what it says by other names as well.
    std::string script(const std::string& text, const model::Mark& mark);
    void tell(Carried kind, const model::Mark& mark, std::string what, std::string reason);

private:
    std::optional<std::string> replace(const std::vector<std::string>& path, const model::Mark& mark);
    std::string parameter(const std::vector<std::string>& path, const std::string& theirs) const;
    std::optional<std::string> replace_need(const std::vector<std::string>& path, const model::Mark& mark);

    const model::Pipeline& pipeline_;
    Report& report_;
    std::string file_;
    std::map<std::string, std::string> ids_;  ///< by stage.job
};

/// One job with its steps.
Object write_job(Names& names, const model::Stage& stage, const model::Job& job);
Object write_texts(Names& names, const model::Texts& texts, const model::Mark& mark);
Object write_concurrency(Names& names, const model::Concurrency& concurrency, const model::Mark& mark);

inline void put(Object& object, const char* key, const std::string& text) {
    if (!text.empty()) object.set(key, text);
}

}  // namespace cicd::pipeline::github
