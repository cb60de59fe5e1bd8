#include "daemon/app/configuration.hpp"

#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/base/value.hpp"
#include "common/pipeline/parse.hpp"

#include <fstream>
#include <iterator>

namespace cicd::app {
namespace {

const std::vector<std::string> log_levels{"trace", "debug", "info", "warn", "error"};

Error wrong(const std::string& key, const std::string& expected) {
    return invalid("CICD_400", "config.yaml: '" + key + "' must be " + expected);
}

void warn_about_unknown(const Value& section, const std::string& prefix, const std::vector<std::string>& known,
                        std::vector<std::string>& warnings) {
    if (!section.is_object()) return;
    for (const auto& [key, value] : section.as_object()) {
        bool is_known = false;
        for (const auto& name : known) is_known = is_known || name == key;
        if (is_known) continue;
        const auto hint = did_you_mean(key, known);
        warnings.push_back("config.yaml: '" + prefix + key + "' is not known here" + (hint.empty() ? "" : ": " + hint));
    }
}

Result<void> read_capacity(const Value& capacity, Configuration& configuration) {
    if (const auto& slots = capacity["slots"]; !slots.is_null()) {
        if (!slots.is_number() || slots.as_number() < 1 || slots.as_number() > 100'000)
            return wrong("capacity.slots", "a number from 1 on");
        configuration.slots = static_cast<int>(slots.as_number());
    }
    if (const auto& cpu = capacity["cpu"]; !cpu.is_null()) {
        if (!cpu.is_number() || cpu.as_number() <= 0) return wrong("capacity.cpu", "a number of cores above 0");
        configuration.cpu = cpu.as_number();
    }
    if (const auto& memory = capacity["memory"]; !memory.is_null()) {
        const auto text = memory.is_string() ? memory.as_string() : memory.is_number() ? number_text(memory.as_number()) : "";
        const auto bytes = parse_size(text);
        if (!bytes) return wrong("capacity.memory", "a size such as 8Gi");
        configuration.memory = *bytes;
    }
    return {};
}

Result<void> read_values(const Value& root, Configuration& configuration) {
    if (const auto& host = root["executors"]["host"]; !host.is_null()) {
        if (!host.is_bool()) return wrong("executors.host", "true or false");
        configuration.allow_host_executor = host.as_bool();
    }
    if (const auto& level = root["logLevel"]; !level.is_null()) {
        bool is_known = false;
        for (const auto& name : log_levels) is_known = is_known || (level.is_string() && level.as_string() == name);
        if (!is_known) return wrong("logLevel", "one of " + join(log_levels, ", "));
        configuration.log_level = level.as_string();
    }
    return read_capacity(root["capacity"], configuration);
}

}  // namespace

Result<Configuration> read_configuration(const std::filesystem::path& directory) {
    Configuration configuration;
    const auto file = directory / "config.yaml";
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return configuration;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return invalid("CICD_400", "cannot read " + file.string(), "make it readable, or move it away");
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto parsed = pipeline::parse_yaml(text, file.string());
    if (!parsed.ok()) return pipeline::as_error(parsed.problems).within("the configuration cannot be read");
    if (parsed.value.is_null()) return configuration;
    if (!parsed.value.is_object()) return wrong("", "a mapping");
    CICD_CHECK(read_values(parsed.value, configuration));
    // The CLI keeps its own settings in the same file.
    warn_about_unknown(parsed.value, "", {"executors", "capacity", "logLevel", "output", "color", "socket", "autostart"},
                       configuration.warnings);
    warn_about_unknown(parsed.value["executors"], "executors.", {"host"}, configuration.warnings);
    warn_about_unknown(parsed.value["capacity"], "capacity.", {"slots", "cpu", "memory"}, configuration.warnings);
    return configuration;
}

}  // namespace cicd::app
