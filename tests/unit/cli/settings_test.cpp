#include "cli/configuration.hpp"
#include "cli/settings.hpp"
#include "common/codec/json.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

using namespace cicd;
using namespace cicd::cli;

namespace {

std::string edited(const std::string& text, const std::string& name, const std::optional<std::string>& value) {
    const auto result = edit_settings(text, name, value);
    REQUIRE(result.has_value());
    CHECK(result->kept_comments);
    return result->text;
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
    const auto& properties = (*schema)["properties"];
    for (const auto& [name, property] : properties.as_object()) {
        if (name == "autostart") continue;  // noAutostart, said the other way round
        if (property["properties"].is_object()) {
            for (const auto& [inner, ignored] : property["properties"].as_object()) {
                INFO(name, ".", inner);
                CHECK(find_setting(name + "." + inner).has_value());
            }
        } else {
            INFO(name);
            CHECK(find_setting(name).has_value());
        }
    }
}
