#include "cli/configuration.hpp"

#include "cli/files.hpp"
#include "cli/settings.hpp"
#include "common/base/paths.hpp"
#include "common/codec/json.hpp"
#include "common/pipeline/parse.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace cicd::cli {
namespace {

void flatten(const Value& value, const std::string& name, std::vector<std::pair<std::string, std::string>>& into) {
    if (value.is_object()) {
        for (const auto& [key, member] : value.as_object())
            flatten(member, name.empty() ? key : name + "." + key, into);
    } else {
        into.emplace_back(name, value.is_string() ? value.as_string() : codec::to_json(value));
    }
}

}  // namespace

Result<Configuration> Configuration::load(const std::filesystem::path& directory) {
    Configuration configuration;
    configuration.add_variables();
    if (const auto root = repository_root(directory))
        CICD_CHECK(configuration.add_file(*root / ".cicd" / "config.yaml"));
    CICD_CHECK(configuration.add_file(config_directory() / "config.yaml"));
    CICD_CHECK(configuration.add_file("/etc/cicd/config.yaml"));
    return configuration;
}

std::optional<std::string> Configuration::find(std::string_view name) const {
    for (const auto& setting : settings_)
        if (setting.name == name) return setting.value;
    return std::nullopt;
}

void Configuration::add(std::string name, std::string value, std::string origin) {
    if (!find(name)) settings_.push_back({std::move(name), std::move(value), std::move(origin)});
}

void Configuration::put_first(std::string name, std::string value, std::string origin) {
    std::erase_if(settings_, [&](const Setting& setting) { return setting.name == name; });
    settings_.insert(settings_.begin(), {std::move(name), std::move(value), std::move(origin)});
}

std::vector<Configuration::Setting> Configuration::with_defaults() const {
    std::vector<Setting> all;
    for (const auto& known : known_settings()) {
        const auto found = std::find_if(settings_.begin(), settings_.end(),
                                        [&](const Setting& setting) { return setting.name == known.name; });
        if (found != settings_.end())
            all.push_back(*found);
        else
            all.push_back({std::string(known.name), std::string(known.fallback), "default"});
    }
    for (const auto& setting : settings_)
        if (!find_setting(setting.name)) all.push_back(setting);
    return all;
}

void Configuration::add_variables() {
    for (const auto& known : known_settings()) {
        const auto* value = known.variable ? std::getenv(known.variable) : nullptr;
        if (value && *value) add(std::string(known.name), value, std::string("$") + known.variable);
    }
}

Result<void> Configuration::add_file(const std::filesystem::path& file) {
    std::error_code fault;
    if (!std::filesystem::is_regular_file(file, fault)) return {};
    CICD_TRY(const auto text, read_text(file));
    const auto parsed = pipeline::parse_yaml(text, file.string());
    if (!parsed.ok()) return pipeline::as_error(parsed.problems);
    std::vector<std::pair<std::string, std::string>> found;
    if (!parsed.value.is_null()) flatten(parsed.value, "", found);
    for (auto& [name, value] : found) add(std::move(name), std::move(value), file.string());
    return {};
}

}  // namespace cicd::cli
