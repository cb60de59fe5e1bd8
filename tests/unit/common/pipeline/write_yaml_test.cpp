#include "common/pipeline/parse.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace cicd;

namespace {

class RandomValues {
public:
    explicit RandomValues(unsigned seed) : random_(seed) {}

    std::string text() {
        static const std::vector<std::string> parts{"a", "true", "1", " ", "\n", ": ", "#", " #", "-", "- ", "'", "\"", "\\", "{", "}", "[", "]", ",",
                                                    "&", "*", "!", "|", ">", "%", "@", "`", "?", "~", "null", "0x1", "1e3", ".inf", "yes", "on",
                                                    "\t", "\xC3\xA9", "\xE2\x80\xA8", "\xC2\x85", "\x01", "\r", "<<", "=", "...", "---", "${{ x }}", "word", ":", "\x7f"};
        std::string result;
        for (auto n = random_() % 6; n > 0; --n) result += parts[random_() % parts.size()];
        return result;
    }

    Value value(int depth) {
        switch (random_() % (depth > 0 ? 8 : 5)) {
            case 0: return {};
            case 1: return random_() % 2 == 0;
            case 2: return static_cast<double>(random_() % 1000) / 8 - 20;
            case 3:
            case 4: return text();
            case 5: {
                Array items;
                for (auto n = random_() % 5; n > 0; --n) items.push_back(value(depth - 1));
                return items;
            }
            default: {
                Object object;
                static const std::vector<std::string> keys{"stages", "jobs", "steps", "env", "run", "name", "commands"};
                for (auto n = random_() % 5; n > 0; --n)
                    object.set(random_() % 3 == 0 ? text() : keys[random_() % keys.size()], value(depth - 1));
                return object;
            }
        }
    }

private:
    std::mt19937 random_;
};

}  // namespace

TEST_CASE("every value comes back the same from YAML") {
    RandomValues random(42);
    for (int i = 0; i < 5000; ++i) {
        const Value value(Array{random.value(5)});
        const auto yaml = pipeline::to_yaml(value);
        const auto parsed = pipeline::parse_yaml(yaml, "t");
        for (const auto& p : parsed.problems) FAIL_CHECK(p.line, ":", p.column, " ", p.message, "\n", yaml);
        CHECK_MESSAGE(parsed.value == value, yaml);
        if (!parsed.ok() || parsed.value != value) break;
    }
}

TEST_CASE("YAML is written for people") {
    Object step;
    step.set("name", "build it");
    step.set("run", "make\nmake test\n");
    Object root;
    root.set("version", "3.10");
    root.set("text", "plain: no");
    root.set("enabled", "yes");
    root.set("list", Array{"a", "b: c", 3});
    root.set("steps", Array{Value(step), "make"});
    root.set("empty", Array{});
    CHECK(pipeline::to_yaml(root) == R"(version: "3.10"
text: "plain: no"
enabled: "yes"
list: [a, "b: c", 3]
steps:
  - name: build it
    run: |
      make
      make test
  - make
empty: []
)");
}
