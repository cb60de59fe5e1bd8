#pragma once

#include "common/model/action.hpp"
#include "common/pipeline/front.hpp"
#include "daemon/planner/prepare.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Repositories of other people's actions and workflows: found once per run, at one commit. Blocks.
namespace cicd::planner {

class FetchedActions {
public:
    FetchedActions(git::Sources& sources, const ActionServers& servers) : sources_(sources), servers_(servers) {}

    /// A file of owner/name/path@ref.
    Result<std::string> read(const std::string& named);
    /// Whatever the steps of the pipeline use, and what that uses. `given`: actions that are folders of the source.
    /// Jobs one of whose steps comes to run in a container of its own are told so.
    void follow(model::Pipeline& pipeline, const model::Source& source, const std::vector<std::pair<std::string, std::string>>& given);
    /// Whether a step's action is there.
    [[nodiscard]] bool has(const std::string& uses) const;
    /// Why a step's action is not there; nothing where it is, or where nobody has asked for it.
    [[nodiscard]] std::optional<std::string> missing(const std::string& uses) const;
    [[nodiscard]] std::vector<model::FetchedAction> found() const;
    /// Steps of the pipeline that come to run in a container.
    [[nodiscard]] const std::vector<model::Step>& in_containers() const { return in_containers_; }
    /// What the user should see: which commit each ref is, and what could not be had.
    [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

private:
    using Outcome = Result<model::FetchedAction>;
    const Outcome& find(const std::string& name, const std::string& ref);
    Outcome resolve(const std::string& name, const std::string& ref);
    Result<std::string> place_of(const std::string& name) const;
    // Whether any of it runs in a container.
    bool follow_step(const model::Step& step, const model::Source& own, int depth);
    bool follow_use(const std::string& uses, const model::Source& own, int depth);
    bool follow_action(const model::Source& source, const std::string& folder, const model::Source& own, int depth);

    git::Sources& sources_;
    const ActionServers& servers_;
    std::map<std::string, Outcome> known_;  ///< by name@ref
    std::optional<Error> unreachable_;      ///< the server, which is asked no more
    std::map<std::string, bool> followed_;  ///< by `uses`: whether it runs in a container
    std::vector<model::Step> in_containers_;
    std::vector<std::pair<std::string, std::string>> given_;
    std::vector<std::string> notices_;
};

}  // namespace cicd::planner
