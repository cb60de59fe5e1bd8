#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::cli {

/// Settings and where each comes from: flags, CICD_* variables, the project's `.cicd/config.yaml`, the user's
/// `config.yaml`, `/etc/cicd/config.yaml`, in that order.
class Configuration {
public:
    struct Setting {
        std::string name, value, origin;
    };

    /// Reads what is there; no file is no error, a broken one is.
    static Result<Configuration> load(const std::filesystem::path& directory);

    [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
    /// Every setting that is set, by name; nested names are joined with dots.
    [[nodiscard]] const std::vector<Setting>& settings() const { return settings_; }
    /// Every setting that there is, those with their default included.
    [[nodiscard]] std::vector<Setting> with_defaults() const;
    /// Adds what is not set yet: call in order of precedence.
    void add(std::string name, std::string value, std::string origin);
    /// A flag: comes before all others.
    void put_first(std::string name, std::string value, std::string origin);

private:
    Result<void> add_file(const std::filesystem::path& file);
    void add_variables();

    std::vector<Setting> settings_;
};

}  // namespace cicd::cli
