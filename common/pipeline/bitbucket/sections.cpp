#include "common/pipeline/bitbucket/sections.hpp"

#include "common/base/glob.hpp"
#include "common/base/text.hpp"
#include "common/pipeline/gitlab/formula.hpp"

#include <array>
#include <cctype>
#include <optional>
#include <set>

namespace cicd::pipeline::bitbucket {
namespace {

using Kind = Section::Kind;

struct Named {
    const char* key;
    Kind kind;
};
constexpr std::array<Named, 4> named{{{"branches", Kind::branch}, {"tags", Kind::tag}, {"pull-requests", Kind::pull_request}, {"custom", Kind::custom}}};

bool is_pattern(const std::string& name) { return name.find_first_of("*?{[") != name.npos; }

/// feature/* is feature.
std::string plain(const std::string& name) {
    std::string made;
    for (const char c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.') made += c;
        else if (!made.empty() && made.back() != '-') made += '-';
    while (made.ends_with('-')) made.pop_back();
    return made.empty() ? "any" : made;
}

/// {a,b}/c is a/c and b/c: filters know no braces.
model::Strings without_braces(const std::string& pattern) {
    const auto open = pattern.find('{');
    const auto close = pattern.find('}', open);
    if (open == pattern.npos || close == pattern.npos) return {pattern};
    model::Strings all;
    for (const auto& choice : split(pattern.substr(open + 1, close - open - 1), ','))
        for (auto& each : without_braces(pattern.substr(0, open) + choice + pattern.substr(close + 1)))
            if (all.size() < 100) all.push_back(std::move(each));
    return all;
}

/// As a filter says it, where + and ? are about the character before them.
std::string filter(const std::string& pattern) {
    std::string made;
    for (const char c : pattern) {
        if (c == '+' || c == '!' || c == '\\' || (c == '?' && !is_pattern(pattern))) made += '\\';
        made += c;
    }
    return made;
}

model::Strings filters(const std::string& pattern) {
    model::Strings all;
    for (const auto& each : without_braces(pattern)) all.push_back(filter(each));
    return all;
}

/// Those of its kind that come first where both fit.
model::Strings before(const Section& section, const std::vector<Section>& all) {
    model::Strings names;
    if (!is_pattern(section.name)) return names;
    bool passed = false;
    for (const auto& other : all) {
        passed |= &other == &section || (other.kind == section.kind && other.name == section.name);
        if (other.kind != section.kind || other.name == section.name) continue;
        const auto fits = glob_match(section.name, other.name);
        if (is_pattern(other.name) ? !passed : fits && *fits) names.push_back(other.name);
    }
    return names;
}

/// Nothing where our expressions cannot ask that.
std::optional<std::string> asks_for(const std::string& pattern) {
    std::vector<std::string> parts;
    for (const auto& each : without_braces(pattern)) {
        const auto end = each.find_first_of("*?[");
        const auto rest = end == each.npos ? "" : each.substr(end);
        if (rest.empty()) parts.push_back("git.branch == " + gitlab::as_literal(each));
        else if (rest == "**" && end == 0) return "true";
        else if (rest == "*" && end == 0) parts.push_back("!contains(git.branch, '/')");
        else if (rest == "**" || rest == "*") parts.push_back("startsWith(git.branch, " + gitlab::as_literal(each.substr(0, end)) + ")");
        else return std::nullopt;
    }
    return parts.size() == 1 ? parts.front() : "(" + join(parts, " || ") + ")";
}

}  // namespace

std::vector<Section> sections_of(const Node& pipelines) {
    std::vector<Section> all;
    std::set<std::string> taken;
    const auto add = [&](Section section, const std::string& part) {
        section.part = part;
        for (int i = 2; !taken.insert(section.part).second; ++i) section.part = part + "-" + std::to_string(i);
        all.push_back(std::move(section));
    };
    if (pipelines.kind != NodeKind::map) return all;
    if (const Node* usual = pipelines.find("default")) add({Kind::usual, "", "", usual}, "default");
    for (const auto& [key, kind] : named)
        if (const Node* sections = pipelines.find(key); sections && sections->kind == NodeKind::map)
            for (const auto& [name, value] : sections->members) add({kind, name->text, "", value}, (kind == Kind::custom ? "" : key + std::string("-")) + plain(name->text));
    return all;
}

std::string event_of(const Section& section) {
    if (section.kind == Kind::custom) return "custom:" + section.name;
    return section.kind == Kind::pull_request ? "pull_request" : "push";
}

model::Trigger trigger_of(const Section& section, const std::vector<Section>& all, const model::Mark& mark) {
    model::Trigger trigger;
    trigger.mark = mark;
    const auto only = [&](model::Strings& names) {
        names = filters(section.name);
        for (const auto& other : before(section, all))
            for (const auto& each : filters(other)) names.push_back("!" + each);
    };
    switch (section.kind) {
        case Kind::usual:
            trigger.type = model::TriggerType::push;
            for (const auto& other : all)
                if (other.kind == Kind::branch)
                    for (auto& each : filters(other.name)) trigger.branches_ignore.push_back(std::move(each));
            if (trigger.branches_ignore.empty()) trigger.branches = {"**"};
            break;
        case Kind::branch:
            trigger.type = model::TriggerType::push;
            only(trigger.branches);
            break;
        case Kind::tag:
            trigger.type = model::TriggerType::push;
            only(trigger.tags);
            break;
        case Kind::pull_request: trigger.type = model::TriggerType::pull_request; break;
        case Kind::custom: trigger.type = model::TriggerType::manual; break;
    }
    return trigger;
}

std::string condition_of(const Section& section, const std::vector<Section>& all, std::string& told) {
    if (section.kind != Kind::pull_request) return "";
    model::Strings parts;
    const auto own = asks_for(section.name);
    if (!own) told = section.name;
    else if (*own != "true") parts.push_back(*own);
    for (const auto& other : before(section, all)) {
        const auto theirs = asks_for(other);
        if (!theirs) told = other;
        else parts.push_back("!(" + *theirs + ")");
    }
    return join(parts, " && ");
}

}  // namespace cicd::pipeline::bitbucket
