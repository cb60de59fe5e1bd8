#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cicd::app {

/// `config.yaml` of the configuration directory: what the user allows, and how much of the machine jobs may take.
struct Configuration {
    bool allow_host_executor = false;     ///< executors: {host: true}
    std::optional<int> slots;             ///< capacity: {slots, cpu, memory}
    std::optional<double> cpu;
    std::optional<std::uint64_t> memory;
    std::string log_level = "info";       ///< logLevel: trace | debug | info | warn | error
    std::vector<std::string> warnings;    ///< about keys that are not known
};

/// Defaults where there is no file. A file that cannot be read or holds a wrong value is an error.
Result<Configuration> read_configuration(const std::filesystem::path& directory);

}  // namespace cicd::app
