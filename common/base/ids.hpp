#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace cicd {

/// A string id that cannot be mistaken for another kind of id. Its text form is "<prefix>-<number>", such as "run-42".
template <class Tag>
class Id {
public:
    Id() = default;
    explicit Id(std::string text) : text_(std::move(text)) {}

    [[nodiscard]] const std::string& str() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }

    friend bool operator==(const Id&, const Id&) = default;
    friend auto operator<=>(const Id& a, const Id& b) { return a.text_ <=> b.text_; }

private:
    std::string text_;
};

struct RunTag { static constexpr std::string_view prefix = "run"; };
struct JobTag { static constexpr std::string_view prefix = "job"; };
struct PipelineTag { static constexpr std::string_view prefix = "pipeline"; };
struct ArtifactTag { static constexpr std::string_view prefix = "artifact"; };
struct TriggerTag { static constexpr std::string_view prefix = "trigger"; };

using RunId = Id<RunTag>;
using JobId = Id<JobTag>;
using PipelineId = Id<PipelineTag>;
using ArtifactId = Id<ArtifactTag>;
using TriggerId = Id<TriggerTag>;

}  // namespace cicd

template <class Tag>
struct std::hash<cicd::Id<Tag>> {
    std::size_t operator()(const cicd::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};
