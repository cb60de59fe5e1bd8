#pragma once

#include "common/codec/fields.hpp"
#include "common/model/plan.hpp"

/// What started a run and what it works on: parts of plans and of runs.
namespace cicd::codec {

template <>
struct Fields<model::Event> {
    using T = model::Event;
    static constexpr auto list =
        std::tuple{required("type", &T::type), omitted("name", &T::name), omitted("payload", &T::payload),
                   omitted("branch", &T::branch), omitted("tag", &T::tag),
                   omitted("baseBranch", &T::base_branch), omitted("action", &T::action),
                   omitted("pullRequest", &T::pull_request), omitted("actor", &T::actor),
                   omitted("changedPaths", &T::changed_paths)};
};

template <>
struct Fields<model::Source> {
    using T = model::Source;
    static constexpr auto list = std::tuple{
        shown("repository", &T::repository), shown("name", &T::name), shown("commit", &T::commit),
        shown("tree", &T::tree), shown("branch", &T::branch), omitted("tag", &T::tag), omitted("remote", &T::remote),
        omitted("baseCommit", &T::base_commit), omitted("message", &T::message), omitted("author", &T::author),
        omitted("authorEmail", &T::author_email), shown("dirty", &T::dirty),
        omitted("pipelineFile", &T::pipeline_file)};
};

template <>
struct Fields<model::FetchedAction> {
    using T = model::FetchedAction;
    static constexpr auto list = std::tuple{required("name", &T::name), required("ref", &T::ref), required("repository", &T::repository),
                                            required("commit", &T::commit), required("tree", &T::tree), omitted("path", &T::path)};
};

}  // namespace cicd::codec
