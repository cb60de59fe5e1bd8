#pragma once

#include "common/pipeline/builder.hpp"

#include <algorithm>
#include <utility>
#include <vector>

/// Steps in the background, in any language that has them: `parallel` is read as steps in the background and one that waits.
namespace cicd::pipeline {

/// Each `wait` and `cancel` names steps in the background before it.
void check_controls(Builder& b, const std::vector<model::Step>& steps);

/// Reads the members of a `parallel` by `read_member`, which adds to the list; `waits` is what waits for them.
template <class ReadMember>
void read_parallel(Builder& b, const Cursor& members, model::Step waits, std::vector<model::Step>& into, ReadMember read_member) {
    const int group = 1 + (into.empty() ? 0 : std::max_element(into.begin(), into.end(), [](const auto& one, const auto& other) {
                                                  return one.parallel < other.parallel;
                                              })->parallel);
    if (members.kind() == NodeKind::list && members.node->items.empty()) b.error(members, "must list at least one step");
    b.each(members, [&](const Cursor& item) {
        const auto begin = static_cast<std::ptrdiff_t>(into.size());
        read_member(item);
        std::for_each(into.begin() + begin, into.end(), [&](model::Step& member) {
            if (member.background || member.control != model::StepControl::none || member.parallel != 0)
                b.error(item, "steps in 'parallel' all run at the same time: 'background', 'wait', 'cancel' and 'parallel' stand outside of it");
            member.background = true;
            member.parallel = group;
        });
    });
    waits.control = model::StepControl::wait;
    waits.parallel = group;
    into.push_back(std::move(waits));
}

/// Steps as a file lists them, each written by `write`; a group as one item with the key `parallel`.
template <class Write>
Array list_steps(const std::vector<model::Step>& steps, Write write) {
    Array list;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const int group = steps[i].parallel;
        if (group == 0) {
            list.push_back(write(steps[i]));
            continue;
        }
        Array members;
        for (; i < steps.size() && steps[i].parallel == group && steps[i].control == model::StepControl::none; ++i) {
            auto member = steps[i];
            member.background = false;
            member.parallel = 0;
            members.push_back(write(member));
        }
        const bool has_end = i < steps.size() && steps[i].parallel == group;
        Value whole = has_end ? write(steps[i]) : Value(Object());
        if (!has_end) --i;
        if (members.empty()) continue;
        Object item = whole.as_object();
        item.set("parallel", std::move(members));
        list.push_back(std::move(item));
    }
    return list;
}

}  // namespace cicd::pipeline
