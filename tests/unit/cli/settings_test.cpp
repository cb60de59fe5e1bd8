#include "cli/configuration.hpp"
#include "cli/settings.hpp"
#include "common/codec/json.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace cicd;
using namespace cicd::cli;

namespace {

std::string edited(const std::string& text, const std::string& name, const std::optional<std::string>& value) {
    const auto result = edit_settings(text, name, value);
    REQUIRE(result.has_value());
    CHECK(result->kept_comments);
    return result->text;
}

/// The names of all that a schema lets one set, down to what holds no others.
std::vector<std::string> names_of(const Value& schema, const std::string& name) {
    if (schema["properties"].is_object()) {
        std::vector<std::string> names;
        for (const auto& [key, inner] : schema["properties"].as_object())
            for (auto& each : names_of(inner, name.empty() ? key : name + "." + key)) names.push_back(std::move(each));
        return names;
    }
    if (schema["additionalProperties"].is_object() || schema["items"].is_object()) return {};  // names of one's own, lists: written by hand
    if (!schema["anyOf"].is_array()) return {name};
    std::vector<std::string> names;
    for (const auto& one : schema["anyOf"].as_array())
        for (auto& each : names_of(one, name)) names.push_back(std::move(each));
    return names;
}

}  // namespace

TEST_CASE("a setting is changed at its place, and everything else stays") {
    const std::string text = "# mine\noutput: json   # for scripts\n\ncapacity:\n  # this machine is shared\n  slots: 2\n  memory: 8Gi\n# end\n";
    CHECK(edited(text, "output", "table") ==
          "# mine\noutput: table # for scripts\n\ncapacity:\n  # this machine is shared\n  slots: 2\n  memory: 8Gi\n# end\n");
    CHECK(edited(text, "capacity.slots", "4").find("  slots: 4\n  memory: 8Gi\n# end\n") != std::string::npos);
    CHECK(edited(text, "capacity.cpu", "2.5").find("  memory: 8Gi\n  cpu: 2.5\n# end\n") != std::string::npos);
    CHECK(edited(text, "executors.host", "true").ends_with("# end\nexecutors:\n  host: true\n"));
    CHECK(edited("", "color", "never") == "color: never\n");
    CHECK(edited("capacity:\n    slots: 2\n", "capacity.cpu", "1") == "capacity:\n    slots: 2\n    cpu: 1\n");
}

TEST_CASE("a setting is taken out with its line") {
    CHECK(edited("a: 1\noutput: json\n", "output", std::nullopt) == "a: 1\n");
    CHECK(edited("capacity:\n  slots: 2\n  cpu: 1\n", "capacity.slots", std::nullopt) == "capacity:\n  cpu: 1\n");
    CHECK(edited("capacity:\n  slots: 2\n", "capacity.slots", std::nullopt) == "capacity:\n");
    CHECK(edited("a: 1\n", "output", std::nullopt) == "a: 1\n");
}

TEST_CASE("what is not plain block style is written anew, with the same meaning") {
    const auto flow = edit_settings("executors: {host: false} # flow\n", "executors.host", "true");
    REQUIRE(flow.has_value());
    CHECK_FALSE(flow->kept_comments);
    CHECK(flow->text.find("host: true") != std::string::npos);
    CHECK_FALSE(edit_settings("a: [\n", "output", "json").has_value());
}

TEST_CASE("a text that would be read as something else is quoted") {
    CHECK(edited("", "socket", "yes: no # x") .find("yes: no # x") != std::string::npos);
    CHECK(edited("", "socket", "/run/x.sock") == "socket: /run/x.sock\n");
}

TEST_CASE("an unknown setting gets a suggestion") {
    const auto unknown = find_setting("outptu");
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().hint.find("output") != std::string::npos);
}

TEST_CASE("flags come first, and what is not set has its default") {
    Configuration configuration;
    configuration.add("output", "json", "/a/config.yaml");
    configuration.add("output", "yaml", "/b/config.yaml");
    configuration.add("odd", "1", "/b/config.yaml");
    CHECK(configuration.find("output") == "json");
    configuration.put_first("output", "name", "--output");
    CHECK(configuration.find("output") == "name");
    const auto all = configuration.with_defaults();
    CHECK(all.front().origin == "--output");
    CHECK(all.back().name == "odd");
    CHECK(all.size() == known_settings().size() + 1);
    CHECK(all[1].origin == "default");
    CHECK(all[1].value == "auto");
}

// A setting that the schema gains is one that `config` must know.
TEST_CASE("the settings are those of the schema") {
    std::ifstream file(std::string(CICD_SOURCE_DIR) + "/schemas/config.schema.json");
    std::ostringstream text;
    text << file.rdbuf();
    const auto schema = codec::parse_json(text.str());
    REQUIRE(schema.has_value());
    Object rest;
    for (const auto& [name, property] : (*schema)["properties"].as_object())
        if (name != "autostart") rest.set(name, property);  // noAutostart, said the other way round
    const auto names = names_of(Object{{"properties", rest}}, "");
    CHECK(names.size() > 20);
    for (const auto& name : names) {
        INFO(name);
        CHECK(find_setting(name).has_value());
    }
}
