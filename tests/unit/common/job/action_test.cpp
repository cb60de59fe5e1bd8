#include "common/job/action.hpp"

#include <doctest/doctest.h>

using namespace cicd;

TEST_CASE("what an action says comes through as it was read") {
    model::Action action;
    action.name = "greets";
    action.how = model::ActionUsing::node;
    action.inputs = {{"who", "", true, false, "use whom"}, {"how", "", false, true, ""}};
    action.outputs = {{"said", "${{ steps.a.outputs.said }}"}};
    action.steps.resize(1);
    action.steps[0].id = "a";
    action.steps[0].run = "echo \"x\"\n";
    action.steps[0].env = {{"A", "1"}};
    action.node = "20";
    action.main = "main.js";
    action.post_if = "success()";
    action.image = "Dockerfile";
    action.entrypoint = "/run";
    action.pre_entrypoint = "/before";
    action.post_entrypoint = "/after";
    action.args = {"${{ inputs.who }}", ""};
    action.env = {{"B", "2"}};
    const auto again = job::read_action(job::to_text(action));
    REQUIRE(again.has_value());
    CHECK(again->name == "greets");
    CHECK(again->how == model::ActionUsing::node);
    REQUIRE(again->inputs.size() == 2);
    CHECK(again->inputs[0].has_default);
    CHECK(again->inputs[0].deprecation == "use whom");
    CHECK_FALSE(again->inputs[1].has_default);
    CHECK(again->inputs[1].required);
    CHECK(again->outputs == action.outputs);
    CHECK(again->steps == action.steps);
    CHECK(again->main == "main.js");
    CHECK(again->post_if == "success()");
    CHECK(again->image == action.image);
    CHECK(again->entrypoint == action.entrypoint);
    CHECK(again->pre_entrypoint == action.pre_entrypoint);
    CHECK(again->post_entrypoint == action.post_entrypoint);
    CHECK(again->args == action.args);
    CHECK(again->env == action.env);
}

TEST_CASE("what is wrong with an action comes through, too") {
    const auto refused = job::read_action(job::to_text(invalid("PIPELINE_002", "no 'runs'", "write one")));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message == "no 'runs'");
    CHECK(refused.error().hint == "write one");
    CHECK_FALSE(job::read_action("{").has_value());
    CHECK_FALSE(job::read_action("{}").has_value());
}
