#pragma once

#include "common/base/result.hpp"
#include "daemon/upkeep/retention.hpp"
#include "daemon/upkeep/room.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cicd::app {

/// Where a key comes from: written out, or by the name of a secret, of a variable of the daemon's environment, or a file.
struct KeySource {
    std::string text, secret, env, file;
};
/// objects: {s3: …}
struct S3Configuration {
    std::string endpoint, bucket, region = "us-east-1", prefix;
    KeySource access_key, secret_key;
};

/// `config.yaml` of the configuration directory: what the user allows, how much of the machine jobs may take, what is
/// kept. schemas/config.schema.json describes it.
struct Configuration {
    bool allow_host_executor = false;     ///< executors: {host: true}
    std::string engine = "auto";          ///< engine: auto | podman | docker | none | unix:///PATH
    std::vector<std::string> mountable;   ///< volumes: [FOLDER]
    std::string action_server = "https://github.com";  ///< actions: {server}; empty: nothing is fetched
    std::vector<std::pair<std::string, std::string>> action_map;  ///< actions: {map}
    std::vector<std::pair<std::string, std::string>> labels;      ///< labels: {LABEL: machine | none | an image}
    std::optional<int> slots;             ///< capacity: {slots, cpu, memory, gpu}
    std::optional<double> cpu;
    std::optional<std::uint64_t> memory;
    std::optional<int> gpu;
    upkeep::Reserve reserve;              ///< disk: {reserve: 1Gi | 2%}
    upkeep::Policy retention;             ///< retention: {age, runs, logs, size, workspaces, mirrors}
    std::uint64_t largest_upload = std::uint64_t{16} << 30;    ///< uploads: {size, unpacked}
    std::uint64_t largest_unpacked = std::uint64_t{64} << 30;
    std::optional<S3Configuration> s3;                         ///< objects: {s3, local}
    std::optional<std::uint64_t> local_objects;                ///< so much of what has its copy stays on this disk
    std::string log_level = "info";       ///< logLevel: trace | debug | info | warn | error
    std::vector<std::string> warnings;    ///< about keys at the top that are not known
};

/// Defaults where there is no file; $CICD_ACTIONS_SERVER counts more than what it says. A file that cannot be read, holds a wrong value or a key that its section does not
/// know is an error that names file, line and column. Keys at the top may also be the CLI's: unknown ones are warned of.
Result<Configuration> read_configuration(const std::filesystem::path& directory);
Result<Configuration> parse_configuration(std::string_view text, const std::string& file);

}  // namespace cicd::app
