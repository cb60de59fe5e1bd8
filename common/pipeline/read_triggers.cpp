#include "common/base/glob.hpp"
#include "common/pipeline/readers.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace cicd::pipeline {
namespace {

using model::Trigger;
using model::TriggerType;

constexpr std::array<std::string_view, 22> activity_types{"opened",
                                                          "synchronize",
                                                          "reopened",
                                                          "closed",
                                                          "edited",
                                                          "ready_for_review",
                                                          "converted_to_draft",
                                                          "labeled",
                                                          "unlabeled",
                                                          "assigned",
                                                          "unassigned",
                                                          "review_requested",
                                                          "review_request_removed",
                                                          "locked",
                                                          "unlocked",
                                                          "auto_merge_enabled",
                                                          "auto_merge_disabled",
                                                          "milestoned",
                                                          "demilestoned",
                                                          "enqueued",
                                                          "dequeued",
                                                          "merged"};
constexpr std::array<std::string_view, 4> ends{"success", "failed", "cancelled", "always"};

model::Strings patterns(Builder& b, const Cursor& at) {
    model::Strings list;
    b.each(at, [&](const Cursor& item) {
        list.push_back(b.literal(item));
        const auto compiled = FilterPatterns::compile(std::span(&list.back(), 1));
        if (!compiled)
            b.error(item, "'" + list.back() + "' is no filter pattern: " + compiled.error().message,
                    compiled.error().hint);
        else if (item.kind() == NodeKind::text && item.node->text.empty())
            b.error(item, "an empty pattern matches nothing");
    });
    if (!list.empty() && std::all_of(list.begin(), list.end(), [](const auto& p) { return p.starts_with('!'); }))
        b.error(at, "only exclusions ('!') select nothing", "put \"**\" before them");
    return list;
}

void read_cron(Builder& b, const Cursor& at, Trigger& t) {
    t.cron = b.literal(at);
    if (const auto fault = t.cron.empty() ? std::optional<std::string>("it is empty") : cron_fault(t.cron))
        b.error(at, "'cron' cannot be read: " + *fault, "for example \"0 2 * * *\" for each night at 2");
}

void read_timezone(Builder& b, const Cursor& at, Trigger& t) {
    t.timezone = b.literal(at);
    const bool fits = !t.timezone.empty() && t.timezone.size() <= 64 && t.timezone.front() != '/' &&
                      t.timezone.back() != '/' && t.timezone.find("//") == std::string::npos &&
                      ((t.timezone[0] | 0x20) >= 'a' && (t.timezone[0] | 0x20) <= 'z') &&
                      t.timezone.find_first_not_of(
                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") == std::string::npos;
    if (!fits && at.node->is_scalar())
        b.error(at, "must be the name of a time zone", "for example UTC or Europe/Berlin");
}

constexpr Field<Trigger> common_fields[] = {
    {"type", [](Builder& b, const Cursor& c, Trigger& t) { t.type = b.enumerator<TriggerType>(c).value_or(t.type); }},
    {"id", [](Builder& b, const Cursor& c, Trigger& t) { t.id = b.name(c, NameRule::element); }},
    {"enabled", [](Builder& b, const Cursor& c, Trigger& t) { t.enabled = b.boolean(c); }},
};
constexpr Field<Trigger> branch_fields[] = {
    {"branches", [](Builder& b, const Cursor& c, Trigger& t) { t.branches = patterns(b, c); }},
    {"branchesIgnore", [](Builder& b, const Cursor& c, Trigger& t) { t.branches_ignore = patterns(b, c); }},
    {"paths", [](Builder& b, const Cursor& c, Trigger& t) { t.paths = patterns(b, c); }},
    {"pathsIgnore", [](Builder& b, const Cursor& c, Trigger& t) { t.paths_ignore = patterns(b, c); }},
};
constexpr Field<Trigger> tag_fields[] = {
    {"tags", [](Builder& b, const Cursor& c, Trigger& t) { t.tags = patterns(b, c); }},
    {"tagsIgnore", [](Builder& b, const Cursor& c, Trigger& t) { t.tags_ignore = patterns(b, c); }},
};
constexpr Field<Trigger> pull_request_fields[] = {
    {"types", [](Builder& b, const Cursor& c, Trigger& t) { t.types = b.choices(c, activity_types); }},
};
constexpr Field<Trigger> schedule_fields[] = {{"cron", read_cron}, {"timezone", read_timezone}};
constexpr Field<Trigger> manual_fields[] = {
    {"permissions", [](Builder& b, const Cursor& c, Trigger& t) { t.permissions = b.literals(c); }},
};
constexpr Field<Trigger> webhook_fields[] = {
    {"filter", [](Builder& b, const Cursor& c, Trigger& t) { t.filter = b.literal(c); }},
};
constexpr Field<Trigger> pipeline_fields[] = {
    {"pipeline", [](Builder& b, const Cursor& c, Trigger& t) { t.pipeline = b.literal(c); }},
    {"on", [](Builder& b, const Cursor& c, Trigger& t) { t.on = b.choice(c, ends); }},
};

void read_by_type(Builder& b, const Cursor& at, Trigger& t) {
    const auto read = [&](std::initializer_list<std::span<const Field<Trigger>>> tables, std::string_view what) {
        b.fields(at, t, tables, what);
    };
    switch (t.type) {
        case TriggerType::push:
            return read({common_fields, branch_fields, tag_fields}, "a push trigger");
        case TriggerType::pull_request:
            return read({common_fields, branch_fields, pull_request_fields}, "a pull_request trigger");
        case TriggerType::manual:
            return read({common_fields, manual_fields}, "a manual trigger");
        case TriggerType::schedule:
            read({common_fields, schedule_fields}, "a schedule trigger");
            return b.require(at, {"cron"}, "a schedule trigger");
        case TriggerType::webhook:
            read({common_fields, webhook_fields}, "a webhook trigger");
            return b.require(at, {"id"}, "a webhook trigger");
        case TriggerType::pipeline:
            t.on = "success";
            read({common_fields, pipeline_fields}, "a pipeline trigger");
            return b.require(at, {"pipeline"}, "a pipeline trigger");
    }
}

void refuse_both(Builder& b, const Cursor& at, std::string_view one, std::string_view other) {
    if (at.node->find(one) && at.node->find(other))
        b.error(at, "'" + std::string(one) + "' and '" + std::string(other) + "' exclude each other",
                "keep '" + std::string(one) + "' and write exclusions as \"!pattern\"");
}

}  // namespace

void read_triggers(Builder& b, const Cursor& list, std::vector<Trigger>& into) {
    std::unordered_set<std::string> ids;
    b.each(list, [&](const Cursor& at) {
        Trigger t;
        t.mark = b.mark(at);
        if (at.node->is_scalar()) {
            if (const auto type = b.enumerator<TriggerType>(at)) {
                t.type = *type;
                if (*type == TriggerType::schedule)
                    b.error(at, "a schedule trigger needs 'cron', which is missing",
                            "write {type: schedule, cron: \"0 2 * * *\"}");
                if (*type == TriggerType::webhook)
                    b.error(at, "a webhook trigger needs 'id', which is missing", "write {type: webhook, id: name}");
                if (*type == TriggerType::pipeline)
                    b.error(at, "a pipeline trigger needs 'pipeline', which is missing",
                            "write {type: pipeline, pipeline: name}");
            }
            into.push_back(std::move(t));
            return;
        }
        if (!b.is_map(at, "a trigger")) return;
        const auto& members = at.node->members;
        const auto type =
            std::find_if(members.begin(), members.end(), [](const auto& m) { return m.key->text == "type"; });
        if (type == members.end()) {
            b.error(at, "a trigger needs 'type', which is missing", "one of " + all_texts<TriggerType>());
            return;
        }
        const auto known = from_text<TriggerType>(type->value->text);
        if (!known) {
            b.enumerator<TriggerType>(at.child(*type));
            return;
        }
        t.type = *known;
        read_by_type(b, at, t);
        refuse_both(b, at, "branches", "branchesIgnore");
        refuse_both(b, at, "tags", "tagsIgnore");
        refuse_both(b, at, "paths", "pathsIgnore");
        if (!t.id.empty() && !ids.insert(t.id).second) b.error(at, "two triggers have the id '" + t.id + "'");
        into.push_back(std::move(t));
    });
}

}  // namespace cicd::pipeline
