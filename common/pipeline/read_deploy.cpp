#include "common/pipeline/readers.hpp"

#include <array>

/// Gates and deployments. Drivers own their settings, so only what every deployment shares is checked here.
namespace cicd::pipeline {
namespace {

using namespace model;

constexpr std::array<std::string_view, 3> gate_types{"approval", "quality", "policy"};
constexpr std::array<std::string_view, 4> strategies{"canary", "blue_green", "rolling", "recreate"};

constexpr Field<Gate> gate_fields[] = {
    {"type", [](Builder& b, const Cursor& c, Gate& g) { g.type = b.choice(c, gate_types); }},
    {"approvals", [](Builder& b, const Cursor& c,
                     Gate& g) { g.approvals = b.integer(c, 1, 100, "a number of approvals").value_or(1); }},
    {"roles", [](Builder& b, const Cursor& c, Gate& g) { g.roles = b.literals(c); }},
    {"users", [](Builder& b, const Cursor& c, Gate& g) { g.users = b.literals(c); }},
    {"expires", [](Builder& b, const Cursor& c, Gate& g) { g.expires = b.duration(c); }},
    {"condition", [](Builder& b, const Cursor& c, Gate& g) { g.condition = b.condition(c); }},
    {"message", [](Builder& b, const Cursor& c, Gate& g) { g.message = b.text(c); }},
};

void check_canary_step(Builder& b, const Cursor& at) {
    if (!b.is_map(at, "a step (weight, duration)")) return;
    b.require(at, {"weight"}, "a step of a deployment");
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        if (member.key->text == "weight")
            b.number(place, 0, 100, "a percentage");
        else if (member.key->text == "duration" && place.node->text != "stable")
            b.duration(place);
    }
}

Value read_strategy(Builder& b, const Cursor& at) {
    if (at.kind() != NodeKind::map) {
        Object strategy;
        strategy.set("type", b.choice(at, strategies));
        return strategy;
    }
    b.require(at, {"type"}, "a deployment strategy");
    for (const auto& member : at.node->members) {
        const Cursor place = at.child(member);
        if (member.key->text == "type") b.choice(place, strategies);
        if (member.key->text == "steps") b.each(place, [&](const Cursor& step) { check_canary_step(b, step); });
    }
    return b.value(at);
}

constexpr Field<Deploy> deploy_fields[] = {
    {"artifact", [](Builder& b, const Cursor& c, Deploy& d) { d.artifact = b.text(c); }},
    {"strategy", [](Builder& b, const Cursor& c, Deploy& d) { d.strategy = read_strategy(b, c); }},
    {"rollback",
     [](Builder& b, const Cursor& c, Deploy& d) {
         if (b.is_map(c, "rollback")) d.rollback = b.value(c);
     }},
    {"target",
     [](Builder& b, const Cursor& c, Deploy& d) {
         if (b.is_map(c, "a target")) d.target = b.value(c);
     }},
    {"validation",
     [](Builder& b, const Cursor& c, Deploy& d) {
         if (b.is_map(c, "validation")) d.validation = b.value(c);
     }},
};

}  // namespace

std::optional<Gate> read_gate(Builder& b, const Cursor& at) {
    Gate gate;
    gate.type = "approval";
    gate.mark = b.mark(at);
    b.fields<Gate>(at, gate, gate_fields, "a gate");
    return gate;
}

std::optional<Deploy> read_deploy(Builder& b, const Cursor& at) {
    Deploy deploy;
    deploy.mark = b.mark(at);
    b.fields<Deploy>(at, deploy, deploy_fields, "deploy");
    return deploy;
}

}  // namespace cicd::pipeline
